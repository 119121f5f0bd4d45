// SPDX-License-Identifier: Apache-2.0
// Many phrases looked for in one text at once, so that what it costs goes by the text and not by
// the number of rules (RE2's sets: time linear in the text, whoever wrote it).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::feedback::classify {

class PhraseSet {
 public:
  // Which were found, by their numbers.
  class Found {
   public:
    explicit Found(std::size_t size) : has_(size) {}
    void add(std::size_t number) { has_[number] = true; }
    [[nodiscard]] bool has(std::size_t number) const { return has_[number]; }

   private:
    std::vector<bool> has_;
  };

  PhraseSet();
  ~PhraseSet();
  PhraseSet(PhraseSet&&) noexcept;
  PhraseSet& operator=(PhraseSet&&) noexcept;

  // Each gives its number; the same one again has the number that it had. A phrase begins and ends
  // where words do, unless '*' at its end leaves that open: "throttl*" (words.h).
  std::size_t add_phrase(std::string_view phrase);
  // What the text begins with.
  std::size_t add_beginning(std::string_view beginning);
  // A regular expression of RE2, found anywhere. Errors: invalid_input, with RE2's words.
  [[nodiscard]] Result<std::size_t> add_pattern(std::string_view pattern);
  // Once, after all were added and before find().
  void compile();

  // Safe from many threads. `words` as by readable().
  [[nodiscard]] Found find(std::string_view words) const;

 private:
  struct Machine;

  std::unique_ptr<Machine> machine_;
};

}  // namespace todoku::feedback::classify
