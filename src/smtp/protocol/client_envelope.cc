// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/client_envelope.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mail/xtext.h"

namespace todoku::smtp {
namespace {

constexpr std::size_t kPathMax = 256;

// nullptr if the address stays within <> in a command; else the reason why not.
const char* unsafe_because(std::string_view address) {
  if (address.size() > kPathMax - 2) return "is longer than 254 octets";
  bool quoted = false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    const auto octet = static_cast<unsigned char>(address[i]);
    if (octet < 0x20 || octet == 0x7f) return "has a control character";
    if (address[i] == '"') quoted = !quoted;
    if (quoted && address[i] == '\\') {
      ++i;
      const bool escapes = i < address.size() && address[i] >= ' ' && address[i] <= '~';
      if (!escapes) return "has a backslash that escapes nothing";
      continue;
    }
    if (!quoted && (address[i] == ' ' || address[i] == '<' || address[i] == '>')) {
      return "has a space or an angle bracket outside of quotes";
    }
  }
  if (quoted) return "has an open quote";
  return is_utf8(address) ? nullptr : "is not UTF-8";
}

Result<void> require_safe(std::string_view role, std::string_view address) {
  const char* reason = unsafe_because(address);
  if (reason == nullptr) return {};
  return fail(ErrorKind::invalid_input, fmt::format("the {} address {}", role, reason));
}

// They are read back as they will be written: what is not the same then has no place in a command.
Result<void> require_sayable(const EnvelopeReports& reports, std::size_t recipients) {
  if (!reports.recipients.empty() && reports.recipients.size() != recipients) {
    return fail(ErrorKind::invalid_input, "reports are wanted of other recipients");
  }
  const std::string& id = reports.envelope_id;
  if (!id.empty() && parse_envid(to_xtext(id)) != id) {
    return fail(ErrorKind::invalid_input, "the envelope id is none that a command can hold");
  }
  for (const RecipientReports& each : reports.recipients) {
    if (each.notify.is_specified() && DsnNotify::parse(each.notify.to_string()) != each.notify) {
      return fail(ErrorKind::invalid_input, "a recipient is to be told of and never told of");
    }
    if (each.original && parse_orcpt(each.original->to_string(), true) != each.original) {
      return fail(ErrorKind::invalid_input, "an original recipient is none a command can hold");
    }
  }
  return {};
}

}  // namespace

Result<ClientEnvelope> ClientEnvelope::make(std::string mail_from,
                                            std::vector<std::string> recipients,
                                            EnvelopeNeeds needs, EnvelopeReports reports) {
  if (recipients.empty()) return fail(ErrorKind::invalid_input, "the envelope has no recipient");
  if (const auto safe = require_safe("sender", mail_from); !safe) return fail(safe.error());
  needs.smtputf8 = needs.smtputf8 || !is_ascii(mail_from);
  for (const std::string& recipient : recipients) {
    if (const auto safe = require_safe("recipient", recipient); !safe) return fail(safe.error());
    if (recipient.empty()) return fail(ErrorKind::invalid_input, "a recipient address is empty");
    needs.smtputf8 = needs.smtputf8 || !is_ascii(recipient);
  }
  if (const auto sayable = require_sayable(reports, recipients.size()); !sayable) {
    return fail(sayable.error());
  }
  ClientEnvelope envelope;
  envelope.mail_from_ = std::move(mail_from);
  envelope.recipients_ = std::move(recipients);
  envelope.needs_ = needs;
  envelope.reports_ = std::move(reports);
  return envelope;
}

MessageView view_of(std::span<const std::string_view> pieces) {
  MessageView view{.pieces = pieces};
  for (const std::string_view piece : pieces) view.size += piece.size();
  return view;
}

}  // namespace todoku::smtp
