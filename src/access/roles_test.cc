// SPDX-License-Identifier: Apache-2.0
#include "access/roles.h"

#include <array>

#include <gtest/gtest.h>

#include "access/scopes.h"

namespace todoku::access {
namespace {

using store::Role;

constexpr std::array kRoles{Role::operator_, Role::owner, Role::sender, Role::viewer,
                            Role::support};

TEST(Roles, AreSetsOfTheScopesOfKeys) {
  EXPECT_EQ(to_string(scopes_of(Role::operator_)), "send,read,content,suppress,admin");
  EXPECT_EQ(to_string(scopes_of(Role::owner)), "send,read,content,suppress,admin");
  EXPECT_EQ(to_string(scopes_of(Role::sender)), "send,read,content,suppress");
  EXPECT_EQ(to_string(scopes_of(Role::viewer)), "read");
  EXPECT_EQ(to_string(scopes_of(Role::support)), "read,suppress");
  EXPECT_EQ(scopes_of(Role{99}), 0) << "of a later version";
}

TEST(Roles, HaveWords) {
  for (const Role role : kRoles) EXPECT_EQ(parse_role(to_string(role)), role);
  EXPECT_EQ(parse_role("operator"), Role::operator_);
  for (const char* wrong : {"", "operator_", "Owner", "root"}) {
    EXPECT_EQ(parse_role(wrong), std::nullopt) << wrong;
  }
}

TEST(Roles, NobodyGrantsMoreThanHeHas) {
  for (const Role role : kRoles) {
    EXPECT_TRUE(may_grant(Role::operator_, role)) << to_string(role);
    EXPECT_EQ(may_grant(Role::owner, role), role != Role::operator_) << to_string(role);
    for (const Role granter : {Role::sender, Role::viewer, Role::support, Role{99}}) {
      EXPECT_FALSE(may_grant(granter, role)) << to_string(granter) << " " << to_string(role);
    }
  }
  EXPECT_FALSE(may_grant(Role::operator_, Role{99}));
}

}  // namespace
}  // namespace todoku::access
