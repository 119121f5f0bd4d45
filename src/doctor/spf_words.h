// SPDX-License-Identifier: Apache-2.0
// What the evaluation of SPF says in English, in Japanese: mailauth/spf knows no languages.
#pragma once

#include <string>
#include <string_view>

namespace todoku::doctor {

// Of spf::Verdict::problem, of the error of spf::parse_record(), or of one that names the other.
// What is not known stays as it is.
[[nodiscard]] std::string spf_in_japanese(std::string_view said);

}  // namespace todoku::doctor
