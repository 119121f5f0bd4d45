// SPDX-License-Identifier: Apache-2.0
// Links that are good once: what one is for, and using it. Looking uses up nothing, so that a
// program that opens the links of mails leaves them good; a link is used by a POST alone.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "console/answers.h"
#include "console/calls.h"
#include "console/console.h"

namespace todoku::console {
namespace {

std::string_view word_of(store::LinkPurpose purpose) {
  switch (purpose) {
    case store::LinkPurpose::first_operator:
      return "first_operator";
    case store::LinkPurpose::invitation:
      return "invitation";
    case store::LinkPurpose::reset:
      return "reset";
    case store::LinkPurpose::confirm:
      return "confirm";
  }
  return "";
}

Task<http::Response> look_at_link(Asked asked) {
  const auto link = co_await asked.console.people().look_at_link(asked.given.take_secret("token"));
  if (!link) co_return refused(link.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  json.member("purpose", word_of(link->purpose));
  if (!link->email.empty()) json.member("email", link->email);
  if (!link->name.empty()) json.member("name", link->name);
  if (!link->account.empty()) json.member("account", link->account);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

// Of a link that signs nobody in, who was signed in still is.
Task<http::Response> use_link(Asked asked) {
  people::LinkUse use{.token = asked.given.take_secret("token"),
                      .password = asked.given.take_secret("password"),
                      .name = asked.text_if_given("name"),
                      .email = asked.text_if_given("email"),
                      .language = asked.text_if_given("language")};
  const auto used = co_await asked.console.people().use_link(std::move(use), asked.visitor);
  if (!used) {
    // Whoever uses it shows nothing but the link.
    asked.who = nullptr;
    co_return refused(used.error(), asked);
  }
  if (*used) {
    // The link is used up: whoever used it is signed in, even where that was not ended.
    (void)co_await end_earlier(asked.console.people(), std::move(asked.who), asked.visitor);
    co_return opened(asked, **used);
  }
  if (asked.who != nullptr) {
    co_return session(asked, *asked.who, asked.console.gate().token_of(asked.cookie));
  }
  http::JsonWriter json;
  json.begin_object();
  json.member("signed_in", false);
  json.member("first_run", false);
  json.member("version", asked.console.version());
  json.end_object();
  co_return http::Response::json(200, json.take());
}

// The same answer for everybody, and as soon: who there is it does not tell.
Task<http::Response> ask_reset(Asked asked) {
  asked.console.people().ask_reset(asked.given.text("email"), asked.visitor);
  auto response = nothing();
  response.status = 202;
  co_return response;
}

constexpr std::array kLinkRoutes{
    RouteOf{http::Method::post, Wanted::enter, false, &calls::kLookAtLink, look_at_link},
    RouteOf{http::Method::post, Wanted::enter, false, &calls::kUseLink, use_link},
    RouteOf{http::Method::post, Wanted::enter, false, &calls::kReset, ask_reset},
};

}  // namespace

std::span<const RouteOf> link_routes() {
  return kLinkRoutes;
}

}  // namespace todoku::console
