// SPDX-License-Identifier: Apache-2.0
// From where a key or a credential may be used, as people write it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::operate {

inline constexpr std::size_t kNetworksMax = 32;

// "192.0.2.0/24,2001:db8::/32", at most kNetworksMax, each in its shortest form; empty: none.
// Errors: invalid_input, naming the word.
[[nodiscard]] Result<std::vector<std::string>> read_networks(std::string_view text);

}  // namespace todoku::operate
