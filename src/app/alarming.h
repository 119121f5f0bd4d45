// SPDX-License-Identifier: Apache-2.0
// Joins alarms (alarms/alarmer.h) to the configuration: the ways by which operators are told.
#pragma once

#include <memory>
#include <vector>

#include "alarms/alarmer.h"
#include "async/runtime.h"
#include "config/config.h"

namespace todoku::app {

// Those that are configured. Everything given outlives them.
[[nodiscard]] std::vector<alarms::Way> alarm_ways(const config::Config& config, const Clock& clock,
                                                  async::Runtime& runtime);

// nullptr: nobody is told. Everything given outlives it.
[[nodiscard]] std::unique_ptr<alarms::Alarmer> make_alarmer(const config::Config& config,
                                                            const Clock& clock, Metrics& metrics,
                                                            async::Runtime& runtime);

}  // namespace todoku::app
