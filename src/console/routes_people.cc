// SPDX-License-Identifier: Apache-2.0
// The people of an account, and what it asks of them.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "access/roles.h"
#include "base/bytes.h"
#include "console/answers.h"
#include "console/calls.h"
#include "console/console.h"

namespace todoku::console {
namespace {

using operate::Given;

void write_person(http::JsonWriter& json, const people::PersonView& person) {
  json.member("id", static_cast<std::int64_t>(person.key));
  json.member("name", person.name);
  json.member("email", person.email);
  json.member("role", access::to_string(person.role));
  json.member("language", person.language);
  json.member("suspended", person.suspended);
  instant_or_null(json, "confirmed", person.confirmed);
  instant_or_null(json, "seen", person.seen);
  json.member("second_factor", person.second_factor);
  json.member("invited", person.invited);
}

http::Response person(int status, const people::PersonView& view) {
  http::JsonWriter json;
  json.begin_object();
  write_person(json, view);
  json.end_object();
  return http::Response::json(status, json.take());
}

// With what became of the mail.
http::Response invited(int status, const people::AddedPerson& added) {
  http::JsonWriter json;
  json.begin_object();
  write_person(json, added.view);
  json.member("mailed", added.mailed);
  if (!added.mailed) json.member("command", added.command);
  json.end_object();
  return http::Response::json(status, json.take());
}

store::PersonKey key_of(const Given& given) {
  return store::PersonKey{given.number("id").value_or(0)};
}

http::Response no_such_role(const Asked& asked) {
  return refused(400, "role is owner, sender, viewer or support; of operators operator.",
                 "roleには、owner、sender、viewer、support (運用者はoperator) を指定してください。",
                 asked);
}

Task<http::Response> list_people(Asked asked) {
  const auto people = co_await asked.console.people().people(asked.who);
  if (!people) co_return refused(people.error(), asked);
  http::JsonWriter json;
  json.begin_object();
  json.key("people");
  json.begin_array();
  for (const people::PersonView& each : *people) {
    json.begin_object();
    write_person(json, each);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> add_person(Asked asked) {
  const auto role = access::parse_role(asked.given.text("role"));
  if (!role) co_return no_such_role(asked);
  const auto added = co_await asked.console.people().add(asked.who,
                                                         {.email = asked.given.text("email"),
                                                          .name = asked.given.text("name"),
                                                          .role = *role,
                                                          .language = asked.given.text("language")},
                                                         asked.visitor);
  co_return added ? invited(201, *added) : refused(added.error(), asked);
}

Task<http::Response> change_person(Asked asked) {
  people::PersonChange wanted{.suspended = asked.given.truth("suspended")};
  if (asked.given.find("name") != nullptr) wanted.name = asked.given.text("name");
  if (asked.given.find("role") != nullptr) {
    wanted.role = access::parse_role(asked.given.text("role"));
    if (!wanted.role) co_return no_such_role(asked);
  }
  const auto changed =
      co_await asked.console.people().change(asked.who, key_of(asked.given), wanted, asked.visitor);
  co_return changed ? person(200, *changed) : refused(changed.error(), asked);
}

Task<http::Response> remove_person(Asked asked) {
  const auto removed =
      co_await asked.console.people().remove(asked.who, key_of(asked.given), asked.visitor);
  co_return removed ? nothing() : refused(removed.error(), asked);
}

Task<http::Response> invite_person(Asked asked) {
  const auto again =
      co_await asked.console.people().invite(asked.who, key_of(asked.given), asked.visitor);
  co_return again ? invited(202, *again) : refused(again.error(), asked);
}

http::Response rules_json(const store::SignInRules& rules) {
  http::JsonWriter json;
  json.begin_object();
  json.member("second_factor", rules.second_factor);
  json.key("networks");
  json.begin_array();
  for (const std::string& network : rules.networks) json.value(network);
  json.end_array();
  json.member("approval", rules.approval);
  json.end_object();
  return http::Response::json(200, json.take());
}

Task<http::Response> show_rules(Asked asked) {
  const auto rules = co_await asked.console.people().rules(asked.who);
  co_return rules ? rules_json(*rules) : refused(rules.error(), asked);
}

// Given as a list, or as a text with commas between.
std::vector<std::string> networks_of(std::string_view words) {
  std::vector<std::string> networks;
  while (!words.empty()) {
    const std::size_t end = words.find(',');
    // One that is empty is none, and would not be left out silently: of nothing but that everybody
    // would be let in.
    networks.emplace_back(trim(words.substr(0, end)));
    words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
  }
  return networks;
}

Task<http::Response> put_rules(Asked asked) {
  const store::SignInRules rules{.second_factor = asked.given.truth("second_factor").value_or(true),
                                 .networks = networks_of(asked.given.text("networks")),
                                 .approval = asked.given.truth("approval").value_or(true)};
  const auto put = co_await asked.console.people().put_rules(asked.who, rules, asked.visitor);
  co_return put ? rules_json(rules) : refused(put.error(), asked);
}

constexpr std::array kPeopleRoutes{
    RouteOf{http::Method::get, Wanted::look, true, &calls::kPeople, list_people},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kAdd, add_person},
    RouteOf{http::Method::patch, Wanted::change, true, &calls::kChange, change_person},
    RouteOf{http::Method::delete_, Wanted::change, true, &calls::kRemove, remove_person},
    RouteOf{http::Method::post, Wanted::change, true, &calls::kInvite, invite_person},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kRules, show_rules},
    RouteOf{http::Method::put, Wanted::change, true, &calls::kPutRules, put_rules},
};

}  // namespace

std::span<const RouteOf> people_routes() {
  return kPeopleRoutes;
}

}  // namespace todoku::console
