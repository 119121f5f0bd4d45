// SPDX-License-Identifier: Apache-2.0
// todoku dev list, todoku dev show: what a place to try in has caught (docs/sandbox.md).
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/printable_stream.h"
#include "cli/sender_commands.h"
#include "cli/shown_message.h"
#include "mime/shown_mail.h"

namespace todoku::cli {
namespace {

constexpr std::size_t kMessageOctetsMax = std::size_t{64} << 20U;
// Of a message's header, for people; all of it is in the message itself.
constexpr std::array<std::string_view, 8> kFieldsShown = {
    "From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "List-Unsubscribe"};

ApiRequest for_message(std::int64_t email) {
  return {.target = fmt::format("/deliveries/-/emails/{}/message.eml", email),
          .answered_in_message = true,
          .answer_max = kMessageOctetsMax};
}

struct CaughtMail {
  std::int64_t email = 0;
  std::string to;
  std::string status;
  std::string time;
  std::string from;  // as its receiver would read it, as is the subject
  std::string subject;
};

// The newest of the log; false after the sentences of a failure.
bool read_caught(ApiSession& api, std::int64_t limit, std::vector<CaughtMail>& caught) {
  TargetWriter target("/logs/mails/results");
  target.with("count", std::optional(limit));
  const auto page = api.ask({.target = target.take(), .answered_with = "data"});
  if (page == nullptr) return false;
  for (const auto& row : list_of(page->value, "data")) {
    caught.push_back({.email = number_of(row, "maillog_id"),
                      .to = text_of(row, "email"),
                      .status = text_of(row, "status"),
                      .time = text_of(row, "updated_time"),
                      .from = {},
                      .subject = {}});
  }
  return true;
}

// Of one that was never made, such as to an address on a list of suppressions, there is nothing.
void read_header(ApiSession& api, CaughtMail& mail) {
  const auto message = api.exchange(for_message(mail.email));
  if (!message) return;
  const mime::ShownMail shown = mime::shown_mail((*message)->answer.body);
  mail.from = shown.first("From");
  mail.subject = shown.first("Subject");
}

void print_caught(Session& session, const std::vector<CaughtMail>& caught) {
  if (caught.empty()) {
    session.say({"Nothing was caught yet.", "まだ何も捕まえていません。"});
    return;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ID", session.words({"TIME", "日時"}), session.words({"TO", "宛先"}),
       session.words({"STATUS", "状態"}), session.words({"FROM", "差出人"}),
       session.words({"SUBJECT", "件名"})}};
  for (const CaughtMail& mail : caught) {
    rows.push_back(
        {fmt::format("{}", mail.email), mail.time, mail.to, mail.status, mail.from, mail.subject});
  }
  print_table(session.out(), std::move(rows));
}

std::string caught_json(const std::vector<CaughtMail>& caught) {
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const CaughtMail& mail : caught) {
    json.begin_object();
    json.member("email_id", mail.email);
    json.member("to", mail.to);
    json.member("status", mail.status);
    json.member("updated_time", mail.time);
    json.member("from", mail.from);
    json.member("subject", mail.subject);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

void print_message(Session& session, const mime::ShownMail& mail) {
  for (const std::string_view name : kFieldsShown) {
    const std::string_view value = mail.first(name);
    if (!value.empty()) fmt::print(session.out(), "{}: {}\n", name, printable(value));
  }
  print_part(session, {"text", "テキスト"}, mail.text.text);
  print_part(session, {"HTML", "HTML"}, mail.html.text);
  for (const mime::ShownFile& file : mail.files) {
    fmt::print(session.out(), "\n--- {}: {}, {}\n", session.words({"file", "ファイル"}),
               printable(file.name), printable(file.type));
  }
  if (!mail.trouble.empty()) {
    session.say(
        {"Its parts are not shown: the message {}.", "内容は表示できません: the message {}"},
        mail.trouble);
  }
}

std::string message_json(std::int64_t email, const mime::ShownMail& mail) {
  http::JsonWriter json;
  json.begin_object();
  json.member("email_id", email);
  json.key("headers");
  json.begin_array();
  for (const mime::ShownField& field : mail.fields) {
    json.begin_object();
    json.member("name", field.name);
    json.member("value", field.value);
    json.end_object();
  }
  json.end_array();
  json.member("text_part", mail.text.text);
  json.member("html_part", mail.html.text);
  json.end_object();
  return json.take();
}

}  // namespace

int list_caught(Session& session, std::int64_t limit) {
  ApiSession api(session);
  std::vector<CaughtMail> caught;
  if (!read_caught(api, limit, caught)) return api.status();
  for (CaughtMail& mail : caught) read_header(api, mail);
  if (api.json()) {
    api.out() << printable_json(caught_json(caught)) << '\n';
  } else {
    print_caught(session, caught);
  }
  return kDone;
}

int show_caught(Session& session, std::int64_t email, const std::string& eml) {
  ApiSession api(session);
  const auto read = api.ask(for_message(email));
  if (read == nullptr) return api.status();
  if (!eml.empty()) {
    const auto written = put_message(session, eml, read->answer.body);
    return written ? kDone : api.fail_with(kWrongWords, written.error().detail);
  }
  const mime::ShownMail mail = mime::shown_mail(read->answer.body);
  if (api.json()) {
    api.out() << printable_json(message_json(email, mail)) << '\n';
  } else {
    print_message(session, mail);
  }
  return kDone;
}

}  // namespace todoku::cli
