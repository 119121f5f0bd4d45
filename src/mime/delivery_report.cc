// SPDX-License-Identifier: Apache-2.0
#include "mime/delivery_report.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/unitext.h"
#include "mime/date.h"
#include "mime/delivery_report_text.h"
#include "mime/extra_header.h"
#include "mime/header.h"
#include "mime/seven_bit.h"
#include "mime/text.h"
#include "mime/transfer_encoding.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kHostOctetsMax = 255;  // RFC 1035 section 2.3.4
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// A body part: its type, how it is encoded, and that.
struct ReportPart {
  std::string_view type;
  TransferEncoding encoding = TransferEncoding::seven_bit;
  std::string body;  // ends with CRLF
};

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= kHostOctetsMax && std::ranges::all_of(host, [](char c) {
    return is_ascii_alphanumeric(c) || c == '.' || c == '-';
  });
}

bool is_one_message_id(std::string_view id) {
  return !id.contains(' ') && check_header_value(HeaderForm::message_ids, id).has_value();
}

// Cannot be read as anything but lines that end with CRLF.
bool has_whole_lines(std::string_view text) {
  for (std::size_t at = text.find_first_of("\r\n"); at != std::string_view::npos;
       at = text.find_first_of("\r\n", at + 2)) {
    if (text.substr(at, 2) != "\r\n") return false;
  }
  return !text.contains('\0');
}

// May be a line of a message/rfc822 as it stands.
bool fits_in_lines(std::string_view text) {
  return has_whole_lines(text) && line_traits(text).longest_line <= kLineOctetsMax;
}

std::string with_line_end(std::string_view text) {
  std::string whole(text);
  if (!whole.ends_with("\r\n")) whole += "\r\n";
  return whole;
}

// Beyond ASCII each character becomes a question mark.
std::string ascii_only(std::string_view text) {
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::max<std::size_t>(decode_utf8(text).octets, 1))) {
    out += is_ascii(text.substr(0, 1)) ? text.front() : '?';
  }
  return out;
}

std::string ascii_line(std::string_view text, std::size_t octets_max) {
  return ascii_only(report_line(text, octets_max));
}

// ---- the part for machines ---------------------------------------------------------------------

bool is_global(const ReportedRecipient& recipient) {
  return !is_ascii(recipient.address) ||
         (recipient.original && !is_ascii(recipient.original->address));
}

void append_status_line(std::string& out, std::string_view name, std::string_view value) {
  fmt::format_to(std::back_inserter(out), "{}: {}\r\n", name, value);
}

void append_status_date(std::string& out, std::string_view name, const DeliveryReport& report,
                        Instant when) {
  out += name;
  out += ": ";
  append_date(out, when, report.date_offset_minutes);
  out += "\r\n";
}

// RFC 3464 section 2.2.
void append_message_fields(std::string& out, const DeliveryReport& report) {
  const std::string envelope_id = ascii_line(report.envelope_id, kEnvidOctetsMax);
  if (!envelope_id.empty()) append_status_line(out, "Original-Envelope-Id", envelope_id);
  append_status_line(out, "Reporting-MTA", "dns; " + report.host);
  if (report.arrival) append_status_date(out, "Arrival-Date", report, *report.arrival);
}

// RFC 3464 section 2.3.1: the type of an address says how to read it.
std::string typed_address(std::string_view type, std::string_view address) {
  // RFC 6533 section 3: with letters beyond ASCII for message/global-delivery-status; without any
  // it is ASCII, as message/delivery-status wants it.
  if (!is_ascii(address) || equals_ignoring_case(type, "utf-8")) {
    return "utf-8;" + report_line(to_unitext(address, Unitext::eight_bit), kOrcptOctetsMax);
  }
  return ascii_line(type, kOrcptOctetsMax) + "; " + ascii_line(address, kOrcptOctetsMax);
}

// RFC 3464 section 2.3.4: the class agrees with the action. A failure may be of a class 4 whose
// time is over.
EnhancedStatus status_of(const ReportedRecipient& recipient) {
  const EnhancedStatus& given = recipient.status;
  switch (recipient.action) {
    case ReportAction::failed:
      return given.klass == 4 || given.klass == 5 ? given : EnhancedStatus{5, 0, 0};
    case ReportAction::delayed:
      return given.klass == 4 ? given : EnhancedStatus{4, 0, 0};
    case ReportAction::relayed:
    case ReportAction::delivered:
      break;
  }
  return given.klass == 2 ? given : EnhancedStatus{2, 0, 0};
}

