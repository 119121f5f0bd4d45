// SPDX-License-Identifier: Apache-2.0
// API keys and SMTP credentials of an account, for its owners and for operators who act for it.
// What opens a door is shown once, when it is made.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "api/admin/json.h"
#include "console/answers.h"
#include "console/calls.h"
#include "console/console.h"

namespace todoku::console {
namespace {

namespace admin = api::admin;

// So many at most are told: those that open something, and of the others the newest.
constexpr std::size_t kKeysTold = 200;
constexpr std::int64_t kUsersUsually = 100;
constexpr std::int64_t kOverlapUsually = 24;  // hours

// Nothing is made for a suspended account; what it has can be seen and taken back.
std::optional<http::Response> closed_door(const Asked& asked, bool makes) {
  if (auto closed = closed_to(asked, true)) return closed;
  if (!asked.who->account) {
    return refused(409, "choose the account to look at first.",
                   "先に対象のアカウントを選択してください。", asked);
  }
  if (makes && asked.who->account->suspended) {
    return refused(423, "this account is suspended.", "このアカウントは停止されています。", asked);
  }
  return std::nullopt;
}

// A list that is given and empty would open more than one that names something.
std::optional<http::Response> empty_list(const Asked& asked, std::string_view name) {
  if (asked.given.find(name) == nullptr || !asked.given.text(name).empty()) return std::nullopt;
  return refused(400, std::string(name) + " is empty: leave it out, or name some.",
                 std::string(name) + "が空です。省略するか、1つ以上指定してください。", asked);
}

Task<http::Response> list_keys(Asked asked) {
  if (auto closed = closed_door(asked, false)) co_return std::move(*closed);
  auto keys = co_await asked.console.operations().keys(asked.who->account->name);
  if (!keys) co_return refused(std::move(keys.error()), asked);
  const auto is_over = [](const operate::KeyView& view) {
    return view.expired || view.key.revoked;
  };
  std::ranges::sort(*keys, [&](const operate::KeyView& one, const operate::KeyView& other) {
    if (is_over(one) != is_over(other)) return is_over(other);
    return one.key.id > other.key.id;
  });
  if (keys->size() > kKeysTold) keys->erase(keys->begin() + kKeysTold, keys->end());
  co_return http::Response::json(200, admin::keys_json(*keys));
}

Task<http::Response> add_key(Asked asked) {
  if (auto closed = closed_door(asked, true)) co_return std::move(*closed);
  for (const std::string_view list : {"scopes", "networks"}) {
    if (auto empty = empty_list(asked, list)) co_return std::move(*empty);
  }
  operate::NewKey wanted{.account = asked.who->account->name,
                         .label = asked.given.text("label"),
                         .scopes = asked.given.text("scopes"),
                         .networks = asked.given.text("networks"),
                         .days = asked.given.number("days"),
                         .by = granter(asked)};
  const auto issued = co_await asked.console.operations().add_key(std::move(wanted));
  if (!issued) co_return refused(issued.error(), asked);
  co_return http::Response::json(201, admin::issued_key_json(*issued));
}

Task<http::Response> rotate_key(Asked asked) {
  if (auto closed = closed_door(asked, true)) co_return std::move(*closed);
  const auto rotated = co_await asked.console.operations().rotate_key(
      asked.who->account->name, asked.given.number("id").value_or(0),
      asked.given.number("overlap_hours").value_or(kOverlapUsually), granter(asked));
  if (!rotated) co_return refused(rotated.error(), asked);
  co_return http::Response::json(201, admin::rotated_key_json(*rotated));
}

Task<http::Response> end_key(Asked asked) {
  if (auto closed = closed_door(asked, false)) co_return std::move(*closed);
  const auto ended = co_await asked.console.operations().revoke_key(
      asked.who->account->name, asked.given.number("id").value_or(0), granter(asked));
  co_return ended ? nothing() : refused(ended.error(), asked);
}

Task<http::Response> list_users(Asked asked) {
  if (auto closed = closed_door(asked, false)) co_return std::move(*closed);
  const auto users = co_await asked.console.operations().smtp_credentials(
      asked.who->account->name, asked.given.text("after"),
      asked.given.number("limit").value_or(kUsersUsually));
  if (!users) co_return refused(users.error(), asked);
  co_return http::Response::json(200, admin::smtp_credentials_json(*users));
}

Task<http::Response> add_user(Asked asked) {
  if (auto closed = closed_door(asked, true)) co_return std::move(*closed);
  if (auto empty = empty_list(asked, "networks")) co_return std::move(*empty);
  operate::SmtpTerms terms{.traffic = asked.text_if_given("traffic"),
                           .networks = asked.text_if_given("networks"),
                           .from_address = asked.text_if_given("from_address"),
                           .days = asked.given.number("days")};
  const auto issued = co_await asked.console.operations().add_smtp_credential(
      asked.who->account->name, asked.given.text("name"), std::move(terms), SecretText(),
      granter(asked));
  if (!issued) co_return refused(issued.error(), asked);
  co_return http::Response::json(201, admin::issued_smtp_json(*issued));
}

Task<http::Response> rotate_user(Asked asked) {
  if (auto closed = closed_door(asked, true)) co_return std::move(*closed);
  const auto issued = co_await asked.console.operations().rotate_smtp_credential(
      asked.who->account->name, asked.given.text("name"),
      asked.given.number("overlap_hours").value_or(kOverlapUsually), SecretText(), granter(asked));
  if (!issued) co_return refused(issued.error(), asked);
  co_return http::Response::json(201, admin::issued_smtp_json(*issued));
}

Task<http::Response> end_user(Asked asked) {
  if (auto closed = closed_door(asked, false)) co_return std::move(*closed);
  const auto ended = co_await asked.console.operations().revoke_smtp_credential(
      asked.who->account->name, asked.given.text("name"), granter(asked));
  co_return ended ? nothing() : refused(ended.error(), asked);
}

constexpr std::array kKeyRoutes{
    RouteOf{http::Method::get, Wanted::look, true, &calls::kKeys, list_keys},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kAddKey, add_key},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kRotateKey, rotate_key},
    RouteOf{http::Method::delete_, Wanted::change, true, &calls::kEndKey, end_key},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kUsers, list_users},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kAddUser, add_user},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kRotateUser, rotate_user},
    RouteOf{http::Method::delete_, Wanted::change, true, &calls::kEndUser, end_user},
};

}  // namespace

std::span<const RouteOf> key_routes() {
  return kKeyRoutes;
}

}  // namespace todoku::console
