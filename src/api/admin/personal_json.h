// SPDX-License-Identifier: Apache-2.0
// What is kept of an address, as JSON. Times are RFC 3339 in UTC.
#pragma once

#include <chrono>
#include <string>

#include "operate/personal_data.h"

namespace todoku::api::admin {

[[nodiscard]] std::string personal_json(const operate::PersonalPage& page);
[[nodiscard]] std::string erasure_json(const operate::Erasure& erasure);
// With the times for people as well, so far east of UTC.
[[nodiscard]] std::string audit_json(const operate::AuditPage& page, std::chrono::minutes offset);

}  // namespace todoku::api::admin
