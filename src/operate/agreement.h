// SPDX-License-Identifier: Apache-2.0
// What every process of a cluster must be configured with alike: from where is sent, and under
// which names. Each says on its node's row what it goes by (store::NewNode::settings); here it is
// compared, because who chooses a source and who sends from it are different processes. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "store/nodes.h"

namespace todoku::operate {

// By what it is about, as "egress mx1" or "the return path's domain"; the value is for people, too.
using Settings = std::map<std::string, std::string>;

[[nodiscard]] std::string to_text(const Settings& settings);
// What is no line of it, as of a version to come, is left out.
[[nodiscard]] Settings parse_settings(std::string_view text);

// What one process has otherwise than another. An empty value: it has none.
struct Difference {
  std::string what;
  std::string node;  // of the first
  std::string there;
  std::string other_node;
  std::string other;
};

// Each node that lives against the first that lives, as far as both say something; at most `most`.
[[nodiscard]] std::vector<Difference> differences(const std::vector<store::Node>& nodes,
                                                  std::size_t most = 20);

[[nodiscard]] std::string to_sentence(const Difference& difference, Language language);

}  // namespace todoku::operate
