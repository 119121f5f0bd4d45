// SPDX-License-Identifier: Apache-2.0
#include "api/api.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "access/scopes.h"
#include "access/ses_keys.h"
#include "api/changes.h"
#include "api/doors/failures.h"
#include "api/event_stream.h"
#include "api/trace_context.h"
#include "base/bytes.h"
#include "base/log.h"
#include "events/endpoints/replay.h"
#include "http/aws_signature.h"
#include "http/forwarded.h"
#include "mail/address.h"

namespace todoku::api {
namespace {

constexpr std::uint64_t kRetryAfterMax = 10;  // seconds
constexpr std::string_view kBase = "/api/v1";
constexpr std::size_t kMessagesAtOnce = 16;

http::Response not_admitted(const access::Authenticator::Denial& denial, Language language) {
  if (denial.kind == ErrorKind::unauthorized) {
    auto response = refused(401,
                            {fmt::format("authentication failed: {}.", denial.reason.en),
                             fmt::format("認証に失敗しました。{}。", denial.reason.ja)},
                            language);
    response.headers.set("WWW-Authenticate", "Bearer");
    return response;
  }
  return refused(intake::refusal_of({denial.kind, denial.reason.en}), language);
}

}  // namespace

Api::Api(const Ground& ground, Options options)
    : ground_(ground),
      options_(std::move(options)),
      file_places_(options_.files_max),
      event_places_(options_.event_streams_max),
      message_places_(kMessagesAtOnce),
      authenticator_(ground.store, ground.clock, options_.closed_account),
      rate_limit_(options_.rate_limit_per_minute) {}

void Api::add_routes(http::Router& router, Usher* usher) {
  usher_ = usher;
  add_transaction_routes(*this, router);
  add_transaction_batch_routes(*this, router);
  add_bulk_routes(*this, router);
  add_delivery_routes(*this, router);
  add_recipient_routes(*this, router);
  add_recipient_export_routes(*this, router);
  add_import_routes(*this, router);
  add_list_stream_routes(*this, router);
  add_event_routes(*this, router);
  add_message_routes(*this, router);
  add_log_routes(*this, router);
  add_explain_routes(*this, router);
  add_usage_routes(*this, router);
  add_rate_routes(*this, router);
  add_tag_routes(*this, router);
  add_open_routes(*this, router);
  add_label_routes(*this, router);
  add_inline_part_routes(*this, router);
  add_domain_routes(*this, router);
  add_report_routes(*this, router);
  add_personal_data_routes(*this, router);
  add_provisioning_routes(*this, router);
  add_waiting_routes(*this, router);
  add_verb_routes(*this, router);
  add_approval_routes(*this, router);
  add_steering_routes(*this, router);
  add_resending_routes(*this, router);
  add_preflight_routes(*this, router);
  add_preview_routes(*this, router);
  add_error_routes(*this, router);
  add_suppression_routes(*this, router);
  add_template_routes(*this, router);
  add_webhook_routes(*this, router);
  usher_ = nullptr;
}

void Api::add(http::Router& router, http::Method method, std::string_view pattern,
              store::Scopes opened_by, http::RouteOptions options, Endpoint endpoint) {
  // Every endpoint starts after the head: who may not ask need not be listened to.
  const Door door{endpoint,
                  opened_by,
                  !std::exchange(options.streaming, true),
                  options.gzip,
                  nullptr,
                  usher_,
                  usher_ == nullptr ? std::string_view() : change_of(method, pattern)};
  router.add(method, fmt::format("{}{}", kBase, pattern), options,
             [this, door](http::Request& request, http::Body& body) {
               return serve(request, body, door);
             });
}

void Api::add_door(http::Router& router, const Guise& guise, std::string_view pattern,
                   http::RouteOptions options, Endpoint endpoint) {
  if (std::ranges::find(guises_, &guise) == guises_.end()) guises_.push_back(&guise);
  const store::Scopes opened_by =
      guise.is_signed() ? static_cast<store::Scopes>(store::Scope::ses) : kSend;
  const Door door{endpoint, opened_by, !std::exchange(options.streaming, true), false, &guise};
  router.add(http::Method::post, fmt::format("{}{}", guise.prefix, pattern), options,
             [this, door](http::Request& request, http::Body& body) {
               return serve(request, body, door);
             });
}

http::Response Api::dressed(const Guise* guise, const http::Request& request,
                            http::Response response) {
  if (guise == nullptr) return response;
  auto told = guise->failure(response.status, http::reason_phrase(response.status), request);
  for (std::size_t i = 0; i < response.headers.size(); ++i) {
    told.headers.set(response.headers[i].name, std::string(response.headers[i].value));
  }
  return told;
}

std::size_t Api::form_octets_max() const {
  const intake::Limits& limits = ground_.intake.limits();
  // JSON may write a character as six octets (\uXXXX) or twelve (surrogates): 12 covers all.
  constexpr std::size_t kOctetsPerCharacter = 12;
  constexpr std::size_t kFraming = std::size_t{256} * 1024;
  // Inline parts come in base64: a third more, and some white space in it.
  return limits.attachments_octets_max + limits.attachments_octets_max / 2 + kFraming +
         kOctetsPerCharacter * (limits.text_part_characters_max + limits.html_part_characters_max);
}

http::JsonLimits Api::json_limits() const {
  const intake::Limits& limits = ground_.intake.limits();
  return {.octets_max = form_octets_max(),
          .elements_max = std::max({limits.update_recipients_max, limits.cc_max, limits.bcc_max,
                                    limits.insert_codes_max, limits.attachments_max,
                                    std::size_t{events::endpoints::kReplayedMax}}),
          .keeps_literals = true};
}

void Api::finish(http::Response& response, std::uint32_t limit, std::uint32_t remaining) {
  if (limit > 0) {
    // The documentation and a live answer spell it differently: send both.
    response.headers.set("X-RateLimit-Remaining", std::to_string(remaining));
    response.headers.set("X-Rate-Limit-Remaining", std::to_string(remaining));
  }
  if (response.status == 503) {
    const std::lock_guard lock(random_mutex_);
    // Spread, so that those who were refused together do not come back together.
    response.headers.set("Retry-After", std::to_string(1 + ground_.random.below(kRetryAfterMax)));
  }
}

// Lists of items with parameters (draft-ietf-httpapi-ratelimit-headers-10 sections 3 and 4; RFC
// 9651 section 3.1): what a limit allows, and what is left of it for how long. A month has no fixed
// window, so its policy names none. What cannot be known now is not told: it decides nothing.
Task<void> Api::tell_standing(const store::Account& account, http::Response& response) {
  if (account.limits.mails_per_day == 0 && account.limits.mails_per_month == 0) co_return;
  const auto standings = co_await ground_.intake.standing(account);
  if (!standings) co_return;
  constexpr std::string_view kWindowOfDay = ";w=86400";
  std::string policy;
  std::string left;
  for (const intake::Standing& each : *standings) {
    const std::string_view comma = policy.empty() ? "" : ", ";
    const bool is_day = each.limit == "mails_per_day";
    policy += fmt::format("{}\"{}\";q={}{}", comma, each.limit, each.most,
                          is_day ? kWindowOfDay : std::string_view());
    left += fmt::format("{}\"{}\";r={};t={}", comma, each.limit,
                        std::max<std::int64_t>(each.most - each.used, 0), each.resets_in.count());
  }
  response.headers.set("RateLimit-Policy", policy);
  response.headers.set("RateLimit", left);
}

namespace {

intake::Text nothing_outside() {
  return {fmt::format("there is nothing at this path; the API is below {}, see /docs", kBase),
          fmt::format("このパスには何もありません。APIは{}以下にあります (/docsを参照)。", kBase)};
}

}  // namespace

http::Response Api::failure_response(const http::Failure& failure, const http::Request& request) {
  const auto guise = std::ranges::find_if(
      guises_, [&request](const Guise* each) { return request.path.starts_with(each->prefix); });
  if (guise != guises_.end()) {
    auto told = (*guise)->failure(failure.status, failure.reason, request);
    finish(told, 0, 0);
    return told;
  }
  http::Response response = failure.status == 404 && !request.path.starts_with(kBase)
                                ? container_failure(404, nothing_outside(), request)
                                : container_failure(failure, request);
  // Nothing was counted: of an account that is not known, all of its window is left.
  const auto account = authenticator_.last_known(request.headers.get("Authorization"));
  const SteadyInstant now = ground_.clock.steady_now();
  if (account) {
    finish(response, rate_limit_.limit_of(*account, now), rate_limit_.remaining(*account, now));
  } else {
    finish(response, rate_limit_.per_minute(), rate_limit_.per_minute());
  }
  return response;
}

http::Response Api::over_the_limit(const access::RateLimit::Verdict& rate, Language language) {
  auto response =
      refused(429,
              {fmt::format("the limit of {} requests per minute is reached.", rate.limit),
               fmt::format("1分あたり{}回のリクエスト上限に達しました。", rate.limit)},
              language);
  say_when_free(response, std::chrono::seconds(rate.retry_after_seconds), "requests_per_minute");
  return response;
}

std::string Api::authorization_of(const http::Request& request) {
  std::string authorization(request.headers.get("Authorization"));
  if (!authorization.empty() || request.method != http::Method::get ||
      request.path != fmt::format("{}{}", kBase, kEventsPath)) {
    return authorization;
  }
  const http::Query query = request.query_parameters();
  const auto* const ticket = query.find("ticket");
  // It opens streams alone: who asks for a page has made a mistake, and it is still good.
  if (ticket == nullptr || !wants_stream(request)) return authorization;
  return event_tickets_.redeem(ticket->value, ground_.clock.steady_now()).value_or("");
}

namespace {

std::string actor_of(const store::ApiKey& key) {
  return fmt::format("api key {}", key.id);
}

}  // namespace

Api::Caller Api::caller_of(store::KeyHolder holder, std::string authorization) {
  authenticator_.used(holder.key);
  return {.visitor = {.account = std::move(holder.account),
                      .scopes = holder.key.scopes,
                      .actor = actor_of(holder.key),
                      .person = holder.key.made_by},
          .key = holder.key.id,
          .authorization = std::move(authorization)};
}

Task<Api::Admission> Api::admit(Usher* usher, std::string authorization, net::IpAddress client,
                                Language language) {
  if (usher != nullptr) {
    auto visitor = co_await usher->admit(std::move(authorization), client, Usher::Moment::going_on);
    if (visitor) co_return std::move(*visitor);
    const Usher::Denial& denial = visitor.error();
    co_return std::unexpected(refused(denial.status, denial.text, language));
  }
  auto holder = co_await authenticator_.authenticate(std::move(authorization), client);
  if (!holder) co_return std::unexpected(not_admitted(holder.error(), language));
  co_return Visitor{.account = std::move(holder->account),
                    .scopes = holder->key.scopes,
                    .actor = actor_of(holder->key),
                    .person = holder->key.made_by};
}

void Api::warn_of_sender(Call& call, const Content& content) const {
  if (is_unproven(call.account.key, content.from.address)) {
    call.warning = intake::kUnprovenWarning;
  }
}

bool Api::is_unproven(store::AccountKey account, std::string_view from) const {
  const intake::Senders* const senders = ground_.intake.senders();
  const auto address = parse_address(from);
  return senders != nullptr && address &&
         senders->judge(account, address->domain) == intake::Senders::Verdict::unproven;
}

Task<std::optional<http::Response>> Api::ask_again(Call& call) {
  auto visitor = co_await admit(call.usher, call.authorization, call.from, call.language);
  if (!visitor) co_return std::move(visitor.error());
  call.account = std::move(visitor->account);
  call.scopes = visitor->scopes;
  call.person = visitor->person;
  call.in_charge = visitor->in_charge;
  co_return std::nullopt;
}

bool is_gzip(const http::Request& request) {
  const std::string_view encoding = trim(request.headers.get("Content-Encoding"));
  // RFC 9110 section 8.4.1.3: x-gzip is the same.
  return equals_ignoring_case(encoding, "gzip") || equals_ignoring_case(encoding, "x-gzip");
}

namespace {

// A body that is compressed would be taken for a text (RFC 9110 section 8.4).
std::optional<http::Response> encoded_body(const http::Request& request, bool takes_gzip) {
  const std::string_view encoding = trim(request.headers.get("Content-Encoding"));
  if (encoding.empty() || equals_ignoring_case(encoding, "identity")) return std::nullopt;
  if (takes_gzip && is_gzip(request)) return std::nullopt;
  constexpr std::size_t kShown = 64;
  auto response = container_failure(
      415,
      {fmt::format("Content encoding '{}' not supported: send the body as it is",
                   encoding.substr(0, kShown)),
       fmt::format("Content-Encoding「{}」には対応していません。本文を圧縮せずに送信してください。",
                   encoding.substr(0, kShown))},
      request);
  response.headers.set("Accept-Encoding", takes_gzip ? "gzip, identity" : "identity");
  return response;
}

}  // namespace

Task<http::Response> Api::answer(Call& call, Door door) {
  if ((call.scopes & door.opened_by) == 0) {
    co_return dressed(door.guise, call.request, lacks_scope(call, door.opened_by));
  }
  if (auto encoded = encoded_body(call.request, door.takes_gzip)) {
    co_return dressed(door.guise, call.request, std::move(*encoded));
  }
  // Of who has signed this is done: knock_signed() wants it.
  if (door.wants_body && !door.is_signed()) {
    const auto received = co_await call.body.receive(static_cast<std::uint64_t>(call.account.key));
    if (!received) co_return http::Response();  // the server answers by itself
    auto refused_now = co_await ask_again(call);
    if (refused_now) co_return dressed(door.guise, call.request, std::move(*refused_now));
  }
  co_return co_await door.endpoint(*this, call);
}

namespace {

std::uint32_t own_limit(const store::Account& account) {
  return static_cast<std::uint32_t>(std::min<std::int64_t>(
      account.limits.requests_per_minute, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

namespace {

// One line a request, for who looks for one: by the trace that its client gave it.
void tell_of(const http::Request& request, const http::Response& response, std::int64_t key,
             Milliseconds took) {
  const auto trace = parse_traceparent(trim(request.headers.get("traceparent")));
  log::debug("request", {{"method", to_string(request.method)},
                         {"path", request.path},
                         {"status", response.status},
                         {"key", key},
                         {"ms", took.count()},
                         {"trace", trace ? trace->trace_id : ""},
                         {"parent", trace ? trace->parent_id : ""}});
}

}  // namespace

Task<Api::Knock> Api::knock_at_usher(const http::Request& request, Usher& usher) {
  const Language language = language_of(request.headers.get("Accept-Language"));
  auto authorization = usher.judge(request);
  if (!authorization) {
    const Usher::Denial& denial = authorization.error();
    co_return std::unexpected(refused(denial.status, denial.text, language));
  }
  auto visitor =
      co_await usher.admit(*authorization, http::client_address(request, options_.trusted_proxies),
                           Usher::Moment::arriving);
  if (!visitor) {
    const Usher::Denial& denial = visitor.error();
    co_return std::unexpected(refused(denial.status, denial.text, language));
  }
  co_return Caller{.visitor = std::move(*visitor), .authorization = std::move(*authorization)};
}

Task<Api::Knock> Api::knock_with_key(const http::Request& request, Door door) {
  std::string authorization =
      door.guise == nullptr ? authorization_of(request) : door.guise->authorization(request);
  auto holder = co_await authenticator_.authenticate(
      authorization, http::client_address(request, options_.trusted_proxies));
  if (!holder) {
    const Language language = language_of(request.headers.get("Accept-Language"));
    co_return std::unexpected(dressed(door.guise, request, not_admitted(holder.error(), language)));
  }
  co_return caller_of(std::move(*holder), std::move(authorization));
}

Task<Api::Knock> Api::knock(const http::Request& request, http::Body& body, Door door) {
  if (door.usher != nullptr) co_return co_await knock_at_usher(request, *door.usher);
  if (door.is_signed()) co_return co_await knock_signed(request, body);
  co_return co_await knock_with_key(request, door);
}

Task<Api::Knock> Api::knock_signed(const http::Request& request, http::Body& body) {
  using doors::Trouble;
  const auto refusal = [](Trouble trouble, std::string_view text) {
    return std::unexpected(
        doors::failure(doors::Service::ses, {trouble, fmt::format("{}.", text)}));
  };
  const std::string_view value = trim(request.headers.get("Authorization"));
  if (value.empty()) co_return refusal(Trouble::no_credential, "");
  const auto authorization = http::parse_aws_authorization(value);
  if (!authorization) {
    co_return refusal(Trouble::incomplete_signature, authorization.error().detail);
  }
  http::AwsRequest signed_request{.method = request.method_name,
                                  .path = request.raw_path,
                                  .query = request.query,
                                  .headers = request.headers,
                                  .body = {}};
  const auto head =
      http::check_aws_head(*authorization, signed_request, "ses", ground_.store.clock().now());
  if (!head) {
    const bool is_open = head.error().kind == ErrorKind::invalid_input;
    co_return refusal(is_open ? Trouble::incomplete_signature : Trouble::bad_signature,
                      head.error().detail);
  }
  const auto no_holder = [&refusal](const access::Authenticator::Denial& denial) {
    const bool is_unknown = denial.kind == ErrorKind::unauthorized;
    return refusal(is_unknown ? Trouble::wrong_credential : Trouble::unavailable, denial.reason.en);
  };
  const net::IpAddress client = http::client_address(request, options_.trusted_proxies);
  const auto before =
      co_await authenticator_.holder_of_access_key(authorization->access_key_id, client);
  if (!before) co_return no_holder(before.error());
  // Nobody's share of memory: it is not known yet whether it is the key's owner who asks.
  const auto received = co_await body.receive(0);
  if (!received) co_return std::unexpected(http::Response());  // the server answers by itself
  signed_request.body = body.text();
  if (ground_.box == nullptr) co_return refusal(Trouble::unavailable, "no master key");
  const SecretText secret = access::secret_access_key(*ground_.box, authorization->access_key_id);
  if (!http::aws_signature_fits(*authorization, signed_request, secret)) {
    co_return refusal(Trouble::bad_signature,
                      "The request signature we calculated does not match the signature you "
                      "provided. Check your AWS Secret Access Key and signing method. Consult the "
                      "service documentation for details");
  }
  // The body took its time: the key may have been revoked meanwhile.
  auto holder = co_await authenticator_.holder_of_access_key(authorization->access_key_id, client);
  if (!holder) co_return no_holder(holder.error());
  body.give_to(static_cast<std::uint64_t>(holder->account.key));
  co_return caller_of(std::move(*holder), {});
}

Task<http::Response> Api::serve(http::Request& request, http::Body& body, Door door) {
  const Language language = language_of(request.headers.get("Accept-Language"));
  const SteadyInstant began = ground_.clock.steady_now();
  auto caller = co_await knock(request, body, door);
  const std::int64_t key = caller ? caller->key : 0;
  http::Response response;
  std::uint32_t limit = rate_limit_.per_minute();
  std::uint32_t remaining = limit;
  if (!caller) {
    response = std::move(caller.error());
  } else {
    Visitor& visitor = caller->visitor;
    const auto rate = rate_limit_.admit(visitor.account.key, ground_.clock.steady_now(),
                                        own_limit(visitor.account));
    limit = rate.limit;
    remaining = rate.remaining;
    if (rate.allowed) {
      Call call{.request = request,
                .body = body,
                .account = std::move(visitor.account),
                .scopes = visitor.scopes,
                .key = key,
                .actor = std::move(visitor.actor),
                .person = visitor.person,
                .in_charge = visitor.in_charge,
                .usher = door.usher,
                .from = http::client_address(request, options_.trusted_proxies),
                .language = language,
                .unknown = {},
                .authorization = std::move(caller->authorization),
                .warning = {}};
      const intake::Senders* const senders = ground_.intake.senders();
      if (senders != nullptr && senders->starts_unproven(call.account.key)) {
        call.warning = intake::kUnprovenWarning;
      }
      response = co_await answer(call, door);
      if (!door.change.empty() && response.status < 400) {
        co_await note_change(*this, call, door.change, response.body);
      }
      if (!call.warning.empty()) response.headers.set(kWarningHeader, call.warning);
      if (!call.unknown.empty()) response.headers.set(kUnknownHeader, call.unknown);
      co_await tell_standing(call.account, response);
    } else {
      response = dressed(door.guise, request, over_the_limit(rate, language));
    }
  }
  finish(response, limit, remaining);
  if (door.usher != nullptr) door.usher->finish(request, response);
  if (log::enabled(log::Level::debug)) {
    tell_of(request, response, key,
            std::chrono::duration_cast<Milliseconds>(ground_.clock.steady_now() - began));
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

void add_warning(Call& call, std::string_view warning) {
  if (warning.empty() || call.warning.contains(warning)) return;
  if (!call.warning.empty()) call.warning += "; ";
  call.warning += warning;
}

http::Response lacks_scope(const Call& call, store::Scopes opened_by) {
  const std::string scopes = access::to_string(opened_by);
  if (call.usher != nullptr) {
    return refused(403,
                   {fmt::format("your role lacks the scope {}: an owner of the account can change "
                                "that.",
                                scopes),
                    fmt::format("あなたの役割にはスコープ {} がありません。変更できるのはアカウント"
                                "のオーナーです。",
                                scopes)},
                   call.language);
  }
  return refused(403,
                 {fmt::format("this API key lacks the scope {}.", scopes),
                  fmt::format("このAPIキーにはスコープ {} がありません。", scopes)},
                 call.language);
}

http::Response no_data_found(const Call& call) {
  return refused(404, intake::texts::no_data_found(), call.language);
}

}  // namespace todoku::api
