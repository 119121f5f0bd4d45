// SPDX-License-Identifier: Apache-2.0
#include "intake/submission/reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "intake/submission/options.h"
#include "mail/attached.h"
#include "mime/date.h"
#include "mime/encoded_words.h"
#include "mime/header.h"
#include "mime/mailbox_list.h"

namespace todoku::intake::submission {
namespace {

constexpr std::string_view kCrlf = "\r\n";
constexpr std::size_t kNameTold = 80;  // of a field, to the client
// What a refusal for want of an address ends with.
std::string no_address(const SubmissionRules& rules) {
  if (rules.by_request) return ", and the request names no sender";
  if (rules.device_domain.empty()) {
    return ", and the credential none for it: todoku smtp-credential change --from ADDRESS";
  }
  return fmt::format(
      ", and this listener for devices adds none: set the sender at the device, to an address of "
      "{} (the listener's from_domain)",
      rules.device_domain);
}

std::unexpected<Error> unsound(const Error& clause) {
  return fail(clause.kind, "the message " + clause.detail);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Bcc would tell who else got it, and X-Todoku-* is said to us.
bool is_taken_out(std::string_view name) {
  return equals_ignoring_case(name, "Bcc") || equals_ignoring_case(name, "Resent-Bcc") ||
         equals_ignoring_case(name.substr(0, kOptionPrefix.size()), kOptionPrefix);
}

// Without its comments (RFC 5322 section 3.2.2) and the blanks around.
std::string without_comments(std::string_view value) {
  std::string left;
  std::size_t depth = 0;
  for (std::size_t at = 0; at < value.size(); ++at) {
    const char c = value[at];
    if (depth > 0 && c == '\\') {
      ++at;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth == 0 && !(is_blank(c) && left.empty())) {
      left += c;
    }
  }
  while (!left.empty() && is_blank(left.back())) left.pop_back();
  return left;
}

// As it is compared: lower case, without quotes and without the dot of the root.
std::string host_in(std::string_view word) {
  std::string host = to_ascii_lower(word);
  std::erase_if(host, [](char c) { return c == '"' || c == '\\'; });
  if (host.ends_with('.')) host.pop_back();
  return host;
}

// Whether a "by" in a Received field (RFC 5321 section 4.4) says one of these names: the first need
// not be the clause, since a client may call itself "by". Comments are none of it.
bool is_by(std::string_view received, const std::vector<std::string>& names) {
  std::size_t depth = 0;
  bool after_by = false;
  for (std::size_t at = 0; at < received.size();) {
    const char c = received[at];
    if (c == '(') ++depth;
    if (c == ')' && depth > 0) --depth;
    if (c == ';' && depth == 0) return false;  // the date
    std::size_t end = at;
    while (end < received.size() && !is_blank(received[end]) &&
           !std::string_view("();").contains(received[end])) {
      ++end;
    }
    if (depth == 0 && end > at) {
      const std::string word = host_in(received.substr(at, end - at));
      if (after_by && std::ranges::find(names, word) != names.end()) return true;
      after_by = word == "by";
    }
    at = std::max(end, at + 1);
  }
  return false;
}

// An address that 7-bit mail cannot say (RFC 6532) stands there as it is, without a name.
std::string written(std::string_view name, const Mailbox& mailbox) {
  const auto spec = mime::sender_addr_spec(mailbox.address);
  if (!spec) return fmt::format("{}: {}\r\n", name, mailbox.address);
  std::string field;
  mime::FoldedLine line(field, name);
  if (!mime::append_mailbox(line, mailbox.name, *spec, mime::Encoding::utf_8)) {
    return fmt::format("{}: {}\r\n", name, *spec);
  }
  line.finish();
  return field;
}

}  // namespace

SubmissionReader::SubmissionReader(SubmissionRules rules) : rules_(std::move(rules)) {}

Result<void> SubmissionReader::take(std::string_view octets, std::string& out) {
  if (part_ == Part::head) {
    // The protocol has seen to line ends already: what is refused here would be a mistake of ours.
    if (const auto sound = coming_.update(octets); !sound) return unsound(sound.error());
    if (auto done = take_head(octets); !done) return done;
    if (part_ == Part::head) return {};
    if (auto done = end_head(out); !done) return done;
  }
  return emit(octets, out);
}

Result<void> SubmissionReader::take_head(std::string_view& octets) {
  while (!octets.empty() && part_ == Part::head) {
    const std::size_t end = octets.find('\n');
    const std::size_t size = end == std::string_view::npos ? octets.size() : end + 1;
    if (head_.size() + size > kHeadOctetsMax) {
      return fail(ErrorKind::limit_exceeded,
                  fmt::format("the header section is larger than {} octets", kHeadOctetsMax));
    }
    head_ += octets.substr(0, size);
    octets.remove_prefix(size);
    if (end == std::string_view::npos) return {};
    if (auto taken = take_line(); !taken) return taken;
    if (begins_.size() > kFieldsMax) {
      return fail(ErrorKind::limit_exceeded,
                  fmt::format("the message has more than {} header fields", kFieldsMax));
    }
  }
  return {};
}

Result<void> SubmissionReader::take_line() {
  const std::string_view line = std::string_view(head_).substr(line_);
  ++lines_;
  if (line == kCrlf) {
    head_.resize(line_);
    part_ = Part::body;
    return {};
  }
  const bool continues = is_blank(line.front()) && !begins_.empty();
  if (!continues && mime::field_name(line).empty()) {
    return fail(ErrorKind::invalid_input,
                fmt::format("line {} of the message is no header field, and no blank line is "
                            "before it (RFC 5322 section 2.2)",
                            lines_));
  }
  if (!continues) begins_.push_back(line_);
  line_ = head_.size();
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
    fields_.push_back({mime::field_name(raw), raw});
  }
  if (auto judged = judge_fields(); !judged) return judged;
  if (auto done = emit(written_head(), out); !done) return done;
  // RFC 5321 section 4.5.3.1.6; no encoding makes them fit, and folding would break signatures.
  if (going_.has_long_line()) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the message has a header line of over {} octets: it is to be folded",
                            mime::kWireLineOctetsMax));
  }
  found_.head_octets = going_.octets();
  std::vector<Field>().swap(fields_);
  std::vector<std::size_t>().swap(begins_);
  std::string().swap(head_);  // up to a megabyte, for each message that is on its way
  return {};
}

