// SPDX-License-Identifier: Apache-2.0
// What an operation, a check or a file says of its failure, in Japanese: those who say it know
// English only.
#pragma once

#include <string>
#include <string_view>

namespace todoku::cli {

// What is not known stays as it is.
[[nodiscard]] std::string failure_in_japanese(std::string_view said);

}  // namespace todoku::cli
