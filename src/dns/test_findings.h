// SPDX-License-Identifier: Apache-2.0
// What a check of the resolver may find, for tests.
#pragma once

#include "dns/resolver_health.h"

namespace todoku::dns {

// Of resolvers that answer every name with it.
inline const net::IpAddress kInvented = *net::IpAddress::parse("192.0.2.66");

inline CheckFinding check_passed() {
  return {.result = CheckFinding::Result::passed, .problem = {}, .invents = false, .invented = {}};
}
inline CheckFinding check_silent() {
  return {.result = CheckFinding::Result::no_answer,
          .problem = "no name server answers",
          .invents = false,
          .invented = {}};
}
inline CheckFinding check_denies() {
  return {.result = CheckFinding::Result::failed,
          .problem = "it denies com.",
          .invents = false,
          .invented = {}};
}
inline CheckFinding check_invents() {
  return {.result = CheckFinding::Result::failed,
          .problem = "it invents addresses",
          .invents = true,
          .invented = {kInvented}};
}

}  // namespace todoku::dns
