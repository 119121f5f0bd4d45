// SPDX-License-Identifier: Apache-2.0
// Endpoints of webhooks, by the account's own key with the scope admin (docs/webhooks.md). Not in
// the contract, which knows them from its console only.
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "api/api.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/list_query.h"
#include "api/members.h"
#include "api/operations.h"
#include "api/webhook_json.h"
#include "api/webhook_request.h"
#include "base/bytes.h"
#include "base/date_time.h"
#include "http/json.h"

namespace todoku::api {
namespace {

using events::endpoints::Registry;

constexpr store::Scopes kContentScope = static_cast<store::Scopes>(store::Scope::content);
constexpr std::size_t kWebhookCursorMax = 100;
constexpr std::int64_t kSetAsidePage = 100;

// nullopt: none has such a name, and stores take no octets that are no text.
std::optional<std::string> webhook_name(const Call& call) {
  const std::string_view name = call.request.parameters.get("webhook");
  constexpr std::size_t kNameMax = 60;
  constexpr std::string_view kCharacters = "abcdefghijklmnopqrstuvwxyz0123456789_";
  if (name.size() > kNameMax || name.find_first_not_of(kCharacters) != std::string_view::npos) {
    return std::nullopt;
  }
  return std::string(name);
}

// What the owner's URL or host is the reason for is told there.
http::Response webhook_failure(const Call& call, const Error& error, std::string_view about = {}) {
  const bool is_asked = error.kind == ErrorKind::unauthorized ||
                        (error.kind == ErrorKind::invalid_input && !about.empty());
  if (!is_asked) return refused(intake::refusal_of_change(error), call.language);
  intake::Problems problems;
  std::vector<std::string> path;
  if (!about.empty()) path.emplace_back(about);
  problems.add(std::move(path),
               {error.detail + ".", "このURLは使用できません（" + error.detail + "）。"});
  return invalid(problems, call.language);
}

std::optional<http::Response> webhook_suspended(const Call& call) {
  if (!call.account.suspended) return std::nullopt;
  return refused(intake::Refusal::of(ErrorKind::unauthorized, intake::texts::account_suspended()),
                 call.language);
}

// Of insert codes, which endpoints may be told.
bool may_see_insert_codes(const Call& call) {
  return has(call.scopes, store::Scope::content);
}

http::Response shown_webhook(int status, const events::endpoints::EndpointView& view) {
  http::JsonWriter json;
  json.begin_object();
  write_webhook(json, view);
  json.end_object();
  return http::Response::json(status, json.take());
}

// The secret is shown this once.
http::Response issued_webhook(int status, const events::endpoints::IssuedSecret& made) {
  http::JsonWriter json;
  json.begin_object();
  write_webhook(json, made.view);
  if (made.secret.view().empty()) {
    json.null_member("secret");
  } else {
    json.member("secret", made.secret.view());
  }
  json.end_object();
  auto response = http::Response::json(status, json.take());
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Task<http::Response> list_webhooks(Registry& registry, Api&, Call& call) {
  const auto views = co_await registry.list(call.account.key);
  if (!views) co_return webhook_failure(call, views.error());
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const events::endpoints::EndpointView& view : *views) {
    json.begin_object();
    write_webhook(json, view);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

// What came of a request that may be repeated, beside what its repeats are answered.
struct WebhookMade {
  std::optional<events::endpoints::IssuedSecret> issued;
  std::optional<Error> error;
};

// Not asked for of a repeat: what it made was made.
std::optional<intake::Refusal> refused_suspended(const store::Account& account) {
  if (!account.suspended) return std::nullopt;
  return intake::Refusal::of(ErrorKind::unauthorized, intake::texts::account_suspended());
}

intake::Answer<void> keep_issued(Result<events::endpoints::IssuedSecret> issued,
                                 WebhookMade& came) {
  if (!issued) {
    came.error = issued.error();
    return std::unexpected(intake::refusal_of_change(issued.error()));
  }
  came.issued = std::move(*issued);
  return {};
}

// What the endpoint was the reason for is told as that; else it is about the key.
http::Response not_made(const Call& call, const intake::Refusal& refusal, const WebhookMade& came,
                        std::string_view about = {}) {
  const bool is_told = came.error && refusal.key == intake::Refusal::Key::no_trouble;
  return is_told ? webhook_failure(call, *came.error, about) : refused(refusal, call.language);
}

Task<intake::Answer<void>> make_webhook(Registry& registry, const store::Account& account,
                                        events::endpoints::NewEndpoint wanted,
                                        intake::Repeatable repeatable, WebhookMade& came) {
  if (auto no = refused_suspended(account)) co_return std::unexpected(std::move(*no));
  auto made = co_await registry.create(account.key, std::move(wanted), repeatable);
  co_return keep_issued(std::move(made), came);
}

// The secret is not in the record: it is opened again where it is sealed (docs/adr/0019).
http::Response repeated_webhook(const Call& call,
                                const Result<events::endpoints::IssuedSecret>& issued) {
  if (!issued) return webhook_failure(call, issued.error());
  auto response = issued_webhook(201, *issued);
  response.headers.set(kReplayedHeader, "true");
  return response;
}

Task<http::Response> create_webhook(Registry& registry, Api& api, Call& call) {
  auto key = key_of_request(call, store::KeyedRoute::webhook);
  if (!key) co_return std::move(key.error());
  Form form;
  if (auto bad = co_await read_form(api, call, false, form); bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kWebhook);
  intake::Problems problems;
  auto wanted = read_new_webhook(form.object(), problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  if (wanted.wishes.insert_codes && !may_see_insert_codes(call)) {
    co_return lacks_scope(call, kContentScope);
  }
  intake::Repeatable repeatable;
  if (*key) repeatable = store::IdempotencyRecord{**key, fingerprint_of(wanted)};
  WebhookMade came;
  const auto make = [&](intake::Repeatable its) {
    return make_webhook(registry, call.account, std::move(wanted), its, came);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (!made) co_return not_made(call, made.error(), came, "url");
  if (!made->replayed) co_return issued_webhook(201, *came.issued);
  const auto issued = co_await registry.issued(call.account.key, made->answer);
  co_return repeated_webhook(call, issued);
}

Task<http::Response> get_webhook(Registry& registry, Api&, Call& call, std::string name) {
  const auto view = co_await registry.get(call.account.key, std::move(name));
  if (!view) co_return webhook_failure(call, view.error());
  co_return shown_webhook(200, *view);
}

Task<http::Response> change_webhook(Registry& registry, Api& api, Call& call, std::string name) {
  if (auto no = webhook_suspended(call)) co_return std::move(*no);
  const auto now = co_await registry.get(call.account.key, name);
  if (!now) co_return webhook_failure(call, now.error());
  Form form;
  if (auto bad = co_await read_form(api, call, false, form); bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kWebhookChange);
  intake::Problems problems;
  auto wanted = read_webhook_change(form.object(), problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  // Nor does it lead elsewhere what it may not see.
  const bool leads = wanted.url && now->webhook.terms.wishes.insert_codes;
  if ((wanted.insert_codes.value_or(false) || leads) && !may_see_insert_codes(call)) {
    co_return lacks_scope(call, kContentScope);
  }
  wanted.may_see_codes = may_see_insert_codes(call);
  const auto changed =
      co_await registry.change(call.account.key, std::move(name), std::move(wanted));
  if (!changed) co_return webhook_failure(call, changed.error(), "url");
  co_return shown_webhook(200, *changed);
}

Task<http::Response> remove_webhook(Registry& registry, Api&, Call& call, std::string name) {
  const auto removed = co_await registry.remove(call.account.key, name);
  if (!removed) co_return webhook_failure(call, removed.error());
  http::JsonWriter json;
  json.begin_object();
  json.member("webhook", name);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<intake::Answer<void>> make_secret(Registry& registry, const store::Account& account,
                                       std::string name, Milliseconds overlap,
                                       intake::Repeatable repeatable, WebhookMade& came) {
  if (auto no = refused_suspended(account)) co_return std::unexpected(std::move(*no));
  auto rotated = co_await registry.rotate(account.key, std::move(name), overlap, repeatable);
  co_return keep_issued(std::move(rotated), came);
}

// A repeat makes no third secret, with which the second would soon sign no more.
Task<http::Response> rotate_webhook(Registry& registry, Api& api, Call& call, std::string name) {
  auto key = key_of_request(call, store::KeyedRoute::webhook_secret);
  if (!key) co_return std::move(key.error());
  Form form;
  if (auto bad = co_await read_form(api, call, true, form); bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kOverlap);
  intake::Problems problems;
  const Milliseconds overlap = read_overlap(form.object(), problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  intake::Repeatable repeatable;
  if (*key) repeatable = store::IdempotencyRecord{**key, fingerprint_of(name, overlap)};
  WebhookMade came;
  const auto make = [&](intake::Repeatable its) {
    return make_secret(registry, call.account, name, overlap, its, came);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (!made) co_return not_made(call, made.error(), came);
  if (!made->replayed) co_return issued_webhook(201, *came.issued);
  const auto issued = co_await registry.issued(call.account.key, std::move(name));
  co_return repeated_webhook(call, issued);
}

Task<http::Response> test_webhook(Registry& registry, Api&, Call& call, std::string name) {
  if (auto no = webhook_suspended(call)) co_return std::move(*no);
  const auto tested = co_await registry.test(call.account.key, std::move(name));
  if (!tested) co_return webhook_failure(call, tested.error());
  http::JsonWriter json;
  json.begin_object();
  json.member("accepted", tested->accepted);
  json.key("call");
  write_webhook_call(json, tested->call, true);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> webhook_calls(Registry& registry, Api&, Call& call, std::string name) {
  const auto view = co_await registry.get(call.account.key, name);
  if (!view) co_return webhook_failure(call, view.error());
  const auto made = co_await registry.calls(call.account.key, std::move(name));
  if (!made) co_return webhook_failure(call, made.error());
  const bool sees_codes = may_see_insert_codes(call);
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  bool withheld = false;
  for (const auto& one : *made) {
    const bool is_open = sees_codes || !one.has_codes;
    withheld = withheld || !is_open;
    write_webhook_call(json, one, is_open);
  }
  json.end_array();
  json.end_object();
  auto response = http::Response::json(200, json.take());
  if (withheld) response.headers.set(kWithheldHeader, "request, answer");
  co_return response;
}

Task<http::Response> webhook_set_aside(Registry& registry, Api&, Call& call, std::string name) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  std::string cursor = reader.text("cursor", kWebhookCursorMax);
  call.unknown = reader.unread();
  if (!problems.empty()) co_return invalid(problems, call.language);
  const auto events = co_await registry.set_aside(call.account.key, std::move(name),
                                                  std::move(cursor), kSetAsidePage);
  if (!events) co_return webhook_failure(call, events.error());
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const store::SetAsideEvent& event : *events) {
    json.begin_object();
    json.member("event_id", event.event);
    json.member("time", format_date_time(event.at));
    json.end_object();
  }
  json.end_array();
  if (static_cast<std::int64_t>(events->size()) < kSetAsidePage) {
    json.null_member("next");
  } else {
    json.member("next", events->back().event);
  }
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<intake::Answer<std::int64_t>> make_replay(Registry& registry, const store::Account& account,
                                               std::string name,
                                               events::endpoints::ReplayOrder order,
                                               intake::Repeatable repeatable, WebhookMade& came) {
  if (auto no = refused_suspended(account)) co_return std::unexpected(std::move(*no));
  auto events =
      co_await registry.replay(account.key, std::move(name), std::move(order), repeatable);
  if (!events) {
    came.error = events.error();
    co_return std::unexpected(intake::refusal_of_change(events.error()));
  }
  co_return *events ? static_cast<std::int64_t>(**events) : Registry::kUncounted;
}

Task<http::Response> replay_webhook(Registry& registry, Api& api, Call& call, std::string name) {
  auto key = key_of_request(call, store::KeyedRoute::webhook_replay);
  if (!key) co_return std::move(key.error());
  Form form;
  if (auto bad = co_await read_form(api, call, false, form); bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kReplay);
  intake::Problems problems;
  auto order = read_replay(form.object(), problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  intake::Repeatable repeatable;
  if (*key) repeatable = store::IdempotencyRecord{**key, fingerprint_of(name, order)};
  WebhookMade came;
  const auto make = [&](intake::Repeatable its) {
    return make_replay(registry, call.account, std::move(name), std::move(order), its, came);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (!made) co_return not_made(call, made.error(), came);
  http::JsonWriter json;
  json.begin_object();
  if (made->answer != Registry::kUncounted) {
    json.member("events", made->answer);
  } else {
    json.null_member("events");
  }
  json.end_object();
  auto response = http::Response::json(202, json.take());
  if (made->replayed) response.headers.set(kReplayedHeader, "true");
  co_return response;
}

template <auto kHandler>
Task<http::Response> of_webhooks(Api& api, Call& call) {
  if (api.endpoints() == nullptr) co_return no_data_found(call);
  co_return co_await kHandler(*api.endpoints(), api, call);
}

template <auto kHandler>
Task<http::Response> of_webhook(Api& api, Call& call) {
  auto name = webhook_name(call);
  if (api.endpoints() == nullptr || !name) co_return no_data_found(call);
  co_return co_await kHandler(*api.endpoints(), api, call, std::move(*name));
}

}  // namespace

void add_webhook_routes(Api& api, http::Router& router) {
  using Method = http::Method;
  // URLs may hold passwords.
  const http::RouteOptions secret{.wiped = true};
  api.add(router, Method::get, "/webhooks", kAdmin, &of_webhooks<&list_webhooks>);
  api.add(router, Method::post, "/webhooks", kAdmin, secret, &of_webhooks<&create_webhook>);
  api.add(router, Method::get, "/webhooks/{webhook}", kAdmin, &of_webhook<&get_webhook>);
  api.add(router, Method::patch, "/webhooks/{webhook}", kAdmin, secret,
          &of_webhook<&change_webhook>);
  api.add(router, Method::delete_, "/webhooks/{webhook}", kAdmin, &of_webhook<&remove_webhook>);
  api.add(router, Method::post, "/webhooks/{webhook}/rotate", kAdmin, &of_webhook<&rotate_webhook>);
  api.add(router, Method::post, "/webhooks/{webhook}/test", kAdmin, &of_webhook<&test_webhook>);
  api.add(router, Method::get, "/webhooks/{webhook}/calls", kAdmin, &of_webhook<&webhook_calls>);
  api.add(router, Method::get, "/webhooks/{webhook}/set_aside", kAdmin,
          &of_webhook<&webhook_set_aside>);
  api.add(router, Method::post, "/webhooks/{webhook}/replay", kAdmin, &of_webhook<&replay_webhook>);
}

}  // namespace todoku::api
