// SPDX-License-Identifier: Apache-2.0
#include "intake/submission/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/date_time.h"
#include "base/printable.h"
#include "mime/date.h"
#include "mime/encoded_words.h"
#include "mime/mailbox_list.h"

namespace todoku::intake::submission {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kOptionPrefix = "x-todoku-";
constexpr std::size_t kIdempotencyKeyMax = 255;  // as of the API's header
constexpr std::size_t kValueShown = 60;

std::unexpected<Error> refuse_message(std::string why) {
  return fail(ErrorKind::invalid_input, std::move(why));
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// RFC 5322 section 3.6.8: printable ASCII but the colon; the obsolete syntax lets blanks follow.
std::size_t name_size(std::string_view line) {
  std::size_t size = 0;
  while (size < line.size() && line[size] > ' ' && line[size] <= '~' && line[size] != ':') ++size;
  if (size == 0) return 0;
  std::size_t colon = size;
  while (colon < line.size() && is_blank(line[colon])) ++colon;
  return colon < line.size() && line[colon] == ':' ? size : 0;
}

std::string shown(std::string_view value) {
  return printable(value.substr(0, kValueShown));
}

std::string comma_separated_word(std::string_view& text) {
  const std::size_t comma = std::min(text.find(','), text.size());
  const std::string_view word = trim(text.substr(0, comma));
  text.remove_prefix(std::min(comma + 1, text.size()));
  return std::string(word);
}

}  // namespace

SubmissionReader::SubmissionReader(SubmissionRules rules) : rules_(std::move(rules)) {}

Result<void> SubmissionReader::take(std::string_view octets, std::string& out) {
  if (octets.empty()) return {};
  if (auto sound = check_octets(octets); !sound) return sound;
  is_empty_ = false;
  if (part_ == Part::head) {
    if (auto done = take_head(octets); !done) return done;
    if (part_ == Part::head) return {};
    if (auto done = end_head(out); !done) return done;
  }
  emit(octets, out);
  return {};
}

// The protocol has seen to it already: what is refused here would be a mistake of ours.
Result<void> SubmissionReader::check_octets(std::string_view octets) {
  if (octets.contains('\0')) return refuse_message("the message has a NUL");
  for (const char c : octets) {
    if (after_cr_ != (c == '\n')) {
      return refuse_message("the message has a line that does not end with CR LF");
    }
    after_cr_ = c == '\r';
  }
  return {};
}

// Takes whole lines and what has come of the next one. Ends with the blank line, or before a line
// that is no field: then the header section has no end of its own.
Result<void> SubmissionReader::take_head(std::string_view& octets) {
  while (!octets.empty()) {
    const std::size_t end = octets.find('\n');
    const std::size_t size = end == std::string_view::npos ? octets.size() : end + 1;
    if (head_.size() + size > kHeadOctetsMax) {
      return refuse_message(
          fmt::format("the header section is larger than {} octets", kHeadOctetsMax));
    }
    head_ += octets.substr(0, size);
    octets.remove_prefix(size);
    if (end == std::string_view::npos) return {};
    const std::string_view line = std::string_view(head_).substr(line_);
    const bool continues = is_blank(line.front()) && !begins_.empty();
    if (line == kCrlf) {
      has_blank_line_ = true;
      head_.resize(line_);
      part_ = Part::body;
      return {};
    }
    if (!continues && name_size(line) == 0) {
      rest_ = line;
      head_.resize(line_);
      part_ = Part::body;
      return {};
    }
    if (!continues) begins_.push_back(line_);
    if (begins_.size() > kFieldsMax) {
      return refuse_message(fmt::format("the message has more than {} header fields", kFieldsMax));
    }
    line_ = head_.size();
  }
  return {};
}

std::string SubmissionReader::value_of(const Field& field) const {
  const std::size_t colon = field.raw.find(':', field.name.size());
  return mime::unfolded(field.raw.substr(colon + 1));
}

const SubmissionReader::Field* SubmissionReader::first(std::string_view name) const {
  const auto found = std::ranges::find_if(
      fields_, [&](const Field& field) { return equals_ignoring_case(field.name, name); });
  return found == fields_.end() ? nullptr : &*found;
}

Result<void> SubmissionReader::end_head(std::string& out) {
  const std::string_view head = head_;
  for (std::size_t i = 0; i < begins_.size(); ++i) {
    const std::size_t end = i + 1 < begins_.size() ? begins_[i + 1] : head.size();
    const std::string_view raw = head.substr(begins_[i], end - begins_[i]);
    fields_.push_back({raw.substr(0, name_size(raw)), raw});
  }
  if (auto judged = judge_fields(); !judged) return judged;
  emit(written_head(), out);
  found_.head_octets = found_.octets;
  if (!rest_.empty()) emit(std::exchange(rest_, {}), out);
  fields_.clear();
  head_ = {};
  return {};
}

Result<void> SubmissionReader::judge_fields() {
  found_.header_is_eight_bit = !is_ascii(head_);
  if (auto good = judge_from(); !good) return good;
  if (auto good = judge_hops(); !good) return good;
  for (const Field& field : fields_) {
    if (!to_ascii_lower(field.name.substr(0, kOptionPrefix.size())).starts_with(kOptionPrefix)) {
      continue;
    }
    const std::string name = to_ascii_lower(field.name.substr(kOptionPrefix.size()));
    const auto taken = take_option(name, value_of(field));
    if (!taken) return fail(taken.error());
  }
  if (const Field* const subject = first("Subject")) {
    found_.subject = mime::decode_header_text(value_of(*subject));
  }
  if (const Field* const id = first("Message-ID")) {
    std::string text = value_of(*id);
    if (text.starts_with('<') && text.ends_with('>')) text = text.substr(1, text.size() - 2);
    found_.message_id = text.substr(0, 998);
  } else {
    found_.message_id = rules_.message_id;
  }
  const Field* const precedence = first("Precedence");
  found_.looks_like_list =
      first("List-Unsubscribe") != nullptr || first("List-Id") != nullptr ||
      (precedence != nullptr && equals_ignoring_case(value_of(*precedence), "bulk"));
  const Field* const automatic = first("Auto-Submitted");
  found_.is_automatic =
      automatic != nullptr && !to_ascii_lower(value_of(*automatic)).starts_with("no");
  return {};
}

Result<void> SubmissionReader::judge_from() {
  std::size_t count = 0;
  for (const Field& field : fields_) count += equals_ignoring_case(field.name, "From") ? 1 : 0;
  if (count > 1) return refuse_message("the message has more than one From field");
  if (count == 0) {
    if (rules_.from_address.empty()) {
      return refuse_message("the message has no From field (RFC 5322 section 3.6)");
    }
    found_.from = {rules_.from_address, {}};
    return {};
  }
  auto mailboxes = mime::parse_mailbox_list(value_of(*first("From")));
  if (!mailboxes) {
    return refuse_message(fmt::format("the From field {}", mailboxes.error().detail));
  }
  if (mailboxes->size() != 1) {
    return refuse_message(
        fmt::format("the From field has {} addresses; it must have one", mailboxes->size()));
  }
  found_.from = std::move(mailboxes->front());
  return {};
}

// RFC 5321 section 6.3.
Result<void> SubmissionReader::judge_hops() {
  std::size_t hops = 0;
  std::size_t through_us = 0;
  for (const Field& field : fields_) {
    if (!equals_ignoring_case(field.name, "Received")) continue;
    ++hops;
    const std::string value = to_ascii_lower(value_of(field));
    through_us += std::ranges::any_of(rules_.own_names, [&](const std::string& name) {
      return value.contains(" by " + name + " ") || value.starts_with("by " + name + " ");
    });
  }
  if (hops > kHopsMax) {
    return refuse_message(fmt::format("the message goes in a loop: {} hops", hops));
  }
  if (through_us > kHopsThroughUsMax) {
    return refuse_message(
        fmt::format("the message goes in a loop: it was here {} times before", through_us));
  }
  return {};
}

// False: it is none that is taken.
Result<bool> SubmissionReader::take_option(std::string_view name, std::string_view value) {
  static constexpr std::array<std::pair<std::string_view, std::uint32_t>, 6> kNames{
      {{"tag", kTagOption},
       {"purpose", kPurposeOption},
       {"send-at", kSendAtOption},
       {"expires-in", kExpiresInOption},
       {"list-id", kListIdOption},
       {"idempotency-key", kIdempotencyKeyOption}}};
  const auto known =
      std::ranges::find(kNames, name, &std::pair<std::string_view, std::uint32_t>::first);
  if (known == kNames.end() || (rules_.allowed_options & known->second) == 0) return false;
  const auto wrong = [&](std::string_view why) {
    return refuse_message(fmt::format("X-Todoku-{}: \"{}\" {}", name, shown(value), why));
  };
  if ((options_seen_ & known->second) != 0) {
    return refuse_message(fmt::format("X-Todoku-{} is there twice", name));
  }
  options_seen_ |= known->second;
  SubmissionOptions& options = found_.options;
  switch (known->second) {
    case kTagOption:
      for (std::string_view rest = value; !rest.empty();) {
        options.tags.push_back(comma_separated_word(rest));
        if (options.tags.size() > kTagsMax) return wrong("has too many tags");
      }
      break;
    case kPurposeOption:
      options.purpose = parse_purpose(value);
      if (!options.purpose || *options.purpose == Purpose::by_type) {
        return wrong("is not advertisement, notice or transactional");
      }
      break;
    case kSendAtOption:
      options.send_at = parse_date_time(value);
      if (!options.send_at) return wrong("is no date and time, e.g. 2026-04-01T09:00:00+09:00");
      break;
    case kExpiresInOption: {
      std::int64_t seconds = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
      constexpr std::int64_t kYear = 366LL * 24 * 3600;
      if (error != std::errc() || end != value.data() + value.size() || seconds < 1 ||
          seconds > kYear) {
        return wrong("is no number of seconds");
      }
      options.expires_in = std::chrono::seconds(seconds);
      break;
    }
    case kListIdOption:
      if (value.empty()) return wrong("is empty");
      options.list_id = std::string(value);
      break;
    default:
      if (value.empty() || value.size() > kIdempotencyKeyMax ||
          !std::ranges::all_of(value, [](char c) { return c > ' ' && c <= '~'; })) {
        return wrong("is not 1 to 255 visible ASCII characters");
      }
      options.idempotency_key = std::string(value);
  }
  return true;
}

std::string SubmissionReader::written_head() {
  std::string head = rules_.received;
  if (first("Date") == nullptr) {
    head += "Date: ";
    mime::append_date(head, rules_.now, 0);
    head += kCrlf;
  }
  if (first("Message-ID") == nullptr) head += "Message-ID: <" + rules_.message_id + ">\r\n";
  if (first("From") == nullptr) head += "From: " + found_.from.address + "\r\n";
  constexpr std::array<std::string_view, 2> kHidden{"Bcc", "Resent-Bcc"};
  for (const Field& field : fields_) {
    const bool hidden = std::ranges::any_of(
        kHidden, [&](std::string_view name) { return equals_ignoring_case(field.name, name); });
    const bool option =
        to_ascii_lower(field.name.substr(0, kOptionPrefix.size())).starts_with(kOptionPrefix);
    if (!hidden && !option) head += field.raw;
  }
  return head += kCrlf;
}

void SubmissionReader::emit(std::string_view octets, std::string& out) {
  if (octets.empty()) return;
  found_.has_leading_dot =
      found_.has_leading_dot || (at_line_start_ && octets.front() == '.') || octets.contains("\n.");
  at_line_start_ = octets.ends_with('\n');
  found_.is_eight_bit = found_.is_eight_bit || !is_ascii(octets);
  found_.octets += octets.size();
  out += octets;
}

Result<Submitted> SubmissionReader::finish(std::string& out) {
  if (after_cr_) return refuse_message("the message ends in the middle of a line");
  if (part_ == Part::head) {
    // Without a blank line; its last line may have no end (BDAT), and is completed.
    if (line_ < head_.size()) {
      head_ += kCrlf;
      const std::string_view line = std::string_view(head_).substr(line_);
      const bool continues = is_blank(line.front()) && !begins_.empty();
      if (!continues && name_size(line) == 0) {
        rest_ = line;
        head_.resize(line_);
      } else if (!continues) {
        begins_.push_back(line_);
      }
    }
    part_ = Part::body;
    if (auto done = end_head(out); !done) return fail(std::move(done.error()));
  }
  if (!at_line_start_) emit(kCrlf, out);
  return std::move(found_);
}

std::string received_field(const ReceivedFacts& facts) {
  // RFC 3848: ESMTP with S for TLS and A for AUTH; RFC 6531 section 4.3: UTF8SMTP.
  std::string with = facts.smtputf8 ? "UTF8SMTP" : (facts.esmtp ? "ESMTP" : "SMTP");
  if (!facts.tls.empty()) with += 'S';
  if (facts.authenticated) with += 'A';
  std::string from = facts.hello.empty() ? "unknown" : facts.hello.substr(0, 255);
  std::ranges::replace_if(
      from, [](char c) { return c <= ' ' || c > '~' || c == '(' || c == ')' || c == ';'; }, '?');
  std::string field = "Received: from " + from;
  if (!facts.client.empty()) {
    field += fmt::format("\r\n ({}{})", facts.client.contains(':') ? "[IPv6:" : "[", facts.client);
    field.insert(field.size() - 1, "]");
  }
  field += fmt::format("\r\n by {} with {}", facts.hostname, with);
  if (!facts.tls.empty()) field += fmt::format("\r\n (using {})", facts.tls);
  if (!facts.recipient.empty() && is_ascii(facts.recipient)) {
    field += fmt::format("\r\n for <{}>", facts.recipient);
  }
  field += ";\r\n ";
  mime::append_date(field, facts.now, 0);
  return field += kCrlf;
}

MailClass classify(const Submitted& message, std::optional<TrafficClass> said,
                   std::size_t recipients) {
  const bool for_many = message.looks_like_list || recipients > kRecipientsOfOneMax;
  const TrafficClass traffic =
      said.value_or(for_many ? TrafficClass::bulk : TrafficClass::transactional);
  const bool is_mailing = said ? traffic == TrafficClass::bulk : for_many;
  return {traffic, is_mailing ? Purpose::advertisement : Purpose::by_type};
}

}  // namespace todoku::intake::submission
