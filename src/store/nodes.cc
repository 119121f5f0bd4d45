// SPDX-License-Identifier: Apache-2.0
#include "store/nodes.h"

#include <algorithm>

#include <fmt/format.h>

namespace todoku::store {

std::string lives_here(const Node& other) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(other.left).count();
  return fmt::format(
      "the process of node {} (version {}, roles {}) works on this store, and only one may; its "
      "lease runs for {} s unless it renews it",
      other.name, other.version, other.roles, std::max<std::int64_t>(left, 0));
}

std::unexpected<Error> not_known_to(std::int64_t nodes, Novelty what) {
  const auto subject = [what]() -> std::string_view {
    switch (what) {
      case Novelty::sandboxes:
        return "sandboxes, and would send their mail";
      case Novelty::allowed_recipients:
        return "allowed_recipients, and would send to others, too";
      case Novelty::templates:
        return "templates, and would send their codes as they are written";
      case Novelty::steering:
        return "paces and quiet hours, and would not keep to them";
      case Novelty::people:
        return "people who sign in, and would serve keys of the account that mails them";
      case Novelty::approvals:
        return "approvals, and would start what nobody has approved";
    }
    return "it";
  };
  return fail(ErrorKind::unsupported,
              fmt::format("older_version_lives: {} processes of an older version work on this "
                          "store, which do not know {}; `todoku nodes` lists them: replace or stop "
                          "them first; one that was killed counts for 15 s more",
                          nodes, subject()));
}

Result<std::string> joined_sources(std::span<const std::string> sources) {
  std::string text;
  for (const std::string& source : sources) {
    if (source.empty() || source.contains('\n')) {
      return fail(ErrorKind::invalid_input, "not a name of a source");
    }
    text += source;
    text += '\n';
  }
  if (text.size() > kSourcesMax) return fail(ErrorKind::invalid_input, "too many sources");
  return text;
}

std::vector<std::string> split_sources(std::string_view text) {
  std::vector<std::string> sources;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    sources.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return sources;
}

}  // namespace todoku::store
