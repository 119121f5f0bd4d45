// SPDX-License-Identifier: Apache-2.0
// Why a lane goes as fast as it does, in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bilingual.h"
#include "delivery/policy/adaptive_pace.h"

namespace todoku::explain {

// A sentence without its end.
[[nodiscard]] Sentence pace_words(delivery::policy::PaceReason reason);
// The same of a reason by its name; nullopt: there is none of that name.
[[nodiscard]] std::optional<Sentence> pace_words(std::string_view reason);
// The name of a reason by the number that is stored; of none that is known: "starting".
[[nodiscard]] std::string_view pace_name(std::int64_t stored);

}  // namespace todoku::explain
