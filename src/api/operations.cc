// SPDX-License-Identifier: Apache-2.0
#include "api/operations.h"

#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "api/admin/read_call.h"
#include "api/admin/routes.h"
#include "api/idempotency.h"
#include "http/json.h"
#include "intake/field_digest.h"

namespace todoku::api {

http::Response reshaped(const http::Response& failure, Language language) {
  http::JsonArena arena;
  std::string sentence = "the operation failed";
  const auto told = http::parse_json(failure.body, arena);
  if (told && told->is_object()) {
    const auto* const error = told->get_object().if_contains("error");
    if (error != nullptr && error->is_string()) sentence = error->get_string().c_str();
  }
  return refused(failure.status, {sentence, sentence}, language);
}

namespace {

intake::Problems problems_of(const std::vector<operate::Misgiven>& wrong) {
  intake::Problems problems;
  for (const operate::Misgiven& each : wrong) {
    std::vector<std::string> path;
    if (!each.argument.empty()) path.push_back(each.argument);
    problems.add(std::move(path), {each.why.en + ".", each.why.ja + "。"});
  }
  return problems;
}

}  // namespace

namespace {

using Readied = std::expected<operate::Given, http::Response>;

// Nothing is made for a suspended account; what it has can be looked at and taken back.
std::optional<http::Response> refused_suspended(const Call& call) {
  const http::Method method = call.request.method;
  const bool takes_back = method == http::Method::get || method == http::Method::head ||
                          method == http::Method::delete_;
  if (!call.account.suspended || takes_back) return std::nullopt;
  return refused(intake::Refusal::of(ErrorKind::unauthorized, intake::texts::account_suspended()),
                 call.language);
}

// What the request gives, or what is wrong with it.
Readied read_given(Call& call, const operate::Call& wanted, std::string_view account) {
  if (!account.empty()) call.request.parameters.add("account", std::string(account));
  auto given = admin::read_call(wanted, call.request, call.body.text());
  if (!given) return std::unexpected(invalid(problems_of(given.error()), call.language));
  // Whether it stands for a domain is an operator's word, who is not asked here.
  if (!account.empty() && given->find("proven") != nullptr) {
    return std::unexpected(refused(
        403, {"only an operator can stand for a domain.", "ドメインの保証は運用者だけが行えます。"},
        call.language));
  }
  return std::move(*given);
}

// Of the arguments as they were read, so that a request that says the same in another order is the
// same.
Sha256 fingerprint_of_arguments(const operate::Given& given) {
  intake::FieldDigest digest(given.call().path);
  for (const operate::Argument& argument : given.call().arguments) {
    if (given.find(argument.name) == nullptr) continue;
    digest.text(argument.name);
    digest.text(given.text(argument.name));
    digest.number(static_cast<std::uint64_t>(given.number(argument.name).value_or(0)));
    digest.number(given.truth(argument.name).value_or(false) ? 1 : 0);
  }
  return digest.finish();
}

// That it failed, for who only asks whether it would do so again; its words are in the response.
intake::Refusal refusal_of_status(int status) {
  const bool is_final = status < 500 && status != 429;
  return intake::Refusal::of(is_final ? ErrorKind::conflict : ErrorKind::unavailable, {});
}

}  // namespace

Task<http::Response> make_call(Api& api, Call& call, const operate::Call& wanted,
                               std::string_view account, Carrying carry_out) {
  operate::Operations* const operations = api.operations();
  if (operations == nullptr) co_return no_data_found(call);
  if (auto no = refused_suspended(call)) co_return std::move(*no);
  auto given = read_given(call, wanted, account);
  if (!given) co_return std::move(given.error());
  auto response = co_await carry_out(*operations, wanted, std::move(*given));
  if (response.status >= 400) co_return reshaped(response, call.language);
  co_return response;
}

Task<http::Response> make_call_once(Api& api, Call& call, const operate::Call& wanted,
                                    std::string_view account, store::KeyedRoute route) {
  auto key = key_of_request(call, route);
  if (!key) co_return std::move(key.error());
  if (!*key) co_return co_await make_call(api, call, wanted, account);
  operate::Operations* const operations = api.operations();
  if (operations == nullptr) co_return no_data_found(call);
  auto given = read_given(call, wanted, account);
  if (!given) co_return std::move(given.error());
  const store::IdempotencyRecord record{**key, fingerprint_of_arguments(*given)};
  std::optional<http::Response> no;  // a repeat is answered all the same
  std::optional<http::Response> came;
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): awaited where it stands
  const auto make = [&](intake::Repeatable its) -> Task<intake::Answer<void>> {
    no = refused_suspended(call);
    if (no) co_return std::unexpected(refusal_of_status(no->status));
    came =
        co_await admin::carry_out_named(*operations, wanted, std::move(*given), {.record = *its});
    if (came->status < 400) co_return intake::Answer<void>{};
    co_return std::unexpected(refusal_of_status(came->status));
  };
  const auto made = co_await api.intake().repeats().once(record, make);
  if (!made) {
    if (no) co_return std::move(*no);
    if (came && came->status >= 400) co_return reshaped(*came, call.language);
    co_return refused(made.error(), call.language);
  }
  if (!made->replayed) co_return std::move(*came);
  store::IdempotencyRecord kept = record;
  kept.answer = made->answer;
  auto once_more = admin::read_call(wanted, call.request, call.body.text());
  if (!once_more) co_return invalid(problems_of(once_more.error()), call.language);
  auto response = co_await admin::carry_out_named(*operations, wanted, std::move(*once_more),
                                                  {.record = kept, .again = true});
  if (response.status >= 400) co_return reshaped(response, call.language);
  response.headers.set(kReplayedHeader, "true");
  co_return response;
}

}  // namespace todoku::api
