// SPDX-License-Identifier: Apache-2.0
#include "api/admin/routes.h"

#include <charconv>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "api/admin/json.h"
#include "http/json.h"
#include "http/query.h"

namespace todoku::api::admin {
namespace {

using http::Body;
using http::Method;
using http::Request;
using http::Response;
using operate::Operations;

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input:
    case ErrorKind::unsupported:
      return 400;
    case ErrorKind::not_found:
      return 404;
    case ErrorKind::conflict:
      return 409;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::limit_exceeded:
      return 503;
    case ErrorKind::unauthorized:
    case ErrorKind::closed:
    case ErrorKind::io:
    case ErrorKind::corrupt:
    case ErrorKind::cancelled:
      return 500;
  }
  return 500;
}

Response failure(int status, std::string_view sentence) {
  http::JsonWriter json;
  json.begin_object();
  json.member("error", sentence);
  json.end_object();
  return Response::json(status, json.take());
}

Response failure(const Error& error) {
  return failure(status_of(error.kind), error.detail);
}

Response done() {
  return Response::json(200, R"({"done":true})");
}

// The members of a request's JSON object; of a wrong type or absent: the fallback.
class Fields {
 public:
  [[nodiscard]] static Result<Fields> parse(std::string_view text, http::JsonArena& arena) {
    auto value = http::parse_json(text.empty() ? "{}" : text, arena);
    if (!value) return fail(std::move(value.error()));
    if (!value->is_object()) {
      return fail(ErrorKind::invalid_input, "the request must be a JSON object");
    }
    return Fields(std::move(*value));
  }
  [[nodiscard]] std::string text(std::string_view name, std::string fallback = "") const {
    const auto* found = member(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : fallback;
  }
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const {
    const auto* found = member(name);
    if (found == nullptr || !found->is_int64()) return std::nullopt;
    return found->get_int64();
  }
  [[nodiscard]] std::optional<bool> truth(std::string_view name) const {
    const auto* found = member(name);
    if (found == nullptr || !found->is_bool()) return std::nullopt;
    return found->get_bool();
  }

 private:
  explicit Fields(boost::json::value value) : value_(std::move(value)) {}
  [[nodiscard]] const boost::json::value* member(std::string_view name) const {
    return value_.get_object().if_contains(name);
  }
  boost::json::value value_;
};

std::string parameter(const Request& request, std::string_view name) {
  return std::string(request.parameters.get(name));
}

std::string query_text(const http::Query& query, std::string_view name) {
  const auto* found = query.find(name);
  return found == nullptr ? std::string() : found->value;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

constexpr std::int64_t kLimitMax = 1'000;

// How many at most somebody wants listed: `limit` of the query, `usual` without one.
Result<std::int64_t> wanted_limit(const http::Query& query, std::int64_t usual) {
  if (query.find("limit") == nullptr) return usual;
  const auto limit = whole_number(query_text(query, "limit"));
  if (limit && *limit >= 1 && *limit <= kLimitMax) return *limit;
  return fail(ErrorKind::invalid_input, fmt::format("the limit must be from 1 to {}", kLimitMax));
}

// Of the times that are shown to people, east of UTC.
Result<std::int64_t> wanted_offset(const http::Query& query, std::int64_t usual) {
  if (query.find("utc_offset_minutes") == nullptr) return usual;
  const auto offset = whole_number(query_text(query, "utc_offset_minutes"));
  if (offset && *offset >= -720 && *offset <= 840) return *offset;
  return fail(ErrorKind::invalid_input, "the offset must be from -720 to 840 minutes");
}

// -- the routes ----------------------------------------------------------------------------------

using Operation = Task<Response> (*)(Operations&, Request&, Body&);

Task<Response> list_accounts(Operations& operations, Request& request, Body&) {
  const auto query = request.query_parameters();
  const auto limit = wanted_limit(query, kLimitMax);
  if (!limit) co_return failure(limit.error());
  const auto accounts = co_await operations.accounts(query_text(query, "after"), *limit);
  co_return accounts ? Response::json(200, accounts_json(*accounts)) : failure(accounts.error());
}

Task<Response> add_account(Operations& operations, Request&, Body& body) {
  http::JsonArena arena;
  const auto fields = Fields::parse(body.text(), arena);
  if (!fields) co_return failure(fields.error());
  const auto added =
      co_await operations.add_account({.name = fields->text("name"),
                                       .weight = fields->number("weight").value_or(1),
                                       .with_key = fields->truth("with_key").value_or(true)});
  co_return added ? Response::json(201, account_json(*added)) : failure(added.error());
}

Task<Response> change_account(Operations& operations, Request& request, Body& body) {
  http::JsonArena arena;
  const auto fields = Fields::parse(body.text(), arena);
  if (!fields) co_return failure(fields.error());
  const operate::AccountChange change{.weight = fields->number("weight"),
                                      .suspended = fields->truth("suspended"),
                                      .text_from_html = fields->truth("text_from_html")};
  const auto changed = co_await operations.change_account(parameter(request, "account"), change);
  co_return changed ? done() : failure(changed.error());
}

Task<Response> list_keys(Operations& operations, Request& request, Body&) {
  const auto keys = co_await operations.keys(parameter(request, "account"));
  co_return keys ? Response::json(200, keys_json(*keys)) : failure(keys.error());
}

Task<Response> add_key(Operations& operations, Request& request, Body& body) {
  http::JsonArena arena;
  const auto fields = Fields::parse(body.text(), arena);
  if (!fields) co_return failure(fields.error());
  const auto key =
      co_await operations.add_key(parameter(request, "account"), fields->text("label"));
  co_return key ? Response::json(201, issued_key_json(*key)) : failure(key.error());
}

Task<Response> revoke_key(Operations& operations, Request& request, Body&) {
  const auto id = whole_number(request.parameters.get("id"));
  if (!id) co_return failure(400, "the id of a key is a number");
  const auto revoked = co_await operations.revoke_key(parameter(request, "account"), *id);
  co_return revoked ? done() : failure(revoked.error());
}

Task<Response> list_dkim(Operations& operations, Request& request, Body&) {
  const auto query = request.query_parameters();
  const auto limit = wanted_limit(query, kLimitMax);
  if (!limit) co_return failure(limit.error());
  const auto keys = co_await operations.dkim_keys(query_text(query, "account"),
                                                  query_text(query, "after"), *limit);
  co_return keys ? Response::json(200, dkim_keys_json(*keys)) : failure(keys.error());
}

Task<Response> add_dkim(Operations& operations, Request&, Body& body) {
  http::JsonArena arena;
  const auto fields = Fields::parse(body.text(), arena);
  if (!fields) co_return failure(fields.error());
  operate::NewDkimKey request{.account = fields->text("account"),
                              .domain = fields->text("domain"),
                              .selector = fields->text("selector"),
                              .algorithm = fields->text("algorithm", "rsa"),
                              .private_key = SecretText(fields->text("private_key"))};
  const auto key = co_await operations.add_dkim_key(std::move(request));
  co_return key ? Response::json(201, dkim_key_json(*key)) : failure(key.error());
}

Task<Response> show_dkim(Operations& operations, Request& request, Body&) {
  const auto key = co_await operations.dkim_key(
      parameter(request, "account"), parameter(request, "domain"), parameter(request, "selector"));
  co_return key ? Response::json(200, dkim_key_json(*key)) : failure(key.error());
}

Task<Response> remove_dkim(Operations& operations, Request& request, Body&) {
  const auto removed = co_await operations.remove_dkim_key(
      parameter(request, "account"), parameter(request, "domain"), parameter(request, "selector"));
  co_return removed ? done() : failure(removed.error());
}

Result<operate::ExplainRequest> explain_request(const http::Query& query) {
  operate::ExplainRequest request;
  request.address = query_text(query, "address");
  request.account = query_text(query, "account");
  if (query.find("lang") != nullptr) {
    const auto language = todoku::parse_language(query_text(query, "lang"));
    if (!language) return fail(ErrorKind::invalid_input, "the languages are en and ja");
    request.language = *language;
  }
  const auto limit = wanted_limit(query, request.limit);
  if (!limit) return fail(limit.error());
  request.limit = *limit;
  const auto offset = wanted_offset(query, request.utc_offset_minutes);
  if (!offset) return fail(offset.error());
  request.utc_offset_minutes = *offset;
  return request;
}

Task<Response> explain_address(Operations& operations, Request& request, Body&) {
  auto wanted = explain_request(request.query_parameters());
  if (!wanted) co_return failure(wanted.error());
  const auto language = wanted->language;
  const auto explanation = co_await operations.explain(std::move(*wanted));
  co_return explanation ? Response::json(200, explanation_json(*explanation, language))
                        : failure(explanation.error());
}

Task<Response> list_stuck(Operations& operations, Request& request, Body&) {
  constexpr std::int64_t kUsual = 100;
  const auto query = request.query_parameters();
  const auto limit = wanted_limit(query, kUsual);
  if (!limit) co_return failure(limit.error());
  const auto offset = wanted_offset(query, operate::ExplainRequest{}.utc_offset_minutes);
  if (!offset) co_return failure(offset.error());
  const auto stuck = co_await operations.stuck(*limit);
  co_return stuck ? Response::json(200, stuck_json(*stuck, std::chrono::minutes(*offset)))
                  : failure(stuck.error());
}

Task<Response> release_stuck(Operations& operations, Request& request, Body&) {
  const auto id = whole_number(request.parameters.get("email_id"));
  if (!id) co_return failure(400, "the id of a mail is a number");
  const auto released = co_await operations.release_stuck(parameter(request, "account"), *id);
  co_return released ? done() : failure(released.error());
}

Task<Response> release_all_stuck(Operations& operations, Request&, Body&) {
  const auto released = co_await operations.release_all_stuck();
  co_return released ? Response::json(200, fmt::format(R"({{"released":{}}})", *released))
                     : failure(released.error());
}

Task<Response> show_status(Operations& operations, Request&, Body&) {
  const auto status = co_await operations.status();
  co_return status ? Response::json(200, status_json(*status)) : failure(status.error());
}

Task<Response> drain(Operations& operations, Request&, Body&) {
  const auto asked = operations.drain();
  co_return asked ? done() : failure(asked.error());
}

}  // namespace

void add_routes(http::Router& router, operate::Operations& operations) {
  const auto add = [&](Method method, std::string_view pattern, Operation operation) {
    router.add(method, pattern, [&operations, operation](Request& request, Body& body) {
      return operation(operations, request, body);
    });
  };
  add(Method::get, "/accounts", list_accounts);
  add(Method::post, "/accounts", add_account);
  add(Method::patch, "/accounts/{account}", change_account);
  add(Method::get, "/accounts/{account}/keys", list_keys);
  add(Method::post, "/accounts/{account}/keys", add_key);
  add(Method::delete_, "/accounts/{account}/keys/{id}", revoke_key);
  add(Method::get, "/dkim", list_dkim);
  add(Method::post, "/dkim", add_dkim);
  add(Method::get, "/dkim/{account}/{domain}/{selector}", show_dkim);
  add(Method::delete_, "/dkim/{account}/{domain}/{selector}", remove_dkim);
  add(Method::get, "/explain", explain_address);
  add(Method::get, "/stuck", list_stuck);
  add(Method::post, "/stuck/{account}/{email_id}/release", release_stuck);
  add(Method::post, "/stuck/release", release_all_stuck);
  add(Method::get, "/status", show_status);
  add(Method::post, "/drain", drain);
}

http::Response failure_response(const http::Failure& failed, const http::Request&) {
  return failure(failed.status, failed.reason);
}

}  // namespace todoku::api::admin
