// SPDX-License-Identifier: Apache-2.0
#include "feedback/parse/delivery_status.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "feedback/parse/mail_parts.h"
#include "feedback/parse/quoted_reply.h"
#include "mail/dsn.h"
#include "mail/xtext.h"

namespace todoku::feedback::parse {
namespace {

using Action = ReturnedRecipient::Action;

Action action_of(std::string_view value, std::string_view status) {
  const std::string word = to_ascii_lower(value);
  if (word.starts_with("delay") || word.starts_with("deferred")) return Action::delayed;
  if (word.starts_with("deliver") || word.starts_with("relay") || word.starts_with("expand")) {
    return Action::delivered;
  }
  // Where the word is none, the status tells (RFC 3464 section 2.3.4).
  if (!word.starts_with("fail") && status.starts_with("2.")) return Action::delivered;
  return Action::failed;
}

// What was kept of one recipient's fields.
struct Gathered {
  std::string final_address;
  std::string original_address;
  std::string actual_address;
  std::string action;
  std::string status;
  std::string diagnostic;

  [[nodiscard]] bool names_somebody() const {
    return !final_address.empty() || !original_address.empty() || !actual_address.empty();
  }
};

int octal_digit(char c) {
  return c >= '0' && c <= '7' ? c - '0' : -1;
}

// Exim writes each octet of a reply that is no ASCII as "\351" (src/string.c, string_printing).
// Empty where the text has none, or is no UTF-8 with them.
std::string without_octals(std::string_view text) {
  if (!text.contains('\\')) return {};
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool can_be =
        text[at] == '\\' && at + 3 < text.size() && (text[at + 1] == '2' || text[at + 1] == '3');
    const int middle = can_be ? octal_digit(text[at + 2]) : -1;
    const int last = can_be ? octal_digit(text[at + 3]) : -1;
    if (middle < 0 || last < 0) {
      out += text[at];
      continue;
    }
    out += static_cast<char>((text[at + 1] - '0') * 64 + middle * 8 + last);
    at += 3;
  }
  return out.size() < text.size() && is_utf8(out) ? out : std::string();
}

std::string without_type(std::string_view value) {
  const std::size_t semicolon = value.find(';');
  // "smtp; 550 ..." but not "550 5.1.1 unknown; see https://..."
  const bool has_type = semicolon != std::string_view::npos && semicolon <= 16 &&
                        value.substr(0, semicolon).find(' ') == std::string_view::npos;
  return std::string(trim(has_type ? value.substr(semicolon + 1) : value));
}

std::string diagnostic_of(std::string_view value) {
  std::string said = without_type(value);
  std::string decoded = without_octals(said);
  return decoded.empty() ? said : decoded;
}

// Of "5.1.1 (bad destination mailbox address)" and "smtp;550 5.1.1" the status itself.
std::string status_of(std::string_view value) {
  if (value.starts_with("2.")) return std::string(value.substr(0, value.find_first_of(" \t(")));
  return quoted_status(value);
}

// Some write the original recipient as the command had it, "a+2Bb@example.jp" (RFC 3461 section 4).
bool is_xtext_of(const std::string& text, const std::string& address) {
  if (address.empty() || equals_ignoring_case(text, address)) return false;
  const auto decoded = from_xtext(text);
  return decoded && equals_ignoring_case(*decoded, address);
}

ReturnedRecipient returned(const Gathered& gathered) {
  ReturnedRecipient recipient;
  // The one that was written to is the one that its sender knows (RFC 3464 section 2.3.1).
  const bool is_encoded = is_xtext_of(gathered.original_address, gathered.final_address);
  recipient.address = !gathered.original_address.empty() && !is_encoded ? gathered.original_address
                      : !gathered.final_address.empty()                 ? gathered.final_address
                                                                        : gathered.actual_address;
  recipient.status = gathered.status;
  recipient.action = action_of(gathered.action, gathered.status);
  if (auto reply = quoted_reply(gathered.diagnostic)) {
    recipient.reply = std::move(*reply);
  } else {
    recipient.reply.text = printable(utf8_prefix(gathered.diagnostic, kQuotedOctetsMax));
  }
  recipient.stage = quoted_stage(gathered.diagnostic);
  return recipient;
}

class Collector {
 public:
  void field(std::string_view name, std::string_view value) {
    if (name == "final-recipient") {
      begins_another(gathered_.final_address);
      gathered_.final_address = typed_address(value);
    } else if (name == "original-recipient") {
      begins_another(gathered_.original_address);
      gathered_.original_address = typed_address(value);
    } else if (name == "x-actual-recipient") {
      gathered_.actual_address = typed_address(value);
    } else if (name == "action") {
      gathered_.action = trim(value);
    } else if (name == "status") {
      gathered_.status = status_of(value);
    } else if (name == "diagnostic-code") {
      if (gathered_.diagnostic.empty()) gathered_.diagnostic = diagnostic_of(value);
    }
  }
  void end() {
    if (gathered_.names_somebody() && recipients_.size() < kRecipientsMax) {
      recipients_.push_back(returned(gathered_));
    }
    gathered_ = {};
  }
  [[nodiscard]] std::vector<ReturnedRecipient> take() && { return std::move(recipients_); }

 private:
  // Some write no blank line between recipients.
  void begins_another(const std::string& known) {
    if (!known.empty()) end();
  }

  Gathered gathered_;
  std::vector<ReturnedRecipient> recipients_;
};

}  // namespace

std::string typed_address(std::string_view value) {
  // "\\x{592A}" (RFC 6533 section 3).
  if (value.contains("\\x{")) {
    if (auto international = parse_orcpt(trim(value), true)) return international->address;
  }
  const std::size_t semicolon = value.find(';');
  if (semicolon != std::string_view::npos) value.remove_prefix(semicolon + 1);
  value = trim(value);
  if (const std::size_t open = value.find('<'); open != std::string_view::npos) {
    const std::size_t close = value.find('>', open);
    if (close != std::string_view::npos) value = value.substr(open + 1, close - open - 1);
  }
  if (const std::size_t comment = value.find(" ("); comment != std::string_view::npos) {
    value = value.substr(0, comment);
  }
  value = trim(value);
  if (!value.contains('@')) return {};
  if (const std::size_t space = value.find(' ');
      space != std::string_view::npos && !value.starts_with('"')) {
    value = value.substr(0, space);
  }
  return std::string(value);
}

std::vector<ReturnedRecipient> read_delivery_status(std::string_view text) {
  Collector collector;
  while (!text.empty()) {
    std::size_t end = text.find("\n\n");
    const std::string_view group = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    while (text.starts_with('\n')) text.remove_prefix(1);
    for (const auto& [name, value] : read_fields(group).all) collector.field(name, value);
    collector.end();
  }
  return std::move(collector).take();
}

}  // namespace todoku::feedback::parse
