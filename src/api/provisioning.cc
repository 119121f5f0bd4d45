// SPDX-License-Identifier: Apache-2.0
// Accounts and their keys, for programs that set up customers: by a key with the scope admin of the
// account that the installation names for it, from networks that it lists. Not in the contract.
#include <algorithm>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "api/api.h"
#include "api/operations.h"
#include "base/log.h"
#include "http/json.h"
#include "operate/calls/calls.h"

namespace todoku::api {
namespace {

namespace calls = operate::calls;

std::optional<http::Response> not_open(const Api& api, const Call& call) {
  const Options& options = api.options();
  // An owner of that account is a person of it, not who runs the installation.
  if (call.usher != nullptr) {
    return refused(403,
                   {"accounts are managed by API keys, not by people who are signed in.",
                    "アカウントの管理はAPIキーでのみ行えます。サインインした利用者は行えません。"},
                   call.language);
  }
  const bool is_operators = !options.provisioning_account.empty() &&
                            call.account.name == options.provisioning_account &&
                            net::contain(options.provisioning_networks, call.from);
  if (is_operators) return std::nullopt;
  log::warning("provisioning refused",
               {{"by", call.account.name}, {"who", call.actor}, {"from", call.from.to_string()}});
  if (options.provisioning_account.empty()) {
    return refused(403,
                   {"accounts are not managed over the API here: api.provisioning_account is not "
                    "configured.",
                    "APIによるアカウント管理は無効です (api.provisioning_accountが未設定)。"},
                   call.language);
  }
  return refused(403,
                 {"this key may not manage accounts from here.",
                  "このキーでは、ここからアカウントを管理できません。"},
                 call.language);
}

// The name of an account that was made: its path does not tell.
std::string made_by(const operate::Call& done, const http::Response& response) {
  if (&done != &calls::kAddAccount || response.status != 201) return {};
  http::JsonArena arena;
  const auto account = http::parse_json(response.body, arena);
  if (!account || !account->is_object()) return {};
  const auto* const name = account->get_object().if_contains("name");
  return name != nullptr && name->is_string() ? std::string(name->get_string()) : std::string();
}

bool is_closed(const Api& api, const Call& call) {
  const std::string& closed = api.options().closed_account;
  return !closed.empty() && call.request.parameters.get("account") == closed;
}

// A list without the account that is not found here.
void leave_out(std::string_view closed, http::Response& response) {
  if (closed.empty() || response.status != 200) return;
  auto list = boost::json::parse(response.body);
  auto& accounts = list.as_object().at("accounts").as_array();
  const auto found = std::ranges::find_if(accounts, [closed](const boost::json::value& each) {
    return each.as_object().at("name").as_string() == closed;
  });
  if (found == accounts.end()) return;
  accounts.erase(found);
  response.body = boost::json::serialize(list);
}

Task<http::Response> carry_out(Api& api, Call& call, const operate::Call& wanted) {
  if (is_closed(api, call)) co_return no_data_found(call);
  if (&wanted == &calls::kAddAccount) {
    co_return co_await make_call_once(api, call, wanted, {}, store::KeyedRoute::account);
  }
  if (&wanted == &calls::kAddKey) {
    co_return co_await make_call_once(api, call, wanted, {}, store::KeyedRoute::api_key);
  }
  co_return co_await make_call(api, call, wanted, {});
}

// Who did what is on record, whatever came of it.
template <const operate::Call& kCall>
Task<http::Response> provision(Api& api, Call& call) {
  if (auto closed = not_open(api, call)) co_return std::move(*closed);
  auto response = co_await carry_out(api, call, kCall);
  if constexpr (&kCall == &calls::kListAccounts) leave_out(api.options().closed_account, response);
  if (kCall.verb != operate::Verb::get) {
    log::info("provisioning", {{"by", call.account.name},
                               {"who", call.actor},
                               {"from", call.from.to_string()},
                               {"method", http::to_string(call.request.method)},
                               {"path", call.request.path},
                               {"made", made_by(kCall, response)},
                               {"status", response.status}});
  }
  co_return response;
}

}  // namespace

void add_provisioning_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/accounts", kAdmin, &provision<calls::kListAccounts>);
  api.add(router, post, "/accounts", kAdmin, &provision<calls::kAddAccount>);
  api.add(router, get, "/accounts/{account}", kAdmin, &provision<calls::kShowAccount>);
  api.add(router, patch, "/accounts/{account}", kAdmin, &provision<calls::kChangeAccount>);
  api.add(router, get, "/accounts/{account}/keys", kAdmin, &provision<calls::kListKeys>);
  api.add(router, post, "/accounts/{account}/keys", kAdmin, &provision<calls::kAddKey>);
  api.add(router, delete_, "/accounts/{account}/keys/{id}", kAdmin, &provision<calls::kRevokeKey>);
  api.add(router, post, "/accounts/{account}/keys/{id}/rotate", kAdmin,
          &provision<calls::kRotateKey>);
}

}  // namespace todoku::api
