// SPDX-License-Identifier: Apache-2.0
// What somebody changes of himself: password, second factor, name, the account that is acted for.
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "console/answers.h"
#include "console/calls.h"
#include "console/console.h"

namespace todoku::console {
namespace {

void codes_member(http::JsonWriter& json, const people::RecoveryCodes& codes) {
  json.key("recovery_codes");
  json.begin_array();
  for (const SecretText& code : codes) json.value(code.view());
  json.end_array();
}

// What a page knows of who is signed in, by the cookie as it was.
http::Response same_session(const Asked& asked, const people::SignedIn& who) {
  return session(asked, who, asked.console.gate().token_of(asked.cookie));
}

Task<http::Response> change_password(Asked asked) {
  const auto changed = co_await asked.console.people().change_password(
      asked.who, asked.given.take_secret("current"), asked.given.take_secret("new"), asked.visitor);
  co_return changed ? opened(asked, *changed) : refused(changed.error(), asked);
}

Task<http::Response> offer_totp(Asked asked) {
  const auto offer = co_await asked.console.people().offer_totp(asked.who, asked.visitor);
  if (!offer) co_return refused(offer.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  json.member("secret", offer->secret.view());
  json.member("uri", offer->uri.view());
  json.end_object();
  co_return http::Response::json(200, json.take());
}

// With the session, whose token is another one now.
Task<http::Response> confirm_totp(Asked asked) {
  const auto confirmed = co_await asked.console.people().confirm_totp(
      asked.who, asked.given.take_secret("code"), asked.visitor);
  if (!confirmed) co_return refused(confirmed.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  codes_member(json, confirmed->codes);
  json.key("session");
  json.raw(opened(asked, confirmed->opened).body);
  json.end_object();
  auto response = http::Response::json(200, json.take());
  set_cookie(asked, confirmed->opened, response);
  co_return response;
}

Task<http::Response> remove_totp(Asked asked) {
  const auto removed = co_await asked.console.people().remove_totp(
      asked.who, asked.given.take_secret("password"), asked.visitor);
  co_return removed ? opened(asked, *removed) : refused(removed.error(), asked);
}

Task<http::Response> new_codes(Asked asked) {
  const auto codes = co_await asked.console.people().new_recovery_codes(
      asked.who, asked.given.take_secret("password"), asked.visitor);
  if (!codes) co_return refused(codes.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  codes_member(json, *codes);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> change_me(Asked asked) {
  const auto changed = co_await asked.console.people().change_me(
      asked.who, asked.text_if_given("name"), asked.text_if_given("language"), asked.visitor);
  co_return changed ? same_session(asked, **changed) : refused(changed.error(), asked);
}

Task<http::Response> confirm_address(Asked asked) {
  const auto mailed = co_await asked.console.people().ask_confirmation(asked.who, asked.visitor);
  if (!mailed) co_return refused(mailed.error(), asked);
  auto response = nothing();
  response.status = 202;
  co_return response;
}

Task<http::Response> act_for(Asked asked) {
  const std::string& closed = asked.console.closed_account();
  if (!closed.empty() && asked.given.text("account") == closed) {
    co_return refused(403, kClosed.en, kClosed.ja, asked);
  }
  const auto acting = co_await asked.console.people().act_for(
      asked.who, asked.text_if_given("account"), asked.visitor);
  co_return acting ? same_session(asked, **acting) : refused(acting.error(), asked);
}

constexpr std::array kOwnRoutes{
    RouteOf{http::Method::put, Wanted::change, true, &calls::kPassword, change_password},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kOfferTotp, offer_totp},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kConfirmTotp, confirm_totp},
    RouteOf{http::Method::delete_, Wanted::change, true, &calls::kRemoveTotp, remove_totp},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kRecoveryCodes, new_codes},
    RouteOf{http::Method::patch, Wanted::change, true, &calls::kMe, change_me},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kConfirmation, confirm_address},
    RouteOf{http::Method::put, Wanted::change, true, &calls::kActFor, act_for},
};

}  // namespace

std::span<const RouteOf> own_routes() {
  return kOwnRoutes;
}

}  // namespace todoku::console
