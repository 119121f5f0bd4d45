// SPDX-License-Identifier: Apache-2.0
// Any octets as an MTA-STS policy. Oracles: nothing dies; what is read keeps its bounds, and its
// text is the same policy; a wildcard never stands for more than one label.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "mailauth/mta_sts/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku::mailauth::mta_sts;
  using todoku::check;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = parse_policy(text);
  if (!policy) return 0;
  check(to_text(*policy).size() <= text.size(), "what is kept of it is no longer");
  check(policy->max_age.count() >= 0 && policy->max_age <= kMaxAgeMax, "its age is bounded");
  check(parse_policy(to_text(*policy)) == *policy, "its text is the same policy");
  for (const std::string& pattern : policy->mx) {
    const bool is_wild = pattern.starts_with("*.");
    const std::string base = is_wild ? pattern.substr(1) : pattern;
    check(
        names({.mode = Mode::enforce, .mx = {pattern}, .max_age = {}}, is_wild ? "a" + base : base),
        "a pattern names its host");
    check(!names({.mode = Mode::enforce, .mx = {pattern}, .max_age = {}}, "a.b" + base) || !is_wild,
          "a wildcard is one label");
  }
  return 0;
}
