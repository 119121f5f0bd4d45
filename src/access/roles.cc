// SPDX-License-Identifier: Apache-2.0
#include "access/roles.h"

#include <algorithm>
#include <array>

namespace todoku::access {
namespace {

using store::Role;
using store::Scope;

struct Row {
  Role role;
  std::string_view word;
  store::Scopes scopes;
};
constexpr store::Scopes kAll = store::kScopesOfClients | Scope::admin;
constexpr std::array<Row, 5> kRows{{{Role::operator_, "operator", kAll},
                                    {Role::owner, "owner", kAll},
                                    {Role::sender, "sender", store::kScopesOfClients},
                                    {Role::viewer, "viewer", store::Scopes{} | Scope::read},
                                    {Role::support, "support", Scope::read | Scope::suppress}}};

}  // namespace

store::Scopes scopes_of(Role role) {
  const auto row = std::ranges::find(kRows, role, &Row::role);
  return row == kRows.end() ? store::Scopes{} : row->scopes;
}

std::string_view to_string(Role role) {
  const auto row = std::ranges::find(kRows, role, &Row::role);
  return row == kRows.end() ? std::string_view() : row->word;
}

std::optional<Role> parse_role(std::string_view word) {
  const auto row = std::ranges::find(kRows, word, &Row::word);
  return row == kRows.end() ? std::nullopt : std::optional(row->role);
}

bool may_grant(Role granter, Role role) {
  const store::Scopes held = scopes_of(granter);
  const store::Scopes granted = scopes_of(role);
  if (!store::has(held, Scope::admin) || granted == 0) return false;
  if (role == Role::operator_ && granter != Role::operator_) return false;
  return (granted & ~held) == 0;
}

}  // namespace todoku::access