// RFC 3464 section 2.3.
void append_recipient_fields(std::string& out, const DeliveryReport& report,
                             const ReportedRecipient& recipient) {
  if (recipient.original) {
    append_status_line(out, "Original-Recipient",
                       typed_address(recipient.original->type, recipient.original->address));
  }
  append_status_line(out, "Final-Recipient", typed_address("rfc822", recipient.address));
  append_status_line(out, "Action", to_string(recipient.action));
  append_status_line(out, "Status", status_of(recipient).to_string());
  if (const std::string host = ascii_line(recipient.remote_mta, kHostOctetsMax); !host.empty()) {
    append_status_line(out, "Remote-MTA", "dns; " + host);
  }
  if (const std::string said = ascii_only(reply_line(recipient.reply)); !said.empty()) {
    append_words(out, "Diagnostic-Code",
                 (recipient.reply.code == 0 ? "X-Todoku; " : "smtp; ") + said);
  }
  if (recipient.last_attempt) {
    append_status_date(out, "Last-Attempt-Date", report, *recipient.last_attempt);
  }
  if (recipient.action == ReportAction::delayed && recipient.retry_until) {
    append_status_date(out, "Will-Retry-Until", report, *recipient.retry_until);
  }
}

ReportPart machine_part(const DeliveryReport& report,
                        std::span<const ReportedRecipient> recipients) {
  std::string fields;
  append_message_fields(fields, report);
  for (const ReportedRecipient& recipient : recipients) {
    fields += "\r\n";
    append_recipient_fields(fields, report, recipient);
  }
  // Once and for all recipients: RFC 3464 section 2.1 wants 7-bit, RFC 6533 section 4 takes any.
  if (std::ranges::none_of(recipients, is_global)) {
    return {"message/delivery-status", TransferEncoding::seven_bit, std::move(fields)};
  }
  ReportPart part{"message/global-delivery-status", TransferEncoding::quoted_printable, {}};
  append_quoted_printable(part.body, fields);
  return part;
}

// ---- the mail ----------------------------------------------------------------------------------

// With the blank line, if there is one.
std::string_view head_of(std::string_view mail) {
  if (mail.starts_with("\r\n")) return mail.substr(0, 2);
  const std::size_t end = mail.find(kHeadEnd);
  return end == std::string_view::npos ? mail : mail.substr(0, end + kHeadEnd.size());
}

// Of a head that is too large the first lines.
std::string_view bounded_head(std::string_view mail) {
  std::string_view head = head_of(mail);
  if (head.ends_with(kHeadEnd)) head.remove_suffix(2);
  if (head.size() <= kReturnedHeadOctetsMax) return head;
  head = head.substr(0, kReturnedHeadOctetsMax);
  const std::size_t last = head.rfind("\r\n");
  return last == std::string_view::npos ? head : head.substr(0, last + 2);
}

// With its 8-bit parts encoded, as for a receiver without 8BITMIME; nullopt: that cannot be.
std::optional<std::string> in_seven_bits(std::string_view mail) {
  SevenBitScan scan(WireOctets::seven_bit);
  if (!scan.update(mail)) return std::nullopt;
  auto plan = scan.finish();
  if (!plan) return std::nullopt;
  SevenBitWriter writer(std::move(*plan));
  std::string out;
  if (!writer.update(mail, out) || !writer.finish(out)) return std::nullopt;
  return out;
}

std::optional<ReportPart> whole_mail(std::string_view mail) {
  if (mail.size() > kReturnedMailOctetsMax) return std::nullopt;
  if (is_ascii(mail) && fits_in_lines(mail)) {
    return ReportPart{"message/rfc822", TransferEncoding::seven_bit, with_line_end(mail)};
  }
  if (const auto encoded = in_seven_bits(mail)) {
    return ReportPart{"message/rfc822", TransferEncoding::seven_bit, with_line_end(*encoded)};
  }
  // RFC 2046 section 5.2.1 allows no encoding of message/rfc822, RFC 6532 section 3.7 one of
  // message/global.
  const std::string_view head = head_of(mail);
  if (is_ascii(head) || !is_utf8(head) || !has_whole_lines(mail)) return std::nullopt;
  ReportPart part{"message/global", TransferEncoding::base64, {}};
  append_base64_lines(part.body, mail);
  return part;
}

ReportPart header_section(std::string_view mail) {
  const std::string_view head = bounded_head(mail);
  if (is_ascii(head) && fits_in_lines(head)) {
    return {"text/rfc822-headers", TransferEncoding::seven_bit, with_line_end(head)};
  }
  // RFC 6522 section 4 allows this where 7 bits are not enough, RFC 6533 section 5 in any case.
  const bool global = !is_ascii(head) && is_utf8(head);
  ReportPart part{global ? "message/global-headers" : "text/rfc822-headers",
                  TransferEncoding::quoted_printable,
                  {}};
  append_quoted_printable(part.body, head);
  part.body = with_line_end(part.body);
  return part;
}

std::optional<ReportPart> returned_part(const DeliveryReport& report) {
  if (report.mail.empty()) return std::nullopt;
  // RFC 3461 section 4.3: RET speaks of reports of failure; with others the header section comes.
  const bool wants_whole = report.returned != DsnReturn::hdrs && report.mail_is_whole &&
                           tells_of(report, ReportAction::failed);
  std::optional<ReportPart> part;
  if (wants_whole) part = whole_mail(report.mail);
  return part ? part : header_section(report.mail);
}

