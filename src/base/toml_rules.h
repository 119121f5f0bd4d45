// SPDX-License-Identifier: Apache-2.0
// Reading rules that people write in TOML as lists of tables ([[reply]], [[advice]]): typed values,
// and every mistake told with its file and line. For the .cc that reads one kind of rules; the
// rules themselves know no TOML.
//
//   RuleTable rule(mistakes, "replies.toml", "reply", table);
//   const auto id = rule.text("id", {.most = 60, .required = true});
//   ...
//   rule.refuse_others();   // keys that nobody asked for
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include "base/result.h"
#include "base/toml.h"

namespace todoku {

// What is wrong with a file of rules: "replies.toml:12: reply.codes must be ...".
class RuleMistakes {
 public:
  static constexpr std::size_t kMost = 20;

  void add(std::string_view file, const toml::source_region& where, std::string_view what);
  [[nodiscard]] bool none() const { return lines_.empty(); }
  // invalid_input with a line for each of the first kMost.
  [[nodiscard]] Error error() const;

 private:
  std::vector<std::string> lines_;
};

// A file's text as TOML; a mistake of its syntax is added. Rule files are at most 1 MiB.
[[nodiscard]] std::optional<toml::table> parse_rules(RuleMistakes& mistakes, std::string_view file,
                                                     std::string_view text);

class RuleTable {
 public:
  struct TextLimits {
    std::size_t most = 100;  // octets
    bool required = false;
  };

  // All of them outlive the object. `name` is how the table is called in what is told.
  RuleTable(RuleMistakes& mistakes, std::string_view file, std::string_view name,
            const toml::table& table)
      : mistakes_(mistakes), file_(file), name_(name), table_(table) {}

  // nullopt: not there, or told as a mistake.
  std::optional<std::string> text(std::string_view key, TextLimits limits);
  std::optional<bool> yes_or_no(std::string_view key);
  std::optional<std::int64_t> whole(std::string_view key, std::int64_t least, std::int64_t most);
  // Also a whole one.
  std::optional<double> number(std::string_view key, double least, double most);
  // "2026-11-29"
  std::optional<std::string> date(std::string_view key, bool required);
  // Texts that are not empty; a single one may stand without brackets.
  std::vector<std::string> texts(std::string_view key, std::size_t count_most, std::size_t most);
  const toml::table* table(std::string_view key, bool required);
  // For the keys that were not asked for, each a mistake.
  void refuse_others();

  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  void mistake(std::string_view key, std::string_view what);
  // "replies.toml:12"
  [[nodiscard]] std::string place() const;

 private:
  const toml::node* find(std::string_view key);

  RuleMistakes& mistakes_;
  std::string_view file_;
  std::string_view name_;
  const toml::table& table_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace todoku
