// SPDX-License-Identifier: Apache-2.0
// To whom an account may send that is for trials: addresses and domains.
//
//   ken@example.jp     this address
//   example.jp         all addresses at this domain, not below it
//   *.example.jp       all addresses at domains below it
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku {

inline constexpr std::size_t kAllowListEntriesMax = 100;

// As it is kept: an entry a line, in lower case and A-labels, each once. `text`: entries with white
// space or commas between; empty: everybody may be sent to. Errors: invalid_input, naming the entry
// that is none, or that there are more than kAllowListEntriesMax.
[[nodiscard]] Result<std::string> read_allow_list(std::string_view text);

// Whether it lets an address pass, which is as Address::to_string() writes it. `list`: as
// read_allow_list() gives it.
[[nodiscard]] bool allows(std::string_view list, std::string_view address);

}  // namespace todoku