ReturnedPart kind_of(const std::optional<ReportPart>& part) {
  if (!part) return ReturnedPart::none;
  return part->type.ends_with("headers") ? ReturnedPart::header_section : ReturnedPart::whole_mail;
}

// ---- the whole ---------------------------------------------------------------------------------

ReportPart human_part(const DeliveryReport& report, ReturnedPart returned) {
  const std::string text = report_text(report, returned);
  ReportPart part{"text/plain; charset=utf-8", TransferEncoding::base64, {}};
  if (!is_ascii(text)) {
    append_base64_lines(part.body, text);
  } else {
    part.encoding = TransferEncoding::quoted_printable;
    append_quoted_printable(part.body, text);
  }
  return part;
}

// In no part, by its making; looked for all the same, because the mail may have been made for it.
std::string boundary_for(const DeliveryReport& report, std::span<const ReportPart> parts) {
  for (unsigned i = 0;; ++i) {
    std::string boundary(kBoundaryPrefix);
    boundary +=
        sha256_hex(fmt::format("{} {} {}", i, report.message_id, report.mail)).substr(0, 32);
    const auto has = [&](const ReportPart& part) { return part.body.contains(boundary); };
    if (std::ranges::none_of(parts, has)) return boundary;
  }
}

void append_head(std::string& out, const DeliveryReport& report, std::string_view report_type,
                 std::string_view boundary) {
  append_status_date(out, "Date", report, report.date);
  FoldedLine from(out, "From");
  // UTF-8 can say everything.
  static_cast<void>(append_mailbox(from, reporter_name(report.language),
                                   "MAILER-DAEMON@" + report.host, Encoding::utf_8));
  from.finish();
  FoldedLine to(out, "To");
  append_address(to, report.to);
  to.finish();
  static_cast<void>(append_unstructured(out, "Subject", report_subject(report), Encoding::utf_8));
  append_status_line(out, "Message-ID", report.message_id);
  if (is_one_message_id(report.message_id_of_mail)) {
    append_status_line(out, "In-Reply-To", report.message_id_of_mail);
    append_status_line(out, "References", report.message_id_of_mail);
  }
  // RFC 3834 section 5.1: nobody answers a machine.
  append_status_line(out, "Auto-Submitted", "auto-replied");
  append_status_line(out, "MIME-Version", "1.0");
  fmt::format_to(std::back_inserter(out),
                 "Content-Type: multipart/report; report-type={};\r\n boundary=\"{}\"\r\n\r\n",
                 report_type, boundary);
}

Result<void> check_report(const DeliveryReport& report) {
  const auto refuse = [](std::string detail) {
    return fail(ErrorKind::invalid_input, std::move(detail));
  };
  if (report.recipients.empty()) return refuse("a report has no recipient to tell of");
  if (!is_host(report.host)) return refuse("the reporting host has no name");
  if (!is_one_message_id(report.message_id)) return refuse("a report has no message id");
  if (const auto to = parse_address(report.to); !to) return fail("who is told", to.error());
  return {};
}

}  // namespace

std::string_view to_string(ReportAction action) {
  switch (action) {
    case ReportAction::failed:
      return "failed";
    case ReportAction::delayed:
      return "delayed";
    case ReportAction::relayed:
      return "relayed";
    case ReportAction::delivered:
      return "delivered";
  }
  return "failed";
}

Result<std::string> compose_delivery_report(const DeliveryReport& report) {
  if (auto sound = check_report(report); !sound) return fail(std::move(sound.error()));
  const auto recipients = std::span(report.recipients)
                              .first(std::min(report.recipients.size(), kReportedRecipientsMax));
  std::optional<ReportPart> mail = returned_part(report);
  std::vector<ReportPart> parts;
  parts.push_back(human_part(report, kind_of(mail)));
  parts.push_back(machine_part(report, recipients));
  if (mail) parts.push_back(std::move(*mail));

  const std::string boundary = boundary_for(report, parts);
  std::string out;
  // RFC 6522 section 3: "message/" left out, the type of the second part.
  append_head(out, report, parts[1].type.substr(parts[1].type.find('/') + 1), boundary);
  for (const ReportPart& part : parts) {
    fmt::format_to(std::back_inserter(out),
                   "--{}\r\nContent-Type: {}\r\nContent-Transfer-Encoding: {}\r\n\r\n", boundary,
                   part.type, to_string(part.encoding));
    out += part.body;
    // RFC 2046 section 5.1.1: the line end before a delimiter is not the part's.
    out += "\r\n";
  }
  out += "--" + boundary + "--\r\n";
  return out;
}

}  // namespace todoku::mime
