// SPDX-License-Identifier: Apache-2.0
// Our mechanisms in the SPF record of a domain that may have one already: it has exactly one, or
// none counts (RFC 7208 section 3.2), so what is there is kept and ours is put into it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::doctor {

struct SpfMerge {
  std::string text;          // the one record that should be there
  bool is_changed = false;   // against what is there; false: nothing is to be done
  std::size_t replaced = 0;  // records that are to be taken away for it; 2 or more are a fault
  // Terms of what is there that cannot be read, with the reason: "ip4:192.0.2.256": holds no IPv4
  // address. By one of them the whole record counts for nothing (section 4.6), so `text` goes
  // without; at most kSpfTermsNamedMax, printable.
  std::vector<std::string> left_out;
};

inline constexpr std::size_t kSpfTermsNamedMax = 4;

// How a record ends where there is none yet: what is said of all others.
inline constexpr std::string_view kFromSpfEnd = "~all";
inline constexpr std::string_view kReturnPathSpfEnd = "-all";
// Section 3.4: a record should fit an answer of 512 octets with all else.
inline constexpr std::size_t kSpfOctetsWanted = 450;

// `texts` are the TXT records at the name, of any kind. `mechanisms` as "ip4:192.0.2.1" or
// "include:spf.example.com": those that are not there yet, or covered by a network that is, come
// first, so that they decide before anything else is asked. `end` is how a record ends where there
// is none yet: "-all" or "~all"; one that is there without an end says nothing of others, and so it
// stays: "?all" (section 4.7). Modifiers that are there are kept (section 6). Where nothing is a
// record, one that is in quotation marks or backslashes, as a panel puts them, was meant to be it.
// Errors: invalid_input (one of `mechanisms` is none), limit_exceeded (a record that is too long).
[[nodiscard]] Result<SpfMerge> merge_spf(const std::vector<std::string>& texts,
                                         const std::vector<std::string>& mechanisms,
                                         std::string_view end);

}  // namespace todoku::doctor
