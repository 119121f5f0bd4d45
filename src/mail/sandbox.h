// SPDX-License-Identifier: Apache-2.0
// Names of the sandbox: what accounts for trials send goes nowhere (delivery/policy/sandbox.h).
#pragma once

#include <string_view>

namespace todoku {

// Whose local parts say how their mail ends. Nobody can own it (RFC 2606 section 2).
inline constexpr std::string_view kSandboxDomain = "sandbox.invalid";
// The receiver that a story of such mail names.
inline constexpr std::string_view kSandboxHost = "mx.sandbox.invalid";
// As a site, under which outcomes are counted.
inline constexpr std::string_view kSandboxSite = "sandbox";

}  // namespace todoku
