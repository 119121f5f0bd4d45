// SPDX-License-Identifier: Apache-2.0
// Why a mail of the engine's own was not accepted, in one line for its log.
#pragma once

#include <string>

#include "intake/problem.h"

namespace todoku::app {

[[nodiscard]] inline std::string sentence_of(const intake::Refusal& refusal) {
  std::string sentence;
  for (const intake::Problem& problem : refusal.problems.list()) {
    if (!sentence.empty()) sentence += "; ";
    sentence += problem.text.en;
  }
  return sentence;
}

}  // namespace todoku::app
