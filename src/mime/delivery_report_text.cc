// SPDX-License-Identifier: Apache-2.0
#include "mime/delivery_report_text.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mime/date.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kAddressOctetsMax = 500;

struct ActionWords {
  ReportAction action;
  Sentence subject;
  Sentence heading;
};
// The worst first.
constexpr std::array<ActionWords, 4> kActionWords{
    {{ReportAction::failed,
      {"Your mail could not be delivered", "メールをお届けできませんでした"},
      {"Your mail could not be delivered to the following recipients. It will not be tried again.",
       "次の宛先にメールをお届けできませんでした。再送は行いません。"}},
     {ReportAction::delayed,
      {"Your mail is delayed", "メールの配信が遅れています"},
      {"Your mail has not reached the following recipients yet. It will be tried again by itself, "
       "so you need not send it again.",
       "次の宛先にまだメールをお届けできていません。自動的に再送しますので、"
       "もう一度お送りいただく必要はありません。"}},
     {ReportAction::relayed,
      {"Your mail was passed on", "メールを宛先のサーバーに引き渡しました"},
      {"Your mail was passed on to the mail servers of the following recipients, which do not "
       "report whether it reaches the mailbox.",
       "次の宛先のメールサーバーにメールを引き渡しました。"
       "その先でメールボックスに届いたかどうかは通知されません。"}},
     {ReportAction::delivered,
      {"Your mail was delivered", "メールをお届けしました"},
      {"Your mail was delivered to the following recipients.",
       "次の宛先にメールをお届けしました。"}}}};

std::span<const ReportedRecipient> listed(const DeliveryReport& report) {
  return std::span(report.recipients)
      .first(std::min(report.recipients.size(), kReportedRecipientsMax));
}

void append_dated(std::string& out, const DeliveryReport& report, Sentence words, Instant when) {
  out += "    ";
  out += words.in(report.language);
  append_date(out, when, report.date_offset_minutes);
  out += "\r\n";
}

void append_recipient(std::string& out, const DeliveryReport& report,
                      const ReportedRecipient& recipient) {
  constexpr Sentence kSentAs{" (sent to ", "(元の宛先: "};
  constexpr Sentence kSentAsEnd{")", ")"};
  constexpr Sentence kAnswered{"The mail server {} answered:", "メールサーバー {} の応答:"};
  constexpr Sentence kNobody{"Reason:", "理由:"};
  constexpr Sentence kUntil{"It is tried until ", "再送の期限: "};
  const Language language = report.language;
  out += "  <" + report_line(recipient.address, kAddressOctetsMax) + ">";
  if (recipient.original && !equals_ignoring_case(recipient.original->address, recipient.address)) {
    out += kSentAs.in(language);
    out += report_line(recipient.original->address, kAddressOctetsMax);
    out += kSentAsEnd.in(language);
  }
  out += "\r\n";
  if (!recipient.explanation.empty()) {
    out += "    " + report_line(recipient.explanation, kReportedTextOctetsMax) + "\r\n";
  }
  if (const std::string reply = reply_line(recipient.reply); !reply.empty()) {
    const bool answered = recipient.reply.code != 0 && !recipient.remote_mta.empty();
    out += "    ";
    out += answered ? fmt::format(fmt::runtime(kAnswered.in(language)),
                                  report_line(recipient.remote_mta, kAddressOctetsMax))
                    : std::string(kNobody.in(language));
    out += "\r\n      " + reply + "\r\n";
  }
  if (recipient.action == ReportAction::delayed && recipient.retry_until) {
    append_dated(out, report, kUntil, *recipient.retry_until);
  }
}

