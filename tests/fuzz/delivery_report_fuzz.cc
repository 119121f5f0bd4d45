// SPDX-License-Identifier: Apache-2.0
// A report of any replies, addresses and mails: the message keeps its form and its parts, and what
// machines read of a recipient is what was to be told.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "mime/delivery_report.h"
#include "mime/test_reader.h"

namespace {

// Cuts the next piece off, up to a NUL.
std::string take(std::string_view& rest) {
  const std::string piece(rest.substr(0, rest.find('\0')));
  rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
  return piece;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  using namespace todoku::mime;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  if (rest.empty()) return 0;
  const auto choices = static_cast<std::uint8_t>(rest.front());
  rest.remove_prefix(1);
  DeliveryReport report;
  report.language = (choices & 1U) != 0 ? Language::japanese : Language::english;
  report.host = "mx.example.jp";
  report.to = "sender@example.com";
  report.message_id = "<report-1@mx.example.jp>";
  report.envelope_id = take(rest);
  report.message_id_of_mail = take(rest);
  ReportedRecipient recipient;
  recipient.action = static_cast<ReportAction>((choices >> 1U) & 3U);
  recipient.address = take(rest);
  recipient.remote_mta = take(rest);
  recipient.reply = {(choices & 8U) != 0 ? 550 : 0, take(rest)};
  recipient.explanation = take(rest);
  if ((choices & 16U) != 0) {
    const std::string type = take(rest);
    recipient.original = OriginalRecipient{type, take(rest)};
  }
  report.recipients.assign((choices & 32U) != 0 ? kReportedRecipientsMax + 1 : 1, recipient);
  report.returned = (choices & 64U) != 0 ? DsnReturn::hdrs : DsnReturn::full;
  report.mail_is_whole = true;
  report.mail = rest;

  const auto composed = compose_delivery_report(report);
  check(composed.has_value(), "whatever is told of, a report can be made");
  check(composed->size() <= kDeliveryReportOctetsMax, "it is bounded");
  check(test::form_problem(*composed, 990).empty(), "it is 7-bit in lines");
  const test::Entity whole = test::read_entity(*composed);
  check(whole.count("From") == 1 && whole.count("To") == 1 && whole.count("Subject") == 1,
        "its fields are its own");
  const auto parts = test::read_parts(whole);
  check(parts.size() == (report.mail.empty() ? 2U : 3U), "it has its parts");
  const auto text = test::read_content(parts[0]);
  check(text && is_utf8(*text), "people can read it");
  const auto fields = test::read_content(parts[1]);
  check(fields.has_value(), "machines can read it");
  test::Entity group = test::read_entity(*fields);
  check(group.count("Reporting-MTA") == 1, "it says who reports");
  std::size_t recipients = 0;
  for (; !group.body.empty(); ++recipients) {
    group = test::read_entity(std::string(group.body));
    check(group.count("Final-Recipient") == 1 && group.count("Status") == 1 &&
              group.field("Action") == to_string(recipient.action),
          "it says what became of the recipient");
  }
  check(recipients == ((choices & 32U) != 0 ? kReportedRecipientsMax : 1), "of each that it lists");
  return 0;
}
