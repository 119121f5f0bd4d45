// SPDX-License-Identifier: Apache-2.0
// What operators see of the installation, and do to it: the operations of the admin socket with
// their answers. What changes something is in the audit by its commit.
#include <array>
#include <string>
#include <utility>

#include "api/admin/account_change.h"
#include "api/admin/json.h"
#include "api/admin/routes.h"
#include "api/operations.h"
#include "console/answers.h"
#include "console/calls.h"
#include "console/console.h"

namespace todoku::console {
namespace {

namespace asked_of = operate::calls;

// An answer of the admin socket, whose failures are of its own shape.
template <const operate::Call& kCall>
Task<http::Response> look(Asked asked) {
  if (auto closed = closed_to(asked, false)) co_return std::move(*closed);
  auto response =
      co_await api::admin::carry_out(asked.console.operations(), kCall, std::move(asked.given));
  if (response.status >= 400) co_return api::reshaped(response, asked.language);
  co_return response;
}

Task<http::Response> release_stuck(Asked asked) {
  if (auto closed = closed_to(asked, false)) co_return std::move(*closed);
  const auto released = co_await asked.console.operations().release_stuck(
      asked.given.text("account"), asked.given.number("email_id").value_or(0), granter(asked));
  co_return released ? nothing() : refused(released.error(), asked);
}

Task<http::Response> release_user(Asked asked) {
  if (auto closed = closed_to(asked, false)) co_return std::move(*closed);
  const auto released = co_await asked.console.operations().release_smtp_credential(
      asked.given.text("account"), asked.given.text("name"), granter(asked));
  co_return released ? nothing() : refused(released.error(), asked);
}

Task<http::Response> add_account(Asked asked) {
  if (auto closed = closed_to(asked, false)) co_return std::move(*closed);
  // Its keys are for who acts for it to make: each is in the audit.
  operate::NewAccount wanted{.name = asked.given.text("name"),
                             .weight = asked.given.number("weight").value_or(1),
                             .with_key = false,
                             .sandbox = asked.given.truth("sandbox").value_or(false),
                             .by = granter(asked)};
  const auto added = co_await asked.console.operations().add_account(std::move(wanted));
  if (!added) co_return refused(added.error(), asked);
  co_return http::Response::json(201, api::admin::account_json(*added));
}

Task<http::Response> change_account(Asked asked) {
  if (auto closed = closed_to(asked, false)) co_return std::move(*closed);
  const auto changed = co_await asked.console.operations().change_account(
      asked.given.text("account"), api::admin::account_change(asked.given), granter(asked));
  if (!changed) co_return refused(changed.error(), asked);
  co_return http::Response::json(200, api::admin::changed_account_json(*changed));
}

constexpr auto kLooks = people::People::Use::looks;

constexpr std::array kOperatorRoutes{
    RouteOf{http::Method::post, Wanted::change, true, &calls::kAddAccount, add_account},
    RouteOf{http::Method::patch, Wanted::change, true, &calls::kChangeAccount, change_account},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kStatus, look<asked_of::kStatus>,
            kLooks},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kNodes, look<asked_of::kListNodes>,
            kLooks},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kLanes, look<asked_of::kLanes>, kLooks},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kSources, look<asked_of::kSources>,
            kLooks},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kStuck, look<asked_of::kListStuck>,
            kLooks},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kReleaseStuck, release_stuck},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kReleaseUser, release_user},
};

}  // namespace

std::span<const RouteOf> operator_routes() {
  return kOperatorRoutes;
}

}  // namespace todoku::console