void append_mail_facts(std::string& out, const DeliveryReport& report, ReturnedPart returned) {
  constexpr Sentence kAbout{"About your mail:", "対象のメール:"};
  constexpr Sentence kArrived{"accepted on ", "受付日時: "};
  constexpr Sentence kSubject{"Subject: ", "件名: "};
  constexpr Sentence kNumber{"kept as delivery ", "配信番号: "};
  constexpr Sentence kWhole{"It is attached as it was sent.",
                            "お送りいただいたメールの全体を添付しています。"};
  constexpr Sentence kHead{"Its header section is attached.",
                           "お送りいただいたメールのヘッダーを添付しています。"};
  const Language language = report.language;
  const bool is_named = !report.message_id_of_mail.empty() || !report.subject_of_mail.empty() ||
                        report.number_of_mail != 0;
  if (!report.arrival && !is_named && returned == ReturnedPart::none) return;
  out += kAbout.in(language);
  out += "\r\n";
  if (report.arrival) append_dated(out, report, kArrived, *report.arrival);
  if (!report.subject_of_mail.empty()) {
    out += "    ";
    out += kSubject.in(language);
    out += report_line(report.subject_of_mail, kReportedTextOctetsMax) + "\r\n";
  }
  if (report.number_of_mail != 0) {
    out += fmt::format("    {}{}\r\n", kNumber.in(language), report.number_of_mail);
  }
  if (!report.message_id_of_mail.empty()) {
    out += "    Message-ID: " + report_line(report.message_id_of_mail, 900) + "\r\n";
  }
  if (returned == ReturnedPart::none) return;
  out += "    ";
  out += (returned == ReturnedPart::whole_mail ? kWhole : kHead).in(language);
  out += "\r\n";
}

}  // namespace

std::string_view reporter_name(Language language) {
  constexpr Sentence kName{"Mail Delivery System", "メール配信システム"};
  return kName.in(language);
}

bool tells_of(const DeliveryReport& report, ReportAction action) {
  return std::ranges::any_of(report.recipients,
                             [&](const ReportedRecipient& each) { return each.action == action; });
}

std::string_view report_subject(const DeliveryReport& report) {
  for (const ActionWords& words : kActionWords) {
    if (tells_of(report, words.action)) return words.subject.in(report.language);
  }
  return kActionWords.front().subject.in(report.language);
}

std::string report_line(std::string_view text, std::size_t octets_max) {
  // Cleaning may make it longer, so nothing beyond that is looked at.
  std::string line = header_text(utf8_prefix(text, octets_max));
  line.resize(utf8_prefix(line, octets_max).size());
  const auto last = line.find_last_not_of(' ');
  line.resize(last == std::string::npos ? 0 : last + 1);
  return line;
}

std::string reply_line(const Reply& reply) {
  if (reply.code == 0) return report_line(reply.text, kReportedTextOctetsMax);
  return report_line(fmt::format("{} {}", reply.code, reply.text), kReportedTextOctetsMax);
}

std::string report_text(const DeliveryReport& report, ReturnedPart returned) {
  constexpr Sentence kGreeting{"This is the mail system at {}.\r\n\r\n",
                               "{} のメール配信システムからのお知らせです。\r\n\r\n"};
  constexpr Sentence kMore{"And {} more recipients, who are not listed here.\r\n\r\n",
                           "このほか {} 件の宛先は、ここには記載していません。\r\n\r\n"};
  const Language language = report.language;
  std::string out = fmt::format(fmt::runtime(kGreeting.in(language)), report.host);
  for (const ActionWords& words : kActionWords) {
    const auto told = [&](const ReportedRecipient& each) { return each.action == words.action; };
    if (std::ranges::none_of(listed(report), told)) continue;
    out += words.heading.in(language);
    out += "\r\n\r\n";
    for (const ReportedRecipient& recipient : listed(report)) {
      if (!told(recipient)) continue;
      append_recipient(out, report, recipient);
      out += "\r\n";
    }
  }
  if (const std::size_t more = report.recipients.size() - listed(report).size(); more > 0) {
    out += fmt::format(fmt::runtime(kMore.in(language)), more);
  }
  append_mail_facts(out, report, returned);
  return out;
}

}  // namespace todoku::mime
