// SPDX-License-Identifier: Apache-2.0
// Sentences with facts in them, known by their form: to say them in another language.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace todoku {

// The facts where `text` has the form of `pattern`, in which '*' stands for one: each takes as
// little as it can, and at least one octet. nullopt where it has another form.
[[nodiscard]] std::optional<std::vector<std::string_view>> facts_of(std::string_view text,
                                                                    std::string_view pattern);

}  // namespace todoku
