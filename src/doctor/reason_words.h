// SPDX-License-Identifier: Apache-2.0
// What evaluators say in English, in Japanese: mailauth knows no languages.
#pragma once

#include <string>
#include <string_view>

namespace todoku::doctor {

// Of spf::Verdict::problem and of the errors of spf::parse_record() and dkim::parse_key_record().
// What is not known stays as it is.
[[nodiscard]] std::string reason_in_japanese(std::string_view said);

}  // namespace todoku::doctor
