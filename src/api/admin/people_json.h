// SPDX-License-Identifier: Apache-2.0
// People who sign in at the console, as JSON. Times are RFC 3339 in UTC.
#pragma once

#include <string>
#include <vector>

#include "operate/people.h"

namespace todoku::api::admin {

[[nodiscard]] std::string people_json(const std::vector<operate::PersonRow>& people);
[[nodiscard]] std::string person_link_json(const operate::PersonLink& link);

}  // namespace todoku::api::admin
