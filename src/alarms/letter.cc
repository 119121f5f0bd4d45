// SPDX-License-Identifier: Apache-2.0
#include "alarms/letter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/date_time.h"
#include "http/json.h"
#include "mime/date.h"

namespace todoku::alarms {
namespace {

void add_lines(std::string& text, const Alarm& alarm) {
  text += fmt::format("- {}\r\n", alarm.event);
  if (alarm.count > 1) {
    text += fmt::format("  {} times, {} to {}\r\n", alarm.count, format_date_time(alarm.first),
                        format_date_time(alarm.last));
  } else {
    text += fmt::format("  {}\r\n", format_date_time(alarm.last));
  }
  for (const std::string& earlier : alarm.earlier) text += fmt::format("  {}\r\n", earlier);
  if (!alarm.detail.empty()) text += fmt::format("  {}\r\n", alarm.detail);
}

std::string text_of(const Report& report, const std::string& host) {
  std::string text = fmt::format("The mail engine on {} says:\r\n\r\n", host);
  for (const Alarm& alarm : report.alarms) add_lines(text, alarm);
  if (!report.over.empty()) {
    text += "\r\nOver:\r\n";
    for (const Alarm& alarm : report.over) add_lines(text, alarm);
  }
  if (report.others > 0) {
    text += fmt::format("\r\nAnd {} more of other kinds: see the log.\r\n", report.others);
  }
  text += "\r\nThe log has each line; what to do: docs/runbooks.md.\r\n";
  return text;
}

void add_alarms(http::JsonWriter& json, std::string_view name, const std::vector<Alarm>& alarms) {
  json.key(name);
  json.begin_array();
  for (const Alarm& alarm : alarms) {
    json.begin_object();
    json.member("event", alarm.event);
    json.member("detail", alarm.detail);
    json.key("earlier");
    json.begin_array();
    for (const std::string& earlier : alarm.earlier) json.value(earlier);
    json.end_array();
    json.member("count", alarm.count);
    json.member("first", format_date_time(alarm.first));
    json.member("last", format_date_time(alarm.last));
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string subject_of(const Report& report, const std::string& host) {
  const std::size_t count = report.alarms.size() + (report.others > 0 ? 1 : 0);
  std::string subject = fmt::format("todoku on {}:", host);
  if (count > 0) subject += fmt::format(" {} alarm{}", count, count == 1 ? "" : "s");
  if (!report.over.empty()) {
    subject += fmt::format("{} {} over", count > 0 ? "," : "", report.over.size());
  }
  return subject;
}

std::string alarm_mail(const Report& report, const Envelope& envelope, Instant now) {
  std::string mail;
  mail += fmt::format("From: <{}>\r\n", envelope.from);
  mail += fmt::format("To: <{}>\r\n", fmt::join(envelope.to, ">,\r\n <"));
  mail += fmt::format("Subject: {}\r\n", subject_of(report, envelope.host));
  mail += "Date: ";
  mime::append_date(mail, now, 0);
  mail += "\r\n";
  mail += fmt::format("Message-ID: <{}>\r\n", envelope.message_id);
  mail += "Auto-Submitted: auto-generated\r\n";  // RFC 3834 section 5
  mail += "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
  mail += "Content-Transfer-Encoding: base64\r\n\r\n";
  append_base64_lines(mail, text_of(report, envelope.host));
  if (!mail.ends_with("\r\n")) mail += "\r\n";
  return mail;
}

std::string alarm_json(const Report& report, const std::string& host) {
  http::JsonWriter json;
  json.begin_object();
  json.member("host", host);
  add_alarms(json, "alarms", report.alarms);
  add_alarms(json, "over", report.over);
  json.member("others", report.others);
  json.end_object();
  return json.take();
}

}  // namespace todoku::alarms
