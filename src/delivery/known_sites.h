// SPDX-License-Identifier: Apache-2.0
// Which site the mail of a domain goes to, as far as it was told lately: two generations of bounded
// size, of which the older one goes when the younger one is full. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace todoku::delivery {

class KnownSites {
 public:
  // It remembers at least the last `most` domains, and at most twice as many.
  explicit KnownSites(std::size_t most) : most_(most) {}

  // False if exactly that is known already.
  bool learn(std::string_view domain, std::string_view site) {
    const std::string* const known = find(domain);
    if (known != nullptr && *known == site) return false;
    if (young_.size() >= most_) grow_old();
    young_.insert_or_assign(std::string(domain), std::string(site));
    return true;
  }
  // nullptr: not known. Valid until the next change.
  [[nodiscard]] const std::string* find(std::string_view domain) const {
    for (const Sites* const sites : {&young_, &old_}) {
      const auto found = sites->find(domain);
      if (found != sites->end()) return &found->second;
    }
    return nullptr;
  }
  // What was not learnt since the last time is forgotten.
  void grow_old() { old_ = std::exchange(young_, {}); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Sites = std::unordered_map<std::string, std::string, Hash, std::equal_to<>>;

  const std::size_t most_;
  Sites young_;
  Sites old_;
};

}  // namespace todoku::delivery
