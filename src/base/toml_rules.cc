// SPDX-License-Identifier: Apache-2.0
#include "base/toml_rules.h"

#include <utility>

#include <fmt/format.h>

#include "base/spelling.h"

namespace todoku {
namespace {

constexpr std::size_t kFileMost = 1024UL * 1024;

std::string_view as_view(const toml::key& key) {
  return key.str();
}

}  // namespace

void RuleMistakes::add(std::string_view file, const toml::source_region& where,
                       std::string_view what) {
  if (lines_.size() < kMost) {
    lines_.push_back(fmt::format("{}:{}: {}", file, where.begin.line, what));
  }
}

Error RuleMistakes::error() const {
  Error error{ErrorKind::invalid_input, {}};
  for (const std::string& line : lines_) {
    if (!error.detail.empty()) error.detail += '\n';
    error.detail += line;
  }
  return error;
}

std::optional<toml::table> parse_rules(RuleMistakes& mistakes, std::string_view file,
                                       std::string_view text) {
  if (text.size() > kFileMost) {
    mistakes.add(file, {}, fmt::format("a file of rules has at most {} octets", kFileMost));
    return std::nullopt;
  }
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    mistakes.add(file, parsed.error().source(), parsed.error().description());
    return std::nullopt;
  }
  return std::move(parsed).table();
}

const toml::node* RuleTable::find(std::string_view key) {
  asked_.emplace(key);
  return table_.get(key);
}

void RuleTable::mistake(std::string_view key, std::string_view what) {
  const toml::node* value = table_.get(key);
  mistakes_.add(file_, value == nullptr ? table_.source() : value->source(),
                fmt::format("{}.{} {}", name_, key, what));
}

std::string RuleTable::place() const {
  return fmt::format("{}:{}", file_, table_.source().begin.line);
}

std::optional<std::string> RuleTable::text(std::string_view key, TextLimits limits) {
  const toml::node* value = find(key);
  if (value == nullptr) {
    if (limits.required) mistake(key, "is missing");
    return std::nullopt;
  }
  auto words = value->value_exact<std::string>();
  if (!words || words->empty() || words->size() > limits.most) {
    mistake(key, fmt::format("must be text of 1 to {} octets", limits.most));
    return std::nullopt;
  }
  return words;
}

std::optional<bool> RuleTable::yes_or_no(std::string_view key) {
  const toml::node* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto yes = value->value_exact<bool>();
  if (!yes) mistake(key, "must be true or false");
  return yes;
}

std::optional<std::int64_t> RuleTable::whole(std::string_view key, std::int64_t least,
                                             std::int64_t most) {
  const toml::node* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = value->value_exact<std::int64_t>();
  if (number && *number >= least && *number <= most) return number;
  mistake(key, fmt::format("must be a whole number from {} to {}", least, most));
  return std::nullopt;
}

std::optional<double> RuleTable::number(std::string_view key, double least, double most) {
  const toml::node* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = value->is_number() ? value->value<double>() : std::nullopt;
  if (number && *number >= least && *number <= most) return number;
  mistake(key, fmt::format("must be a number from {} to {}", least, most));
  return std::nullopt;
}

std::optional<std::string> RuleTable::date(std::string_view key, bool required) {
  const toml::node* value = find(key);
  if (value == nullptr) {
    if (required) mistake(key, "is missing");
    return std::nullopt;
  }
  const auto day = value->value_exact<toml::date>();
  if (!day) {
    mistake(key, "must be a date such as 2026-01-31, without quotes");
    return std::nullopt;
  }
  return fmt::format("{:04}-{:02}-{:02}", day->year, day->month, day->day);
}

std::vector<std::string> RuleTable::texts(std::string_view key, std::size_t count_most,
                                          std::size_t most) {
  const toml::node* value = find(key);
  if (value == nullptr) return {};
  std::vector<std::string> found;
  const auto take = [&](const toml::node& item) {
    auto words = item.value_exact<std::string>();
    if (!words || words->empty() || words->size() > most) return false;
    found.push_back(*std::move(words));
    return true;
  };
  bool good = true;
  if (const toml::array* items = value->as_array(); items != nullptr) {
    good = !items->empty() && items->size() <= count_most;
    for (auto item = items->begin(); good && item != items->end(); ++item) good = take(*item);
  } else {
    good = take(*value);
  }
  if (good) return found;
  mistake(key, fmt::format("must be 1 to {} texts of 1 to {} octets", count_most, most));
  return {};
}

const toml::table* RuleTable::table(std::string_view key, bool required) {
  const toml::node* value = find(key);
  if (value == nullptr) {
    if (required) mistake(key, "is missing");
    return nullptr;
  }
  if (const toml::table* found = value->as_table(); found != nullptr) return found;
  mistake(key, "must be a table");
  return nullptr;
}

void RuleTable::refuse_others() {
  const std::vector<std::string> names(asked_.begin(), asked_.end());
  for (const auto& [key, value] : table_) {
    if (asked_.contains(as_view(key))) continue;
    mistakes_.add(file_, key.source(),
                  fmt::format("{}.{} is not a key of it{}", name_, as_view(key),
                              suggestion(as_view(key), names)));
  }
}

}  // namespace todoku
