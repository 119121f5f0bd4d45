// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace todoku::feedback::classify {

// rules/replies.toml as it was when the engine was built.
[[nodiscard]] std::string_view shipped_reply_rules();

}  // namespace todoku::feedback::classify
