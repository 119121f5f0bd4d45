// SPDX-License-Identifier: Apache-2.0
// What a node says of itself for people (Node::roles): "api,courier on mail1.example.jp", as an
// engine enters (app/engine.cc).
#pragma once

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>

#include "store/nodes.h"

namespace todoku::store {

inline constexpr std::array<std::string_view, 4> kRoles = {"api", "scheduler", "courier", "events"};

[[nodiscard]] inline bool has_role(const Node& node, std::string_view role) {
  const std::string_view roles = std::string_view(node.roles).substr(0, node.roles.find(' '));
  return std::ranges::any_of(std::views::split(roles, ','), [&](const auto part) {
    return std::string_view(part.begin(), part.end()) == role;
  });
}

}  // namespace todoku::store
