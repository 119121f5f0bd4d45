// SPDX-License-Identifier: Apache-2.0
// Reads a policy (RFC 8461 section 3.2), the file at
// https://mta-sts.<domain>/.well-known/mta-sts.txt, and says which hosts it names (section 4.1).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::mailauth::mta_sts {

enum class Mode : std::uint8_t {
  none,     // the domain has given MTA-STS up
  testing,  // what fails goes all the same, and is counted
  enforce,  // what fails waits
};
[[nodiscard]] std::string_view to_string(Mode mode);

struct Policy {
  Mode mode = Mode::none;
  std::vector<std::string> mx;     // lower case: "mx.example.jp", "*.example.com"
  std::chrono::seconds max_age{};  // since it was fetched
  friend bool operator==(const Policy&, const Policy&) = default;
};

// RFC 8461 bounds neither the text nor its hosts; so many octets have room for some hundred hosts
// with long names, or for thousands with short ones.
inline constexpr std::size_t kPolicyOctetsMax = std::size_t{64} << 10U;
inline constexpr std::chrono::seconds kMaxAgeMax{31'557'600};  // a year

// Lines end with LF or CRLF. Unknown fields are passed over, of a field that stands there twice the
// first counts, and a larger max_age than a year is a year. Errors: invalid_input; the sentence
// names the field and what is wrong with it.
[[nodiscard]] Result<Policy> parse_policy(std::string_view text);
// The same policy as a text that parse_policy() reads, for the store: no longer than the one that
// it was read from.
[[nodiscard]] std::string to_text(const Policy& policy);

// Whether one of its mx patterns is this host: the same name, or "*." for one left-most label.
// `host` in lower case without final dot.
[[nodiscard]] bool names(const Policy& policy, std::string_view host);

}  // namespace todoku::mailauth::mta_sts
