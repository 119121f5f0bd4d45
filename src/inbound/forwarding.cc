// SPDX-License-Identifier: Apache-2.0
#include "inbound/forwarding.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "feedback/parse/mail_parts.h"
#include "mail/address.h"
#include "mail/content.h"
#include "mail/suppression.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/seven_bit.h"
#include "mime/text.h"

namespace todoku::inbound {
namespace {

constexpr std::size_t kSubjectOctetsMax = 400;

// Where an answer goes: the last address in angle brackets, or all of the field. Empty: none that
// a header of 7 bits can say.
std::string address_of_field(std::string_view field) {
  const std::size_t open = field.rfind('<');
  if (open != std::string_view::npos) field = field.substr(open + 1);
  const auto address = parse_address(trim(field.substr(0, field.find('>'))));
  if (!address || address->domain.empty()) return {};
  const auto written = mime::sender_addr_spec(address->to_string());
  return written && is_ascii(*written) ? *written : std::string();
}

std::string answer_to(const feedback::parse::MailFields& fields) {
  std::string address = address_of_field(fields.first("reply-to"));
  return address.empty() ? address_of_field(fields.first("from")) : address;
}

// As it stands where that is of 7 bits, else with the parts that are not encoded anew; nullopt:
// that would change what its signature says, or nobody can tell its parts.
std::optional<std::string> in_seven_bits(std::string_view octets) {
  mime::SevenBitScan scan(mime::WireOctets::seven_bit);
  if (!scan.update(octets)) return std::nullopt;
  auto plan = scan.finish();
  if (!plan) return std::nullopt;
  if (plan->changes_nothing()) return std::string(octets);
  mime::SevenBitWriter writer(std::move(*plan));
  std::string out;
  if (!writer.update(octets, out) || !writer.finish(out)) return std::nullopt;
  return out;
}

// RFC 2046 section 5.2.1 allows message/rfc822 no encoding: what needs one comes as a file, which
// mail programs open as what it is.
void append_enclosed(std::string& out, std::string_view octets) {
  const auto whole = in_seven_bits(octets);
  if (whole && is_ascii(*whole)) {
    out +=
        "Content-Type: message/rfc822\r\n"
        "Content-Disposition: attachment; filename=\"mail.eml\"\r\n\r\n";
    out += *whole;
    if (!whole->ends_with("\r\n")) out += "\r\n";
    return;
  }
  out +=
      "Content-Type: application/octet-stream; name=\"mail.eml\"\r\n"
      "Content-Disposition: attachment; filename=\"mail.eml\"\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\n";
  append_base64_lines(out, octets);
}

std::string said_of(const ForwardedFor& why, std::string_view domain) {
  if (!why.quarantined_as) {
    return fmt::format(
        "The enclosed mail came to an address of {} that people write to about abuse and "
        "trouble.\r\n",
        domain);
  }
  // Of 7 bits whatever the filter wrote.
  std::string reason(*why.quarantined_as);
  for (char& c : reason) c = c >= ' ' && c <= '~' ? c : '?';
  return fmt::format(
      "A filter held back the enclosed mail, which came to {}, for somebody to look at: \"{}\".\r\n"
      "Nothing else was made of it.\r\n",
      domain, reason);
}

}  // namespace

Result<bool> is_stopped_forward(store::ReadTransaction& reader, const InboundOptions& options) {
  const auto account = reader.account_by_name(options.forward_account);
  if (!account) return fail(account.error());
  const std::string subject = subject_of_address(options.forward_to);
  const auto stopping = reader.stops_of(account->key, std::span(&subject, 1));
  if (!stopping) return fail(stopping.error());
  return std::ranges::any_of(*stopping, [](const store::StoppedSubject& each) {
    return stops(each.entry.scope, each.entry.list_id, Purpose::transactional, {});
  });
}

std::string stopped_forward(std::string_view forward_to, std::string_view account) {
  return fmt::format(
      "inbound.forward_to: {0} is on a suppression list, so that mail to abuse@ and postmaster@ is "
      "answered 451 (todoku suppression look {0} --account {1}, then remove)",
      forward_to, account);
}

Forwarded forwarded_mail(std::string_view octets, const ForwardedFor& why, std::string_view id,
                         Instant now, const InboundOptions& options) {
  const auto fields = feedback::parse::read_fields(octets);
  const std::string& domain = options.domains.front();
  Forwarded mail{.from = "postmaster@" + domain,
                 .subject = mime::header_text(fields.first("subject")),
                 .octets = {}};
  mail.subject.resize(utf8_prefix(mail.subject, kSubjectOctetsMax).size());
  if (trim(mail.subject).empty()) {
    mail.subject = fmt::format("Mail to abuse or postmaster at {}", domain);
  }
  if (why.quarantined_as) mail.subject = "[quarantine] " + mail.subject;
  const std::string boundary = fmt::format("todoku-{}", id);
  std::string date;
  mime::append_date(date, now, 0);
  mail.octets = fmt::format("From: <{}>\r\nTo: <{}>\r\n", mail.from, options.forward_to);
  if (const std::string answer = answer_to(fields); !answer.empty()) {
    mail.octets += fmt::format("Reply-To: <{}>\r\n", answer);
  }
  // UTF-8 says everything.
  (void)mime::append_unstructured(mail.octets, "Subject", mail.subject, Encoding::utf_8);
  // RFC 3834 section 5: whoever answers by itself does not answer this.
  mail.octets += fmt::format(
      "Date: {0}\r\nMessage-ID: <{1}@{2}>\r\n"
      "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/mixed; boundary=\"{3}\"\r\n\r\n"
      "--{3}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n{4}"
      "It was handed in by {5}. An answer to this mail goes to whom it names as its sender.\r\n\r\n"
      "--{3}\r\n",
      date, id, domain, boundary, said_of(why, domain), why.client);
  append_enclosed(mail.octets, octets);
  mail.octets += fmt::format("--{}--\r\n", boundary);
  return mail;
}

}  // namespace todoku::inbound
