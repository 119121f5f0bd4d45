// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sim/checks.h"
#include "sim/world.h"

namespace todoku::sim {

// Plays it, and every promise is kept.
inline void expect_kept(World& world) {
  world.play();
  const Findings findings = check_promises(world);
  for (const std::string& promise : findings.broken) ADD_FAILURE() << promise;
  if (!findings.broken.empty()) fmt::print("{}", world.trace().tail());
}

}  // namespace todoku::sim
