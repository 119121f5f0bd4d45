// SPDX-License-Identifier: Apache-2.0
#include "intake/report_mail.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "mail/address.h"
#include "mail/dsn.h"
#include "mime/line_scan.h"

namespace todoku::intake {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

Result<store::NewDelivery> delivery_of(const ReportMail& report) {
  mime::LineScan lines;
  auto sound = lines.update(report.octets);
  if (sound) sound = lines.finish();
  if (!sound) return fail("a report", std::move(sound.error()));
  const std::size_t head = report.octets.find(kHeadEnd);
  if (head == std::string::npos) {
    return fail(ErrorKind::invalid_input, "a report without a header section");
  }
  store::NewDelivery delivery{.account = report.account,
                              .type = DeliveryType::smtp,
                              .traffic = TrafficClass::transactional,
                              .labels = {.purpose = Purpose::transactional}};
  delivery.content.from = {report.from, {}};
  delivery.content.subject = report.subject;
  delivery.content.relayed = RelayedEnvelope{.mail_from = {},
                                             .smtputf8 = !is_ascii(report.to),
                                             .head_octets = head + kHeadEnd.size(),
                                             .has_leading_dot = lines.has_leading_dot(),
                                             .is_eight_bit = lines.is_eight_bit()};
  delivery.content.attachments.push_back({"", "message/rfc822", report.octets});
  return delivery;
}

}  // namespace

Result<store::Delivery> keep_report(store::WriteTransaction& transaction,
                                    const ReportMail& report) {
  const auto to = parse_address(report.to);
  if (!to) return fail("who is told", to.error());
  const auto delivery = delivery_of(report);
  if (!delivery) return fail(delivery.error());
  const std::array recipients{store::NewRecipient{
      .address = to->to_string(),
      .domain = to->domain,
      .insert_codes = {{std::string(kNotifyParameter), DsnNotify{DsnNotify::kNever}.to_string()}}}};
  auto kept = transaction.create_draft(*delivery, std::nullopt);
  if (!kept) return kept;
  const auto ids = transaction.append_recipients(kept->key, recipients);
  if (!ids) return fail(ids.error());
  auto committed = transaction.commit_draft(kept->key, std::nullopt, {});
  if (!committed) return fail(std::move(committed.error()));
  return kept;
}

}  // namespace todoku::intake
