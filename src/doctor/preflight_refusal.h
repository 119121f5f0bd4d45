// SPDX-License-Identifier: Apache-2.0
// Why a bulk is refused that breaks the rules for bulk senders, in whole sentences.
#pragma once

#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "doctor/preflight.h"

namespace todoku::doctor {

struct RefusalReason {
  std::string_view code;
  BilingualText text;  // what was found, of each subject; then, once, why it matters and what to do
};
// Of each code of broken_bulk_rules(), once.
[[nodiscard]] std::vector<RefusalReason> refusal_reasons(const PreflightReport& report);

}  // namespace todoku::doctor
