// SPDX-License-Identifier: Apache-2.0
// todoku preview, todoku lint (docs/preview.md)
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/judgement.h"
#include "cli/sender_commands.h"
#include "cli/shown_message.h"
#include "cli/user_files.h"
#include "mime/insert_code.h"

namespace todoku::cli {
namespace {

constexpr std::size_t kContentOctetsMax = std::size_t{32} << 20U;

bool is_delivery(std::string_view target) {
  return !target.empty() && target.size() <= 16 && target.front() != '0' &&
         std::ranges::all_of(target, [](char c) { return c >= '0' && c <= '9'; });
}

// The values that stand in the place of a recipient's, as a body.
Result<std::string> body_of_values(Session& session, const Preview& options) {
  for (const std::string& code : options.insert_codes) {
    auto checked = check_encoding("--insert-code", code, session.language());
    if (!checked) return fail(std::move(checked.error()));
  }
  for (const std::string& each : options.data) {
    auto checked = check_encoding("--data", each, session.language());
    if (!checked) return fail(std::move(checked.error()));
  }
  http::JsonWriter json;
  json.begin_object();
  if (auto written = write_insert_codes(json, options.insert_codes); !written) {
    return fail(std::move(written.error()));
  }
  if (auto written = write_data(json, options.data); !written) {
    return fail(std::move(written.error()));
  }
  json.end_object();
  return json.take();
}

// The request, whose path ends in `what`. Errors: a sentence for the user.
Result<ApiRequest> request_for(Session& session, const Preview& options, std::string_view what) {
  ApiRequest request{.method = "POST", .target = {}, .body = {}, .idempotency_key = {}};
  request.answered_with = "";
  std::string path;
  const bool has_values = !options.insert_codes.empty() || !options.data.empty();
  if (is_delivery(options.target)) {
    path = fmt::format("/deliveries/{}/{}", options.target, what);
    if (has_values) {
      auto values = body_of_values(session, options);
      if (!values) return fail(std::move(values.error()));
      request.body = std::move(*values);
    }
  } else {
    path = fmt::format("/deliveries/-/{}", what);
    if (has_values) {
      return fail(ErrorKind::invalid_input,
                  session.words({"--insert-code and --data go with a delivery; write insert_code "
                                 "or data into the file",
                                 "--insert-code と --data は配信の番号とともに使います。ファイル"
                                 "には insert_code か data を書いてください"}));
    }
    auto content = read_octets(options.target, session.host().input(), kContentOctetsMax);
    if (!content) return fail(std::move(content.error()));
    auto checked = check_encoding(options.target, *content, session.language());
    if (!checked) return fail(std::move(checked.error()));
    request.body = std::move(*content);
  }
  TargetWriter target(std::move(path));
  target.with("email", options.email);
  if (!options.eml.empty()) target.with("format", "eml");
  request.target = target.take();
  return request;
}

// What the API did not read of it, a member that it does not know here.
void tell_unread(Session& session, const ApiAnswer& answer) {
  const std::string names = printable(answer.headers.get("X-Todoku-Unknown-Fields"));
  if (names.empty()) return;
  session.err() << session.words({"Not read, as a preview has no such member: {}",
                                  "プレビューにない項目のため無視しました: {}"},
                                 names)
                << '\n';
}

// `code` has no value.
void print_missing_code(Session& session, std::string_view code) {
  if (mime::is_brace_key(code)) {
    session.say({"{} has no value for this recipient, and the template no default: a row without "
                 "it is refused.",
                 "この宛先には {} の値がなく、テンプレートに既定値もありません。値のない行は受け"
                 "付けられません。"},
                printable(code));
    return;
  }
  session.say({"{} has no value for this recipient: it is sent as it is written, or with a "
               "template the recipient is refused.",
               "この宛先には {} の値がありません。そのままの文字で届きます（テンプレートを使う"
               "場合、値のない宛先は受け付けられません）。"},
              printable(code));
}

void print_shown_mail(Session& session, const boost::json::value& preview) {
  for (const auto& field : list_of(preview, "headers")) {
    fmt::print(session.out(), "{}: {}\n", printable(text_of(field, "name")),
               printable(text_of(field, "value")));
  }
  print_part(session, {"text", "テキスト"}, text_of(preview, "text_part"));
  print_part(session, {"HTML", "HTML"}, text_of(preview, "html_part"));
  for (const auto& file : list_of(preview, "files")) {
    fmt::print(session.out(), "\n--- {}: {}, {}\n", session.words({"file", "ファイル"}),
               printable(text_of(file, "file_name")), printable(text_of(file, "mime")));
  }
  if (const std::string why = text_of(preview, "not_read_because"); !why.empty()) {
    session.say(
        {"Its parts are not shown: the message {}.", "内容は表示できません: the message {}"}, why);
  }
  fmt::print(session.out(), "\n");
  for (const auto& code : list_of(preview, "missing_codes")) {
    if (code.is_string()) print_missing_code(session, std::string_view(code.get_string()));
  }
  session.say({"For {}; {} octets. Signatures and links of ours are not real ones.",
               "宛先 {}、{} オクテット。署名と配信停止などのリンクは本物ではありません。"},
              printable(text_of(preview, "email")), number_of(preview, "size"));
}

}  // namespace

int show_preview(Session& session, const Preview& options) {
  ApiSession api(session);
  auto request = request_for(session, options, "preview");
  if (!request) return api.fail_with(kWrongWords, request.error().detail);
  if (options.eml.empty()) {
    request->answered_with = "headers";
    const auto read = api.ask(*request);
    if (read == nullptr) return api.status();
    if (api.json()) {
      api.print_json(*read);
    } else {
      print_shown_mail(session, read->value);
    }
    tell_unread(session, read->answer);
    return kDone;
  }
  request->answered_in_message = true;
  const auto read = api.ask(*request);
  if (read == nullptr) return api.status();
  tell_unread(session, read->answer);
  const auto written = put_message(session, options.eml, read->answer.body);
  if (!written) return api.fail_with(kWrongWords, written.error().detail);
  return kDone;
}

int lint_mail(Session& session, const Preview& options) {
  ApiSession api(session);
  auto request = request_for(session, options, "lint");
  if (!request) return api.fail_with(kWrongWords, request.error().detail);
  request->answered_with = "findings";
  const auto read = api.ask(*request);
  if (read == nullptr) return api.status();
  if (api.json()) {
    api.print_json(*read);
  } else {
    print_judgement(session, read->value);
  }
  tell_unread(session, read->answer);
  return status_of_judgement(read->value);
}

}  // namespace todoku::cli
