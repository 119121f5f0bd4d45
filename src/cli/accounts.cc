// SPDX-License-Identifier: Apache-2.0
// todoku account add|list|suspend|resume|weight|text-from-html
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "cli/commands.h"
#include "cli/issued_key.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

int change(Session& session, const std::string& name, std::string_view what,
           operate::Given::Value value, std::string_view done) {
  return session.call(
      Given(calls::kChangeAccount).with("account", name).with(what, std::move(value)),
      [&](const boost::json::value&) {
        fmt::print(session.out(), "Account {} {}.\n", name, done);
      });
}

}  // namespace

int account_add(Session& session, const AccountAdd& options) {
  return session.call(Given(calls::kAddAccount)
                          .with("name", options.name)
                          .with("weight", options.weight)
                          .with("with_key", !options.without_key),
                      [&](const boost::json::value& account) {
                        fmt::print(session.out(), "Account {} added.\n", options.name);
                        if (!options.without_key) {
                          print_issued_key(session.out(), account.at("key"));
                        }
                      });
}

int account_list(Session& session) {
  return session.list(
      Given(calls::kListAccounts), "accounts", [&](const boost::json::value& answer) {
        std::vector<std::vector<std::string>> rows = {
            {"ACCOUNT", "STATE", "WEIGHT", "KEYS", "ADDED", "TEXT FROM HTML"}};
        for (const auto& account : list_of(answer, "accounts")) {
          rows.push_back(
              {text_of(account, "name"), truth_of(account, "suspended") ? "suspended" : "active",
               fmt::format("{}", number_of(account, "weight")),
               fmt::format("{}", number_of(account, "keys")), time_of(account, "created"),
               truth_of(account, "text_from_html") ? "on" : "off"});
        }
        print_table(session.out(), std::move(rows));
      });
}

int account_suspend(Session& session, const std::string& name, bool suspended) {
  return change(
      session, name, "suspended", suspended,
      suspended ? "suspended: its requests are refused and nothing new is started" : "resumed");
}

int account_weight(Session& session, const std::string& name, std::int64_t weight) {
  return change(session, name, "weight", weight, fmt::format("now has weight {}", weight));
}

int account_text_from_html(Session& session, const std::string& name, bool on) {
  return change(session, name, "text_from_html", on,
                on ? "now gets a text part made for mail that has HTML only"
                   : "now has its mail with HTML only sent without a text part");
}

}  // namespace todoku::cli