Result<void> SubmissionReader::judge_fields() {
  if (auto good = judge_from(); !good) return good;
  if (auto good = judge_sender(); !good) return good;
  if (auto good = find_recipients(); !good) return good;
  if (auto good = judge_characters(); !good) return good;
  if (auto good = judge_hops(); !good) return good;
  if (auto good = judge_options(); !good) return good;
  find_facts();
  return {};
}

Result<void> SubmissionReader::judge_from() {
  const auto refuse = [](std::string why) {
    return fail(ErrorKind::invalid_input, "the From field " + std::move(why));
  };
  const auto count = std::ranges::count_if(
      fields_, [](const Field& field) { return equals_ignoring_case(field.name, "From"); });
  // Readers differ in which of them they show.
  if (count > 1) return fail(ErrorKind::invalid_input, "the message has more than one From field");
  if (count == 0) {
    if (rules_.from_address.empty()) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("the message has no From field (RFC 5322 section 3.6){}",
                              no_address(rules_)));
    }
    found_.from = {rules_.from_address, {}};
    replaces_from_ = true;
    return {};
  }
  auto mailboxes = mime::parse_mailbox_list(value_of(*first("From")));
  if (!mailboxes) return refuse(mailboxes.error().detail);
  if (mailboxes->size() != 1) {
    return refuse(fmt::format("has {} addresses, it must have one", mailboxes->size()));
  }
  mime::ListedMailbox& from = mailboxes->front();
  if (from.in_group) return refuse("has a group, it must have one address");
  if (!from.is_qualified) {
    if (rules_.from_address.empty()) {
      return refuse(fmt::format("has an address without its domain{}", no_address(rules_)));
    }
    from.mailbox.address = rules_.from_address;
    replaces_from_ = true;
  }
  found_.from = std::move(from.mailbox);
  return {};
}

