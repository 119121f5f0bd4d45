// SPDX-License-Identifier: Apache-2.0
#include "console/console.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "api/admin/read_call.h"
#include "api/answers.h"
#include "api/form.h"
#include "base/bytes.h"
#include "console/answers.h"
#include "console/pages.h"
#include "http/forwarded.h"
#include "http/header_value.h"

namespace todoku::console {
namespace {

// Beyond any form of the console's own.
constexpr std::size_t kBodyMax = std::size_t{32} * 1024;
// What stands before a cookie and what the page acts as in Call::authorization: a scheme that no
// header is ever taken for, since keys are the only ones that are looked for where there is no
// usher.
constexpr std::string_view kScheme = "todoku-console ";
constexpr std::size_t kAgentMax = 1'024;
constexpr std::size_t kAsMax = 200;
// What a cookie of ours has at most; longer ones cost a hash.
constexpr std::size_t kCookieMax = 128;

Language language_for(const http::Request& request) {
  return api::language_of(request.headers.get("Accept-Language"));
}

Refusal not_signed_in() {
  return {401,
          {"nobody is signed in: sign in again.",
           "サインインしていません。もう一度サインインしてください。"}};
}

http::Response refused_still(const people::Refusal& error, Language language) {
  if (error.kind == ErrorKind::unauthorized) return refused(not_signed_in(), language);
  return api::refused(503, error.reason, language);
}

// For whom the page that sends it was made; empty: it does not say.
std::string said_as(const http::Request& request) {
  const std::string_view header = request.headers.get(kAsHeader);
  if (!header.empty()) return std::string(header.substr(0, kAsMax));
  const http::Query query = request.query_parameters();
  const auto* const parameter = query.find(kAsParameter);
  return parameter == nullptr ? std::string() : parameter->value.substr(0, kAsMax);
}

bool is_change(const http::Request& request) {
  return request.method != http::Method::get && request.method != http::Method::head;
}

std::optional<Refusal> wrong_type(const http::Request& request) {
  const std::string type = http::media_type(request.headers.get("Content-Type"));
  // Said aloud, so that no form of another site passes, which can only send texts.
  if (type == "application/json") return std::nullopt;
  return Refusal{415, {"send application/json.", "Content-Typeはapplication/jsonにしてください。"}};
}

http::Response misgiven(const std::vector<operate::Misgiven>& wrong, Language language) {
  intake::Problems problems;
  for (const operate::Misgiven& each : wrong) {
    std::vector<std::string> path;
    if (!each.argument.empty()) path.push_back(each.argument);
    problems.add(std::move(path), each.why);
  }
  return api::invalid(problems, language);
}

}  // namespace

store::Scopes Console::grantable(const people::SignedIn& who) const {
  const bool is_of_tenants = !ground_.provisioning_account.empty() && who.account &&
                             who.account->name == ground_.provisioning_account &&
                             !who.is_operator();
  if (!is_of_tenants) return who.scopes;
  return who.scopes & ~static_cast<store::Scopes>(store::Scope::admin);
}

people::Visitor Console::visitor_of(const http::Request& request) const {
  return {.from = http::client_address(request, ground_.trusted_proxies),
          .agent = std::string(request.headers.get("User-Agent").substr(0, kAgentMax))};
}

Task<http::Response> Console::answer(const http::Request& request, http::Body& body,
                                     const RouteOf& route) {
  const Language language = language_for(request);
  if (const auto wrong = gate_.judge(request, route.wanted)) co_return refused(*wrong, language);
  std::string cookie = gate_.cookie_of(request);
  if (cookie.size() > kCookieMax) cookie.clear();
  people::Visitor visitor = visitor_of(request);
  people::Who who;
  if (!cookie.empty()) {
    auto found = co_await ground_.people.look_up(cookie, visitor.from, route.use);
    if (found) {
      who = std::move(*found);
    } else if (route.wanted != Wanted::enter && found.error().kind != ErrorKind::unauthorized) {
      co_return api::refused(503, found.error().reason, language);
    }
  }
  if (route.needs_sign_in) {
    if (who == nullptr) co_return refused(not_signed_in(), language);
    const auto other = otherwise_than(request.headers.get(kAsHeader), *who);
    if (other) co_return refused(*other, language);
  }
  const bool takes_text = !route.call->raw.empty();
  if (route.call->has_body()) {
    const auto wrong = body.length() == 0 ? std::nullopt : wrong_type(request);
    if (wrong) co_return refused(*wrong, language);
    const auto received =
        co_await body.receive(who ? static_cast<std::uint64_t>(who->person.account) : 0);
    if (!received) co_return http::Response();  // the server answers by itself
    // A body may take a minute, in which whoever sends it may be removed.
    if (route.needs_sign_in && body.length() != 0) {
      auto still =
          co_await ground_.people.look_up(cookie, visitor.from, people::People::Use::looks);
      if (!still) co_return refused_still(still.error(), language);
      who = std::move(*still);
      const auto other = otherwise_than(request.headers.get(kAsHeader), *who);
      if (other) co_return refused(*other, language);
    }
    if (takes_text && body.text().empty()) {
      co_return refused({400, {"the text is empty.", "本文が空です。"}}, language);
    }
  }
  auto given = api::admin::read_call(*route.call, request, body.text());
  if (!given) co_return misgiven(given.error(), language);
  co_return co_await route.work({.console = *this,
                                 .request = request,
                                 .given = std::move(*given),
                                 .visitor = std::move(visitor),
                                 .language = language,
                                 .cookie = std::move(cookie),
                                 .who = std::move(who)});
}

Task<http::Response> Console::serve(const http::Request& request, http::Body& body,
                                    const RouteOf& route) {
  auto response = co_await answer(request, body, route);
  finish(request, response);
  co_return response;
}

void Console::add_routes(http::Router& router) {
  for (const auto routes : {session_routes(), own_routes(), link_routes(), people_routes(),
                            text_routes(), record_routes(), key_routes(), operator_routes()}) {
    for (const RouteOf& route : routes) {
      const bool takes_text = !route.call->raw.empty();
      router.add(route.method, fmt::format("{}{}", kBase, route.call->path),
                 {.body_max = takes_text ? store::kKeptTextOctetsMax : kBodyMax,
                  .streaming = true,
                  .wiped = true},
                 [this, &route](http::Request& request, http::Body& body) {
                   return serve(request, body, route);
                 });
    }
  }
  const auto show = [this](http::Request& request, http::Body&) { return page(request); };
  router.add(http::Method::get, "/", show);
  router.add(http::Method::get, "/{path...}", show);
}

Task<http::Response> Console::page(const http::Request& request) const {
  const Language language = language_for(request);
  http::Response response;
  if (const auto wrong = gate_.judge(request, Wanted::page)) {
    response = refused(*wrong, language);
  } else {
    response = page_at(ground_.assets, request, language);
  }
  guard(response, gate_.origin_of(request));
  co_return response;
}

http::Response Console::failure_response(const http::Failure& failure,
                                         const http::Request& request) const {
  auto response = api::container_failure(failure, request);
  guard(response, gate_.origin_of(request));
  return response;
}

std::expected<std::string, api::Usher::Denial> Console::judge(const http::Request& request) {
  const auto wrong = gate_.judge(request, is_change(request) ? Wanted::change : Wanted::look);
  if (wrong) return std::unexpected(Denial{wrong->status, wrong->text});
  const std::string cookie = gate_.cookie_of(request);
  if (cookie.empty() || cookie.size() > kCookieMax) {
    const Refusal refusal = not_signed_in();
    return std::unexpected(Denial{refusal.status, refusal.text});
  }
  return fmt::format("{}{} {}", kScheme, cookie, said_as(request));
}

Task<std::expected<api::Visitor, api::Usher::Denial>> Console::admit(std::string authorization,
                                                                     net::IpAddress from,
                                                                     Moment moment) {
  const auto denied = [](int status, std::string en, std::string ja) {
    return std::unexpected(Denial{status, {std::move(en), std::move(ja)}});
  };
  const auto use =
      moment == Moment::arriving ? people::People::Use::counts : people::People::Use::looks;
  const std::string_view given =
      std::string_view(authorization).substr(std::min(kScheme.size(), authorization.size()));
  const std::size_t cookie_end = std::min(given.find(' '), given.size());
  const std::string_view as = given.substr(std::min(cookie_end + 1, given.size()));
  const std::string cookie(given.substr(0, cookie_end));
  const auto who = co_await ground_.people.look_up(cookie, from, use);
  if (!who) {
    const bool is_over = who.error().kind == ErrorKind::unauthorized;
    co_return std::unexpected(Denial{is_over ? 401 : 503, who.error().reason});
  }
  const people::SignedIn& found = **who;
  if (const auto not_yet = not_whole(found)) {
    co_return std::unexpected(Denial{not_yet->status, not_yet->text});
  }
  if (const auto other = otherwise_than(as, found)) {
    co_return std::unexpected(Denial{other->status, other->text});
  }
  if (!found.account) {
    co_return denied(409, "choose the account to look at first.",
                     "先に対象のアカウントを選択してください。");
  }
  if (!ground_.closed_account.empty() && found.account->name == ground_.closed_account) {
    co_return denied(403, std::string(kClosed.en), std::string(kClosed.ja));
  }
  co_return api::Visitor{
      .account = *found.account,
      .scopes = found.scopes,
      .actor = people::actor_of(found.person),
      .person = found.person.key,
      .in_charge = found.is_operator() || found.person.role == store::Role::owner};
}

void Console::finish(const http::Request& request, http::Response& response) {
  guard(response, gate_.origin_of(request));
}

}  // namespace todoku::console
