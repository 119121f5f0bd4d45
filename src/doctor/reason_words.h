// SPDX-License-Identifier: Apache-2.0
// What evaluators say in English, in Japanese: mailauth knows no languages.
#pragma once

#include <string>
#include <string_view>

namespace todoku::doctor {

// Of reasons, problems and warnings of mailauth, and of errors of dns; parts of a sentence by
// themselves. What is not known stays as it is.
[[nodiscard]] std::string reason_in_japanese(std::string_view said);

}  // namespace todoku::doctor
