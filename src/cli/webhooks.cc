// SPDX-License-Identifier: Apache-2.0
// todoku webhook list|add|test|calls|enable|disable|set-aside|rotate|replay|remove
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/sender_commands.h"
#include "http/query.h"

namespace todoku::cli {
namespace {

void write_words(http::JsonWriter& json, std::string_view member,
                 const std::vector<std::string>& words) {
  if (words.empty()) return;
  json.key(member);
  json.begin_array();
  for (const std::string& word : words) json.value(word);
  json.end_array();
}

std::string of_webhook(const std::string& webhook, std::string_view rest = "") {
  return fmt::format("/webhooks/{}{}", http::percent_encode(webhook), rest);
}

std::string joined(const boost::json::array& words) {
  std::string out;
  for (const auto& word : words) {
    if (!word.is_string()) continue;
    if (!out.empty()) out += ' ';
    out += word.get_string();
  }
  return out;
}

// What is shown once.
void show_secret(Session& session, ApiSession& api, const boost::json::value& issued) {
  fmt::print(api.out(), "webhook     {}\n", text_of(issued, "webhook"));
  for (const std::string_view name : {"secret", "public_key"}) {
    const std::string value = text_of(issued, name);
    if (!value.empty()) fmt::print(api.out(), "{:<11} {}\n", name, value);
  }
  if (!text_of(issued, "secret").empty()) {
    session.say({"The secret is shown only now.", "シークレットを表示するのは今回だけです。"});
  }
}

// What came of a call: the status of the answer, or why there is none.
std::string outcome_of(const boost::json::value& call) {
  const std::int64_t status = number_of(call, "status");
  return status > 0 ? fmt::format("{}", status) : text_of(call, "failure");
}

}  // namespace

int webhook_list(Session& session) {
  ApiSession api(session);
  return api.call({.target = "/webhooks"}, [&](const ReadAnswer& read) {
    std::vector<std::vector<std::string>> rows = {
        {"WEBHOOK", session.words({"STATUS", "状態"}), session.words({"FORM", "形式"}),
         session.words({"REFUSED", "拒否"}), "URL", session.words({"KINDS", "種類"})}};
    for (const auto& each : list_of(read.value, "data")) {
      rows.push_back({text_of(each, "webhook"), text_of(each, "status"), text_of(each, "form"),
                      fmt::format("{}", number_of(each, "refused")), text_of(each, "url"),
                      joined(list_of(each, "kinds"))});
    }
    print_table(api.out(), std::move(rows));
  });
}

int webhook_add(Session& session, const WebhookAdd& options) {
  ApiSession api(session);
  http::JsonWriter json;
  json.begin_object();
  json.member("url", options.url);
  if (!options.form.empty()) json.member("form", options.form);
  if (!options.signature.empty()) json.member("signature", options.signature);
  write_words(json, "kinds", options.kinds);
  write_words(json, "tags", options.tags);
  write_words(json, "domains", options.domains);
  write_words(json, "purposes", options.purposes);
  if (options.insert_codes) json.member("insert_codes", true);
  if (options.single) json.member("single", true);
  json.end_object();
  return api.call({.method = "POST",
                   .target = "/webhooks",
                   .body = json.take(),
                   .idempotency_key = fresh_key()},
                  [&](const ReadAnswer& read) { show_secret(session, api, read.value); });
}

int webhook_test(Session& session, const std::string& webhook) {
  ApiSession api(session);
  const auto read =
      api.ask({.method = "POST", .target = of_webhook(webhook, "/test"), .body = "{}"});
  if (read == nullptr) return api.status();
  const bool accepted = truth_of(read->value, "accepted");
  if (api.json()) {
    api.print_json(*read);
  } else {
    const auto* object = read->value.if_object();
    const auto* call = object == nullptr ? nullptr : object->if_contains("call");
    const std::string outcome = call == nullptr ? "" : printable(outcome_of(*call));
    const std::int64_t took = call == nullptr ? 0 : number_of(*call, "took_ms");
    if (accepted) {
      session.say({"It took the test event: {}, after {} ms.",
                   "テストイベントを受け取りました: {}（{} ミリ秒）。"},
                  outcome, took);
    } else {
      session.say({"It did not take the test event: {}, after {} ms.",
                   "テストイベントを受け取りませんでした: {}（{} ミリ秒）。"},
                  outcome, took);
    }
  }
  return accepted ? kDone : kRefused;
}

int webhook_calls(Session& session, const std::string& webhook) {
  ApiSession api(session);
  return api.call({.target = of_webhook(webhook, "/calls")}, [&](const ReadAnswer& read) {
    std::vector<std::vector<std::string>> rows = {
        {session.words({"TIME", "日時"}), session.words({"TYPE", "種別"}),
         session.words({"EVENTS", "件数"}), session.words({"OUTCOME", "結果"}),
         session.words({"MS", "ミリ秒"})}};
    for (const auto& call : list_of(read.value, "data")) {
      rows.push_back({text_of(call, "time"), text_of(call, "type"),
                      fmt::format("{}", number_of(call, "events")), outcome_of(call),
                      fmt::format("{}", number_of(call, "took_ms"))});
    }
    print_table(api.out(), std::move(rows));
  });
}

namespace {

int switch_webhook(Session& session, const std::string& webhook, bool enabled) {
  ApiSession api(session);
  return api.call({.method = "PATCH",
                   .target = of_webhook(webhook),
                   .body = enabled ? R"({"enabled":true})" : R"({"enabled":false})"},
                  [&](const ReadAnswer& read) {
                    fmt::print(api.out(), "{} {}\n", text_of(read.value, "webhook"),
                               text_of(read.value, "status"));
                  });
}

}  // namespace

int webhook_enable(Session& session, const std::string& webhook) {
  return switch_webhook(session, webhook, true);
}

int webhook_disable(Session& session, const std::string& webhook) {
  return switch_webhook(session, webhook, false);
}

int webhook_rotate(Session& session, const std::string& webhook,
                   std::optional<std::int64_t> overlap_hours) {
  ApiSession api(session);
  http::JsonWriter json;
  json.begin_object();
  if (overlap_hours) json.member("overlap_hours", *overlap_hours);
  json.end_object();
  return api.call({.method = "POST",
                   .target = of_webhook(webhook, "/rotate"),
                   .body = json.take(),
                   .idempotency_key = fresh_key()},
                  [&](const ReadAnswer& read) { show_secret(session, api, read.value); });
}

int webhook_set_aside(Session& session, const std::string& webhook) {
  ApiSession api(session);
  return api.call({.target = of_webhook(webhook, "/set_aside")}, [&](const ReadAnswer& read) {
    std::vector<std::vector<std::string>> rows = {
        {session.words({"TIME", "日時"}), session.words({"EVENT", "イベント"})}};
    for (const auto& each : list_of(read.value, "data")) {
      rows.push_back({text_of(each, "time"), text_of(each, "event_id")});
    }
    print_table(api.out(), std::move(rows));
    if (!text_of(read.value, "next").empty()) {
      session.say(
          {"There are more: after a replay of these (webhook replay --set-aside) the next "
           "are shown.",
           "続きがあります。これらを再送（webhook replay --set-aside）すると次が表示され"
           "ます。"});
    }
  });
}

int webhook_replay(Session& session, const std::string& webhook, const WebhookReplay& order) {
  ApiSession api(session);
  http::JsonWriter json;
  json.begin_object();
  if (!order.from.empty()) json.member("from", order.from);
  if (order.delivery) json.member("delivery_id", *order.delivery);
  write_words(json, "events", order.events);
  if (order.set_aside) json.member("set_aside", true);
  json.end_object();
  return api.call({.method = "POST",
                   .target = of_webhook(webhook, "/replay"),
                   .body = json.take(),
                   .idempotency_key = fresh_key()},
                  [&](const ReadAnswer& read) {
                    const auto* object = read.value.if_object();
                    const auto* events =
                        object == nullptr ? nullptr : object->if_contains("events");
                    if (events != nullptr && events->is_int64()) {
                      session.say({"{} events are told again.", "{} 件のイベントを再送します。"},
                                  events->get_int64());
                    } else {
                      session.say({"They are told again.", "イベントを再送します。"});
                    }
                  });
}

int webhook_remove(Session& session, const std::string& webhook) {
  ApiSession api(session);
  return api.call({.method = "DELETE", .target = of_webhook(webhook)}, [&](const ReadAnswer&) {
    session.say({"{} is removed.", "{} を削除しました。"}, webhook);
  });
}

}  // namespace todoku::cli
