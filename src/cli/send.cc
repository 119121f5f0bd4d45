// SPDX-License-Identifier: Apache-2.0
// todoku send
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/date_time.h"
#include "cli/api_session.h"
#include "cli/sender_commands.h"

namespace todoku::cli {
namespace {

void write_list(http::JsonWriter& json, std::string_view member,
                const std::vector<std::string>& values) {
  if (values.empty()) return;
  json.key(member);
  json.begin_array();
  for (const std::string& value : values) json.value(value);
  json.end_array();
}

Result<void> write_mail(http::JsonWriter& json, const Send& options, const MessageParts& parts,
                        const std::string& to) {
  json.begin_object();
  if (auto written = write_fields(json, options.fields, parts); !written) return written;
  json.member("to", to);
  write_list(json, "cc", options.cc);
  write_list(json, "bcc", options.bcc);
  if (auto written = write_insert_codes(json, options.insert_codes); !written) return written;
  if (auto written = write_data(json, options.data); !written) return written;
  if (!options.send_at.empty()) json.member("send_at", options.send_at);
  if (options.expires_in) json.member("expires_in", *options.expires_in);
  if (!options.reference.empty()) json.member("reference", options.reference);
  json.end_object();
  return {};
}

ApiRequest request_of_mails(const Send& options, std::string_view path) {
  return {.method = "POST",
          .target = "/deliveries/transaction" + std::string(path),
          .body = {},
          .idempotency_key = options.idempotency_key};
}

// Every option of a mail that is sent as text.
Result<void> check_send(const Send& options, const MessageParts& parts, Language language) {
  if (auto checked = check_encoding(options.fields, parts, language); !checked) return checked;
  std::vector<std::pair<std::string_view, std::string_view>> texts = {
      {"--send-at", options.send_at},
      {"--reference", options.reference},
      {"--idempotency-key", options.idempotency_key}};
  for (const std::string& to : options.to) texts.emplace_back("--to", to);
  for (const std::string& cc : options.cc) texts.emplace_back("--cc", cc);
  for (const std::string& bcc : options.bcc) texts.emplace_back("--bcc", bcc);
  for (const std::string& code : options.insert_codes) texts.emplace_back("--insert-code", code);
  for (const std::string& each : options.data) texts.emplace_back("--data", each);
  for (const auto& [option, text] : texts) {
    if (auto checked = check_encoding(option, text, language); !checked) return checked;
  }
  return {};
}

// The time that the engine has understood, which reads as this does: "2026-12-01" is its midnight
// in Japan.
void tell_start(ApiSession& api, const Send& options) {
  const auto start = parse_date_time(options.send_at);
  if (!start || api.json()) return;
  api.session().say({"To be sent at {}.", "{} に送信します。"}, format_date_time(*start));
}

int send_one(ApiSession& api, const Send& options, const MessageParts& parts) {
  http::JsonWriter json;
  if (const auto written = write_mail(json, options, parts, options.to.front()); !written) {
    return api.fail_with(kWrongWords, written.error().detail);
  }
  ApiRequest request = request_of_mails(options, "");
  request.answered_with = "delivery_id";
  set_body(request, json.take(), form_files(parts));
  return api.call(request, [&](const ReadAnswer& read) {
    api.session().say({"Accepted as delivery {}, Message-ID {}.",
                       "配信 {} として受け付けました。Message-ID は {} です。"},
                      number_of(read.value, "delivery_id"),
                      read.answer.headers.get("X-Todoku-Message-ID"));
    tell_start(api, options);
  });
}

// Of a batch that was taken in part or whole: a line for each, in the order of `to`.
int tell_batch(ApiSession& api, const Send& options, const ReadAnswer& read) {
  const auto& data = list_of(read.value, "data");
  bool refused = false;
  bool accepted = false;
  for (std::size_t i = 0; i < data.size() && i < options.to.size(); ++i) {
    if (const auto delivery = number_of(data[i], "delivery_id"); delivery > 0) {
      accepted = true;
      if (api.json()) continue;
      api.session().say({"{}: accepted as delivery {}, Message-ID {}.",
                         "{}: 配信 {} として受け付けました。Message-ID は {} です。"},
                        options.to[i], delivery, text_of(data[i], "message_id"));
      continue;
    }
    refused = true;
    for (const std::string& sentence : error_sentences(data[i])) {
      api.fail_with(kRefused, options.to[i] + ": " + sentence);
    }
  }
  if (accepted) tell_start(api, options);
  return refused ? kRefused : kDone;
}

// A mail for each recipient: none of them sees the others.
int send_each(ApiSession& api, const Send& options, const MessageParts& parts) {
  http::JsonWriter json;
  json.begin_object();
  json.key("mails");
  json.begin_array();
  for (const std::string& to : options.to) {
    if (const auto written = write_mail(json, options, parts, to); !written) {
      return api.fail_with(kWrongWords, written.error().detail);
    }
  }
  json.end_array();
  json.end_object();
  ApiRequest request = request_of_mails(options, "/batch");
  request.answered_with = "data";
  request.body = json.take();
  const auto read = api.ask(request);
  if (read == nullptr) return api.status();
  if (api.json()) api.print_json(*read);
  return tell_batch(api, options, *read);
}

}  // namespace

int send_mail(Session& session, const Send& options) {
  ApiSession api(session);
  const bool many = options.to.size() > 1;
  if (many && !(options.cc.empty() && options.bcc.empty() && options.fields.attach.empty())) {
    return api.fail_with(kWrongWords,
                         session.words({"--cc, --bcc and --attach go with one --to: each of "
                                        "several gets a mail of its own",
                                        "--cc、--bcc、--attach は --to が 1 つのときだけ使えます。"
                                        "複数の --to には 1 通ずつ別のメールを送ります"}));
  }
  const auto parts = read_parts(options.fields, session.host().input());
  if (!parts) return api.fail_with(kWrongWords, parts.error().detail);
  if (const auto checked = check_send(options, *parts, session.language()); !checked) {
    return api.fail_with(kWrongWords, checked.error().detail);
  }
  Send keyed = options;
  if (keyed.idempotency_key.empty()) keyed.idempotency_key = fresh_key();
  const int status = many ? send_each(api, keyed, *parts) : send_one(api, keyed, *parts);
  if (api.in_doubt()) {
    session.err() << session.words({"To send it, but not twice: the same again with "
                                    "--idempotency-key {}, within 24 hours. To look: todoku "
                                    "deliveries",
                                    "重複させずに送信するには、同じコマンドを --idempotency-key {} "
                                    "を付けて 24 時間以内に実行してください。確認するには: todoku "
                                    "deliveries"},
                                   keyed.idempotency_key)
                  << '\n';
  }
  return status;
}

}  // namespace todoku::cli
