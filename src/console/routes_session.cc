// SPDX-License-Identifier: Apache-2.0
// Signing in and out, and where one is signed in.
#include <array>
#include <utility>

#include "console/answers.h"
#include "console/calls.h"
#include "console/console.h"

namespace todoku::console {
namespace {

using people::People;

Task<http::Response> show_session(Asked asked) {
  if (asked.who != nullptr) {
    co_return session(asked, *asked.who, asked.console.gate().token_of(asked.cookie));
  }
  const auto first_run = co_await asked.console.people().is_first_run();
  if (!first_run) co_return refused(first_run.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  json.member("signed_in", false);
  json.member("first_run", *first_run);
  json.member("version", asked.console.version());
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> sign_in(Asked asked) {
  const people::Who before = std::exchange(asked.who, nullptr);
  People& people = asked.console.people();
  const auto in = co_await people.sign_in(asked.given.text("email"),
                                          asked.given.take_secret("password"), asked.visitor);
  if (!in) co_return refused(in.error(), asked);
  const auto ended = co_await end_earlier(people, before, asked.visitor);
  if (!ended) co_return refused(ended.error(), asked);
  co_return opened(asked, *in);
}

Task<http::Response> second_factor(Asked asked) {
  const bool is_code = asked.given.find("code") != nullptr;
  const bool is_recovery = asked.given.find("recovery_code") != nullptr;
  if (is_code == is_recovery) {
    co_return refused(400, "give code or recovery_code, one of them.",
                      "codeとrecovery_codeのどちらか一方を指定してください。", asked);
  }
  People& people = asked.console.people();
  if (is_recovery) {
    const auto in =
        co_await people.recover(asked.who, asked.given.take_secret("recovery_code"), asked.visitor);
    co_return in ? opened(asked, *in) : refused(in.error(), asked);
  }
  const auto in =
      co_await people.second_factor(asked.who, asked.given.take_secret("code"), asked.visitor);
  co_return in ? opened(asked, *in) : refused(in.error(), asked);
}

Task<http::Response> sign_out(Asked asked) {
  const auto out = co_await asked.console.people().sign_out(asked.who, asked.visitor);
  if (!out) co_return refused(out.error(), asked);
  auto response = nothing();
  response.headers.set("Set-Cookie",
                       Gate::no_cookie(asked.console.gate().origin_of(asked.request)));
  co_return response;
}

Task<http::Response> list_sign_ins(Asked asked) {
  const auto list = co_await asked.console.people().sign_ins(asked.who);
  if (!list) co_return refused(list.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  json.key("sign_ins");
  json.begin_array();
  for (const store::SignIn& each : *list) {
    json.begin_object();
    json.member("id", static_cast<std::int64_t>(each.key));
    instant_or_null(json, "created", each.created);
    instant_or_null(json, "used", each.used);
    json.member("from", each.from);
    json.member("agent", each.agent);
    json.member("current", each.key == asked.who->sign_in.key);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> end_sign_in(Asked asked) {
  const store::SignInKey key{asked.given.number("id").value_or(0)};
  const auto ended = co_await asked.console.people().end_sign_in(asked.who, key, asked.visitor);
  co_return ended ? nothing() : refused(ended.error(), asked);
}

Task<http::Response> end_others(Asked asked) {
  const auto ended = co_await asked.console.people().end_other_sign_ins(asked.who, asked.visitor);
  if (!ended) co_return refused(ended.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  json.member("ended", *ended);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

constexpr std::array kSessionRoutes{
    RouteOf{http::Method::get, Wanted::look, false, &calls::kSession, show_session},
    RouteOf{http::Method::post, Wanted::enter, false, &calls::kSignIn, sign_in},
    RouteOf{http::Method::delete_, Wanted::change, true, &calls::kSignOut, sign_out},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kSecondFactor, second_factor},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kSignIns, list_sign_ins},
    RouteOf{http::Method::delete_, Wanted::change, true, &calls::kEndSignIns, end_others},
    RouteOf{http::Method::delete_, Wanted::change, true, &calls::kEndSignIn, end_sign_in},
};

}  // namespace

std::span<const RouteOf> session_routes() {
  return kSessionRoutes;
}

}  // namespace todoku::console
