// SPDX-License-Identifier: Apache-2.0
// Joins alarms (alarms/alarmer.h) to the configuration: the ways by which operators are told.
#pragma once

#include <memory>

#include "alarms/alarmer.h"
#include "async/runtime.h"
#include "config/config.h"

namespace todoku::app {

// nullptr: nobody is told. Everything given outlives it.
[[nodiscard]] std::unique_ptr<alarms::Alarmer> make_alarmer(const config::Config& config,
                                                            const Clock& clock, Metrics& metrics,
                                                            async::Runtime& runtime);

}  // namespace todoku::app
