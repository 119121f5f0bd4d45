// SPDX-License-Identifier: Apache-2.0
// What mail/address.h says of a text that is no address, in Japanese.
#pragma once

#include <string>
#include <string_view>

namespace todoku {

// Of a clause such as "has no @"; empty if it is not known.
[[nodiscard]] std::string address_clause_in_japanese(std::string_view clause);

}  // namespace todoku
