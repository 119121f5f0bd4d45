// SPDX-License-Identifier: Apache-2.0
#include "api/api.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace todoku::api {
namespace {

http::Response not_admitted(const Error& error, Language language) {
  if (error.kind == ErrorKind::unauthorized) {
    auto response = refused(401,
                            {"authentication failed: " + error.detail + ".",
                             "認証に失敗しました。ログインIDとAPIキーを確認してください。"},
                            language);
    response.headers.set("WWW-Authenticate", "Bearer");
    return response;
  }
  return refused(
      intake::Refusal::of(ErrorKind::unavailable, intake::texts::unavailable(error.detail)),
      language);
}

}  // namespace

Api::Api(store::Store& store, intake::Intake& intake, async::FilePool& files, const Clock& clock,
         Metrics& metrics, Options options)
    : store_(store),
      intake_(intake),
      files_(files),
      clock_(clock),
      metrics_(metrics),
      options_(std::move(options)),
      authenticator_(store, clock),
      rate_limit_(options_.rate_limit_per_minute) {}

void Api::add_routes(http::Router& router) {
  add_transaction_routes(*this, router);
  add_bulk_routes(*this, router);
  add_delivery_routes(*this, router);
  add_recipient_routes(*this, router);
  add_import_routes(*this, router);
}

void Api::add(http::Router& router, http::Method method, std::string_view pattern,
              http::RouteOptions options, Endpoint endpoint) {
  // Every endpoint starts after the head: who may not ask need not be listened to.
  const bool wants_body = !std::exchange(options.streaming, true);
  router.add(method, fmt::format("/api/v1{}", pattern), options,
             [this, endpoint, wants_body](http::Request& request, http::Body& body) {
               return serve(request, body, endpoint, wants_body);
             });
}

bool Api::take_upload_place() {
  if (uploads_.fetch_add(1) < options_.uploads_max) return true;
  uploads_.fetch_sub(1);
  return false;
}

std::size_t Api::form_octets_max() const {
  const intake::Limits& limits = intake_.limits();
  // JSON may write a character as six octets (\uXXXX) or twelve (surrogates): 12 covers all.
  constexpr std::size_t kOctetsPerCharacter = 12;
  constexpr std::size_t kFraming = std::size_t{256} * 1024;
  return limits.attachments_octets_max + kFraming +
         kOctetsPerCharacter * (limits.text_part_characters_max + limits.html_part_characters_max);
}

Task<http::Response> Api::serve(http::Request& request, http::Body& body, Endpoint endpoint,
                                bool wants_body) {
  const Language language = language_of(request.headers.get("Accept-Language"));
  auto account =
      co_await authenticator_.authenticate(std::string(request.headers.get("Authorization")));
  if (!account) co_return not_admitted(account.error(), language);

  const auto rate = rate_limit_.admit(account->key, clock_.steady_now());
  if (!rate.allowed) {
    auto response = refused(
        429,
        {fmt::format("the limit of {} requests per minute is reached.", rate_limit_.per_minute()),
         fmt::format("1分あたり{}回のリクエスト上限に達しました。", rate_limit_.per_minute())},
        language);
    const std::string seconds = std::to_string(rate.retry_after_seconds);
    response.headers.set("X-Rate-Limit-Retry-After-Seconds", seconds);
    response.headers.set("Retry-After", seconds);
    response.headers.set("X-RateLimit-Remaining", "0");
    response.headers.set("X-Rate-Limit-Remaining", "0");
    co_return response;
  }
  if (wants_body) {
    const auto received = co_await body.receive();
    if (!received) co_return http::Response();  // the server answers by itself
  }
  Call call{request, body, std::move(*account), language};
  http::Response response = co_await endpoint(*this, call);
  if (rate_limit_.per_minute() > 0) {
    // The documentation and a live answer spell it differently: send both.
    const std::string remaining = std::to_string(rate.remaining);
    response.headers.set("X-RateLimit-Remaining", remaining);
    response.headers.set("X-Rate-Limit-Remaining", remaining);
  }
  co_return response;
}

std::optional<store::PublicId> path_id(const Call& call, std::string_view name) {
  const std::string_view text = call.request.parameters.get(name);
  store::PublicId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 0) return std::nullopt;
  return id;
}

http::Response no_data_found(const Call& call) {
  return refused(404, intake::texts::no_data_found(), call.language);
}

}  // namespace todoku::api
