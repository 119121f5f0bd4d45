// SPDX-License-Identifier: Apache-2.0
#include "api/operations.h"

#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "api/admin/read_call.h"
#include "api/admin/routes.h"
#include "http/json.h"

namespace todoku::api {
namespace {

// {"error": sentence}, as the admin socket tells it, becomes the contract's shape.
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

Task<http::Response> make_call(Api& api, Call& call, const operate::Call& wanted,
                               std::string_view account) {
  operate::Operations* const operations = api.operations();
  if (operations == nullptr) co_return no_data_found(call);
  const http::Method method = call.request.method;
  const bool takes_back = method == http::Method::get || method == http::Method::head ||
                          method == http::Method::delete_;
  if (call.account.suspended && !takes_back) {
    co_return refused(
        intake::Refusal::of(ErrorKind::unauthorized, intake::texts::account_suspended()),
        call.language);
  }
  if (!account.empty()) call.request.parameters.add("account", std::string(account));
  auto given = admin::read_call(wanted, call.request, call.body.text());
  if (!given) co_return invalid(problems_of(given.error()), call.language);
  // Whether it stands for a domain is an operator's word, who is not asked here.
  if (!account.empty() && given->find("proven") != nullptr) {
    co_return refused(
        403, {"only an operator can stand for a domain.", "ドメインの保証は運用者だけが行えます。"},
        call.language);
  }
  auto response = co_await admin::carry_out(*operations, wanted, std::move(*given));
  if (response.status >= 400) co_return reshaped(response, call.language);
  co_return response;
}

}  // namespace todoku::api
