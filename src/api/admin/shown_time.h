// SPDX-License-Identifier: Apache-2.0
// Times in answers.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "explain/time_text.h"
#include "http/json.h"

namespace todoku::api::admin {

// "2026-01-05T01:00:00Z"
[[nodiscard]] std::string time_text(Instant instant);
// Nothing where there is none.
void add_time(http::JsonWriter& json, std::string_view name, std::optional<Instant> instant);
// Also for people, as `<name>_text`, in the zone of the API where none is asked for.
void add_shown_time(http::JsonWriter& json, const std::string& name, std::optional<Instant> instant,
                    std::chrono::minutes offset = explain::kJapan);

}  // namespace todoku::api::admin
