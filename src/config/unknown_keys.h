// SPDX-License-Identifier: Apache-2.0
// The keys of which nothing is known, because what somebody wrote there cannot be used: a Config
// has their defaults, from which nothing follows.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace todoku::config {

class UnknownKeys {
 public:
  // `name`: of a key ("api.listen"), or of a section with all its keys ("api").
  void add(std::string_view name) { names_.emplace_back(name); }
  // What was meant by something is not known either.
  void add_all() { all_ = true; }

  [[nodiscard]] bool empty() const { return !all_ && names_.empty(); }
  // True if something can be said about these keys and sections together.
  [[nodiscard]] bool spare(std::initializer_list<std::string_view> names) const {
    return spare(std::span(names.begin(), names.size()));
  }
  [[nodiscard]] bool spare(std::span<const std::string_view> names) const {
    return !all_ && std::ranges::none_of(names, [this](std::string_view name) {
      return std::ranges::any_of(names_, [name](const std::string& unknown) {
        return name == unknown || is_inside(name, unknown) || is_inside(unknown, name);
      });
    });
  }

 private:
  static bool is_inside(std::string_view name, std::string_view section) {
    return name.size() > section.size() && name.starts_with(section) && name[section.size()] == '.';
  }

  std::vector<std::string> names_;
  bool all_ = false;
};

}  // namespace todoku::config
