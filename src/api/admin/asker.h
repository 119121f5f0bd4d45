// SPDX-License-Identifier: Apache-2.0
// Who asks for a call, for the audit.
#pragma once

#include "operate/calls/given.h"
#include "operate/personal_data.h"

namespace todoku::api::admin {

[[nodiscard]] inline operate::Asker asker_of(const operate::Given& given) {
  operate::Asker asker;
  if (given.find("actor") != nullptr) asker.actor = given.text("actor");
  if (given.find("origin") != nullptr) asker.origin = given.text("origin");
  return asker;
}

}  // namespace todoku::api::admin
