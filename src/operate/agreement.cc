// SPDX-License-Identifier: Apache-2.0
#include "operate/agreement.h"

#include <fmt/format.h>

namespace todoku::operate {
namespace {

// A line each, key and value apart by a tab.
std::string without_marks(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

std::string value_of(const Settings& settings, const std::string& what) {
  const auto found = settings.find(what);
  return found == settings.end() ? std::string() : found->second;
}

}  // namespace

std::string to_text(const Settings& settings) {
  std::string text;
  for (const auto& [what, value] : settings) {
    text += fmt::format("{}\t{}\n", without_marks(what), without_marks(value));
  }
  return text;
}

Settings parse_settings(std::string_view text) {
  Settings settings;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) continue;
    settings.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return settings;
}

std::vector<Difference> differences(const std::vector<store::Node>& nodes, std::size_t most) {
  std::vector<Difference> found;
  const store::Node* first = nullptr;
  Settings expected;
  for (const store::Node& node : nodes) {
    // A version that says nothing cannot be compared.
    if (node.is_void || node.left <= Milliseconds(0) || node.settings.empty()) continue;
    Settings settings = parse_settings(node.settings);
    if (first == nullptr) {
      first = &node;
      expected = std::move(settings);
      continue;
    }
    Settings all = expected;
    all.insert(settings.begin(), settings.end());
    for (const auto& [what, value] : all) {
      Difference one{.what = what,
                     .node = first->name,
                     .there = value_of(expected, what),
                     .other_node = node.name,
                     .other = value_of(settings, what)};
      if (one.there == one.other) continue;
      found.push_back(std::move(one));
      if (found.size() == most) return found;
    }
  }
  return found;
}

std::string to_sentence(const Difference& difference, Language language) {
  constexpr Sentence kDiffers{
      "{0} is not the same everywhere: {2} at node {1}, {4} at node {3}; give all processes the "
      "same and restart them",
      "{0} がプロセスによって異なります: ノード {1} では {2}、ノード {3} では "
      "{4}。すべて同じ設定にして再起動してください"};
  constexpr Sentence kNone{"none", "なし"};
  const auto shown = [&](const std::string& value) {
    return value.empty() ? std::string(kNone.in(language)) : value;
  };
  return fmt::format(fmt::runtime(kDiffers.in(language)), difference.what, difference.node,
                     shown(difference.there), difference.other_node, shown(difference.other));
}

}  // namespace todoku::operate