// Readers show it beside From ("on behalf of"), so it is judged as From is, and completed.
Result<void> SubmissionReader::judge_sender() {
  const auto count = std::ranges::count_if(
      fields_, [](const Field& field) { return equals_ignoring_case(field.name, "Sender"); });
  if (count == 0) return {};
  if (count > 1) {
    return fail(ErrorKind::invalid_input, "the message has more than one Sender field");
  }
  auto mailboxes = mime::parse_mailbox_list(value_of(*first("Sender")));
  if (!mailboxes) {
    return fail(ErrorKind::invalid_input, "the Sender field " + mailboxes.error().detail);
  }
  if (mailboxes->size() != 1 || mailboxes->front().in_group) {
    return fail(ErrorKind::invalid_input, "the Sender field must have one address");
  }
  mime::ListedMailbox& sender = mailboxes->front();
  if (!sender.is_qualified) {
    if (rules_.from_address.empty()) {
      return fail(
          ErrorKind::invalid_input,
          fmt::format("the Sender field has an address without its domain{}", no_address(rules_)));
    }
    sender.mailbox.address = rules_.from_address;
    replaces_sender_ = true;
  }
  found_.sender = std::move(sender.mailbox);
  return {};
}

// RFC 5322 section 3.6.3. A field may be there several times, as some programs write it.
Result<void> SubmissionReader::find_recipients() {
  if (!rules_.to_whom_it_names) return {};
  for (const Field& field : fields_) {
    const bool is_wanted = equals_ignoring_case(field.name, "To") ||
                           equals_ignoring_case(field.name, "Cc") ||
                           equals_ignoring_case(field.name, "Bcc");
    if (!is_wanted) continue;
    auto listed = mime::parse_mailbox_list(value_of(field));
    if (!listed) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("the {} field {}", field.name, listed.error().detail));
    }
    for (mime::ListedMailbox& each : *listed) {
      if (found_.recipients.size() == kRecipientsOfOneMax) {
        return fail(ErrorKind::invalid_input,
                    fmt::format("the fields To, Cc and Bcc name more than {} recipients",
                                kRecipientsOfOneMax));
      }
      found_.recipients.push_back(std::move(each.mailbox.address));
    }
  }
  return {};
}

// RFC 6531 section 3.4: fields beyond ASCII go with SMTPUTF8 only. They have no other form, so a
// receiver would get what it has not agreed to. What is no UTF-8 is in no form at all (RFC 6532
// section 3).
Result<void> SubmissionReader::judge_characters() const {
  for (const Field& field : fields_) {
    if (is_ascii(field.raw) || is_taken_out(field.name)) continue;
    if (rules_.smtputf8 && is_utf8(field.raw)) continue;
    if (rules_.smtputf8) {
      return fail(ErrorKind::unsupported,
                  fmt::format("the {} field is neither ASCII nor UTF-8: it is to be encoded "
                              "(RFC 2047)",
                              field.name.substr(0, kNameTold)));
    }
    return fail(ErrorKind::unsupported,
                fmt::format("the {} field is not ASCII, and SMTPUTF8 was not said at MAIL: it is "
                            "to be encoded (RFC 2047)",
                            field.name.substr(0, kNameTold)));
  }
  return {};
}

// RFC 5321 section 6.3.
Result<void> SubmissionReader::judge_hops() const {
  std::size_t hops = 0;
  std::size_t through_us = 0;
  for (const Field& field : fields_) {
    if (!equals_ignoring_case(field.name, "Received")) continue;
    ++hops;
    if (is_by(value_of(field), rules_.own_names)) ++through_us;
  }
  if (hops > kHopsMax) {
    return fail(ErrorKind::conflict,
                fmt::format("the message goes in a loop: it has {} Received fields", hops));
  }
  if (through_us > kHopsThroughUsMax) {
    return fail(ErrorKind::conflict,
                fmt::format("the message goes in a loop: it was here {} times", through_us));
  }
  return {};
}

