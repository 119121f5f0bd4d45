// SPDX-License-Identifier: Apache-2.0
// Rates of bounces and complaints, as JSON: for operators and for accounts alike.
#pragma once

#include <string>

#include "operate/rates.h"

namespace todoku::api::admin {

[[nodiscard]] std::string rates_json(const operate::RateReport& report);
[[nodiscard]] std::string rate_limits_json(const delivery::policy::ProtectionOverrides& limits);

}  // namespace todoku::api::admin
