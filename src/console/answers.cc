// SPDX-License-Identifier: Apache-2.0
#include "console/answers.h"

#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "access/roles.h"
#include "access/scopes.h"
#include "api/answers.h"
#include "base/date_time.h"

namespace todoku::console {
namespace {

// Of somebody who is known a code that is wrong says nothing against the sign-in.
bool is_known(const people::Refusal& refusal, const Asked& asked) {
  return refusal.forbidden || (asked.who != nullptr && !asked.who->is_half() &&
                               refusal.reason.en != people::texts::kSignedOut.en);
}

int status_of(const people::Refusal& refusal, const Asked& asked) {
  switch (refusal.kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::limit_exceeded:
      return 400;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::unauthorized:
      return is_known(refusal, asked) ? 403 : 401;
    default:
      return 503;
  }
}

void second_factor_members(http::JsonWriter& json, const people::SignedIn& who) {
  json.key("second_factor");
  json.begin_object();
  json.member("on", who.has_second_factor);
  json.member("required", who.second_factor_required);
  json.member("recovery_left", who.recovery_left);
  json.end_object();
}

void person_members(http::JsonWriter& json, const store::Person& person) {
  json.key("person");
  json.begin_object();
  json.member("id", static_cast<std::int64_t>(person.key));
  json.member("name", person.name);
  json.member("email", person.email);
  json.member("role", access::to_string(person.role));
  json.member("language", person.language);
  json.end_object();
}

void scopes_member(http::JsonWriter& json, store::Scopes scopes) {
  using enum store::Scope;
  json.key("scopes");
  json.begin_array();
  for (const store::Scope scope : {send, read, content, suppress, admin}) {
    if (store::has(scopes, scope)) json.value(access::to_string(scope));
  }
  json.end_array();
}

}  // namespace

http::Response refused(const Refusal& refusal, Language language) {
  return api::refused(refusal.status, refusal.text, language);
}

http::Response refused(const people::Refusal& refusal, const Asked& asked) {
  constexpr int kTooMany = 429;
  const bool is_in_time = refusal.kind == ErrorKind::limit_exceeded && refusal.wait.count() > 0;
  const int status = is_in_time ? kTooMany : status_of(refusal, asked);
  auto response = api::refused(status, refusal.reason, asked.language);
  if (is_in_time) {
    const auto wait = std::chrono::ceil<std::chrono::seconds>(refusal.wait);
    response.headers.set("Retry-After", std::to_string(wait.count()));
  }
  return response;
}

http::Response refused(int status, std::string_view en, std::string_view ja, const Asked& asked) {
  return api::refused(status, {std::string(en), std::string(ja)}, asked.language);
}

http::Response refused(Error error, const Asked& asked) {
  // Also of what somebody of the machine would be told without a full stop.
  auto refusal = people::refuse(std::move(error)).error();
  if (!refusal.reason.en.ends_with('.')) refusal.reason.en += '.';
  if (!refusal.reason.ja.ends_with("。")) refusal.reason.ja += "。";
  return refused(refusal, asked);
}

std::optional<http::Response> closed_to(const Asked& asked, bool is_for_owners) {
  if (const auto not_yet = not_whole(*asked.who)) return refused(*not_yet, asked.language);
  if (asked.who->is_operator()) return std::nullopt;
  if (is_for_owners && asked.who->person.role == store::Role::owner) return std::nullopt;
  return is_for_owners
             ? refused(403, "this is for owners of the account.",
                       "アカウントのオーナーだけが見ることができます。", asked)
             : refused(403, "this is for operators.", "運用者だけが見ることができます。", asked);
}

operate::Granter granter(const Asked& asked) {
  return {.asker = {.actor = people::actor_of(asked.who->person),
                    .origin = asked.visitor.from.to_string()},
          .holds = asked.console.grantable(*asked.who),
          .who = asked.who};
}

http::Response session(const Asked& asked, const people::SignedIn& who, std::string_view token) {
  http::JsonWriter json;
  json.begin_object();
  json.member("signed_in", true);
  json.member("half", who.is_half());
  json.member("must_set_up_second_factor", who.must_set_up_second_factor());
  json.member("token", token);
  json.member("version", asked.console.version());
  if (!who.is_half()) {
    person_members(json, who.person);
    if (who.account) {
      json.member("account", who.account->name);
    } else {
      json.null_member("account");
    }
    scopes_member(json, who.scopes);
  }
  second_factor_members(json, who);
  json.end_object();
  return http::Response::json(200, json.take());
}

void set_cookie(const Asked& asked, const people::Opened& opened, http::Response& response) {
  const Origin origin = asked.console.gate().origin_of(asked.request);
  response.headers.set("Set-Cookie", Gate::cookie_for(origin, opened.token));
}

http::Response opened(const Asked& asked, const people::Opened& opened) {
  auto response = session(asked, *opened.who, asked.console.gate().token_of(opened.token));
  set_cookie(asked, opened, response);
  return response;
}

std::string acting_as(const people::SignedIn& who) {
  return fmt::format("{}/{}", static_cast<std::int64_t>(who.person.key),
                     who.account ? std::string_view(who.account->name) : "");
}

std::optional<Refusal> otherwise_than(std::string_view said, const people::SignedIn& who) {
  if (said.empty() || said == acting_as(who)) return std::nullopt;
  return Refusal{409,
                 {"this browser is signed in as somebody else by now, or for another account: "
                  "nothing was done. Go back to them in any tab and try again, or load this page "
                  "again.",
                  "このブラウザーでは、別の利用者がサインインしたか、別のアカウントに切り替えられて"
                  "います。操作は実行されませんでした。いずれかのタブで元に戻してからやり直すか、"
                  "このページを再読み込みしてください。"}};
}

Task<people::Answer<void>> end_earlier(people::People& people, people::Who before,
                                       people::Visitor visitor) {
  if (before == nullptr || !before->is_whole()) co_return people::Answer<void>();
  const auto key = before->sign_in.key;
  auto ended = co_await people.end_sign_in(std::move(before), key, std::move(visitor));
  const bool has_ended_already = !ended && (ended.error().kind == ErrorKind::not_found ||
                                            ended.error().kind == ErrorKind::unauthorized);
  if (has_ended_already) co_return people::Answer<void>();
  co_return ended;
}

void instant_or_null(http::JsonWriter& json, std::string_view name,
                     const std::optional<Instant>& instant) {
  if (instant) {
    json.member(name, format_utc(*instant));
  } else {
    json.null_member(name);
  }
}

http::Response nothing() {
  http::Response response;
  response.status = 204;
  return response;
}

std::optional<Refusal> not_whole(const people::SignedIn& who) {
  const auto told = [](const Sentence& why) {
    return Refusal{403, {std::string(why.en), std::string(why.ja)}};
  };
  if (who.is_half()) return told(people::texts::kHalf);
  if (who.must_set_up_second_factor()) return told(people::texts::kSetUp);
  return std::nullopt;
}

}  // namespace todoku::console
