// SPDX-License-Identifier: Apache-2.0
// The list of public suffixes: the system's where there is one, which is kept up to date, else the
// library's. Read once; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace todoku::mailauth {

// Others' domains are below it. `domain`: A-labels, lower case, no final dot. Without a list there
// is at least the rule "*": what has one label is one (publicsuffix.org).
[[nodiscard]] bool is_public_suffix(std::string_view domain);

// The organisational domain of RFC 7489 section 3.2: the public suffix and one label more,
// "example.co.jp" of "a.mail.example.co.jp"; a public suffix is its own.
[[nodiscard]] std::string registered_domain(std::string_view domain);

}  // namespace todoku::mailauth
