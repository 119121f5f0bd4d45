// SPDX-License-Identifier: Apache-2.0
// What is kept of an address, as JSON. Times are RFC 3339 in UTC.
#pragma once

#include <string>

#include "operate/personal_data.h"

namespace todoku::api::admin {

[[nodiscard]] std::string personal_json(const operate::PersonalPage& page);
[[nodiscard]] std::string erasure_json(const operate::Erasure& erasure);
[[nodiscard]] std::string audit_json(const operate::AuditPage& page);

}  // namespace todoku::api::admin
