// SPDX-License-Identifier: Apache-2.0
// How `todoku rules explain` words what a receiver's answer means.
#pragma once

#include <string>

#include "base/bilingual.h"
#include "feedback/classify/meaning.h"

namespace todoku::cli {

[[nodiscard]] Sentence words_of(feedback::classify::Whose whose);
[[nodiscard]] Sentence words_of(feedback::classify::NextStep next);
// Where a dialogue may end: "none, dns, connect, ..."
[[nodiscard]] std::string stage_names();

}  // namespace todoku::cli
