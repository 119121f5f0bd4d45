// SPDX-License-Identifier: Apache-2.0
// Metrics as Prometheus reads them: text format 0.0.4.
#pragma once

#include <string>
#include <string_view>

#include "base/metrics.h"

namespace todoku::ops {

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

[[nodiscard]] std::string exposition(const Metrics& metrics);

}  // namespace todoku::ops