Result<void> SubmissionReader::judge_options() {
  OptionReader options(rules_.allowed_options);
  for (const Field& field : fields_) {
    if (!equals_ignoring_case(field.name.substr(0, kOptionPrefix.size()), kOptionPrefix)) continue;
    const auto taken = options.take(field.name.substr(kOptionPrefix.size()), value_of(field));
    if (!taken) return taken;
  }
  found_.unheard = options.unheard();
  found_.options = options.finish();
  return {};
}

std::string SubmissionReader::from_shown() const {
  constexpr std::size_t kShown = 200;
  const Field* const from = first("From");
  if (from == nullptr) return {};
  return printable(utf8_prefix(mime::decode_header_text(value_of(*from)), kShown));
}

// What stands between the angle brackets, where it has them (RFC 5322 section 3.6.4); of several
// fields the first.
std::string SubmissionReader::message_id() const {
  const Field* const field = first("Message-ID");
  if (field == nullptr) return rules_.message_id;
  std::string id = without_comments(value_of(*field));
  if (id.starts_with('<')) id = id.substr(1, id.find('>') - 1);
  const bool is_printable = std::ranges::all_of(id, [](char c) { return c >= ' ' && c <= '~'; });
  return is_printable && id.size() <= kRelayedMessageIdOctetsMax ? id : std::string();
}

void SubmissionReader::find_facts() {
  found_.message_id = message_id();
  if (const Field* const subject = first("Subject")) {
    found_.subject = mime::decode_header_text(value_of(*subject));
  }
  const auto is_bulk = [this](const Field& field) {
    return equals_ignoring_case(field.name, "Precedence") &&
           equals_ignoring_case(without_comments(value_of(field)), "bulk");
  };
  found_.looks_like_list = first("List-Unsubscribe") != nullptr || first("List-Id") != nullptr ||
                           std::ranges::any_of(fields_, is_bulk);
}

std::string SubmissionReader::written_head() const {
  std::string head = rules_.received;
  if (first("Date") == nullptr) {
    head += "Date: ";
    mime::append_date(head, rules_.now, 0);
    head += kCrlf;
  }
  if (first("Message-ID") == nullptr) head += "Message-ID: <" + rules_.message_id + ">\r\n";
  if (replaces_from_) head += written("From", found_.from);
  if (replaces_sender_) head += written("Sender", *found_.sender);
  for (const Field& field : fields_) {
    if (is_taken_out(field.name)) continue;
    if (replaces_from_ && equals_ignoring_case(field.name, "From")) continue;
    if (replaces_sender_ && equals_ignoring_case(field.name, "Sender")) continue;
    head += field.raw;
  }
  return head += kCrlf;
}

Result<void> SubmissionReader::emit(std::string_view octets, std::string& out) {
  if (const auto sound = going_.update(octets); !sound) return unsound(sound.error());
  out += octets;
  return {};
}

Result<Submitted> SubmissionReader::finish(std::string& out) {
  const mime::LineScan& lines = part_ == Part::head ? coming_ : going_;
  if (const auto sound = lines.finish(); !sound) return unsound(sound.error());
  if (part_ == Part::head) {
    // It has no blank line; its last line may have no end (BDAT), and is completed.
    if (line_ < head_.size()) {
      head_ += kCrlf;
      if (auto taken = take_line(); !taken) return fail(std::move(taken.error()));
    }
    part_ = Part::body;
    if (auto done = end_head(out); !done) return fail(std::move(done.error()));
  }
  if (!going_.is_at_line_start()) {
    if (auto done = emit(kCrlf, out); !done) return fail(std::move(done.error()));
  }
  found_.octets = going_.octets();
  found_.has_leading_dot = going_.has_leading_dot();
  found_.is_eight_bit = going_.is_eight_bit();
  found_.has_long_line = going_.has_long_line();
  return std::move(found_);
}

}  // namespace todoku::intake::submission
