// SPDX-License-Identifier: Apache-2.0
#include "api/list_query.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "api/members.h"
#include "base/bytes.h"
#include "base/date_time.h"
#include "base/utf8.h"

namespace todoku::api {
namespace {

// What stands between other characters in an array parameter; also in the text "['A', 'B']" that
// one client sends.
template <class Belongs>
std::vector<std::string> pieces_of(const http::Query& query, std::string_view name,
                                   Belongs belongs) {
  std::vector<std::string> pieces;
  for (const std::string_view value : query.all(name)) {
    std::string piece;
    for (const char c : std::string(value) + ",") {
      if (belongs(c)) {
        piece += c;
      } else if (!piece.empty()) {
        pieces.push_back(std::exchange(piece, {}));
      }
    }
  }
  return pieces;
}

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

const http::Query::Parameter* ListQuery::find(std::string_view name) const {
  read_.emplace(name);
  return query_.find(name);
}

std::string ListQuery::unread() const {
  UnreadNames names;
  std::set<std::string_view> told;
  for (const auto& parameter : query_.parameters()) {
    if (!read_.contains(parameter.name) && told.insert(parameter.name).second) {
      names.add("", parameter.name);
    }
  }
  for (const auto& [name, word] : ignored_) names.add(name + "=", word);
  return names.text();
}

std::string ListQuery::text(std::string_view name, std::size_t max) const {
  const auto* parameter = find(name);
  if (parameter == nullptr) return {};
  if (utf8_length(parameter->value) > max) {
    problems_.add({std::string(name)}, intake::texts::length(0, max));
  }
  // Not every store can be asked for what is no text. U+0000 cannot come in a query.
  if (!is_utf8(parameter->value)) problems_.add({std::string(name)}, intake::texts::not_utf8());
  return parameter->value;
}

std::vector<std::string> ListQuery::words(std::string_view name) const {
  constexpr std::size_t kMax = 10;
  read_.emplace(name);
  std::vector<std::string> words = pieces_of(query_, name, [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  });
  if (words.size() > kMax) problems_.add({std::string(name)}, intake::texts::too_many(kMax));
  if (std::ranges::find(words, "ALL") != words.end()) words.clear();
  return words;
}

std::vector<int> ListQuery::numbers(std::string_view name, std::size_t many, int most) const {
  read_.emplace(name);
  const auto words = pieces_of(query_, name, [](char c) {
    constexpr std::string_view kBetween = " ,'\"[]";
    return !kBetween.contains(c);
  });
  if (words.size() > many) problems_.add({std::string(name)}, intake::texts::too_many(many));
  std::vector<int> numbers;
  for (const std::string& word : words) {
    const auto number = whole_number<int>(word);
    if (number && *number >= 0 && *number <= most) {
      numbers.push_back(*number);
    } else {
      problems_.add({std::string(name)}, intake::texts::invalid_format(word));
    }
  }
  return numbers;
}

std::int64_t ListQuery::number(std::string_view name, std::int64_t standard,
                               std::int64_t most) const {
  const auto* parameter = find(name);
  if (parameter == nullptr || parameter->value.empty()) return standard;
  const auto value = whole_number<std::int64_t>(parameter->value);
  if (value && *value >= 1 && *value <= most) return *value;
  problems_.add({std::string(name)}, {fmt::format("must be a number from 1 to {}.", most),
                                      fmt::format("1から{}の数値で指定してください。", most)});
  return standard;
}

bool ListQuery::truth(std::string_view name) const {
  read_.emplace(name);
  // An index that is no number has stayed in the name.
  const std::string indexed = std::string(name) + "[";
  std::vector<std::string_view> words;
  for (const auto& parameter : query_.parameters()) {
    if (parameter.name == name) {
      words.emplace_back(parameter.value);
    } else if (parameter.name.starts_with(indexed)) {
      words.emplace_back(parameter.name);
    }
  }
  if (words.empty()) return false;
  if (words.size() > 1) {
    problems_.add({std::string(name)}, intake::texts::given_twice());
    return false;
  }
  const std::string_view word = words.front();
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  // What is shown of it must be text.
  problems_.add({std::string(name)}, is_utf8(word) ? intake::texts::not_one_of(word, "true, false")
                                                   : intake::texts::not_utf8());
  return false;
}

std::optional<store::PublicId> ListQuery::id(std::string_view name) const {
  const auto* parameter = find(name);
  if (parameter == nullptr || parameter->value.empty()) return std::nullopt;
  const auto value = whole_number<store::PublicId>(parameter->value);
  if (value && *value >= 1) return value;
  problems_.add({std::string(name)},
                {"must be a positive number.", "正の数値で指定してください。"});
  return std::nullopt;
}

std::optional<Instant> ListQuery::date(std::string_view name) const {
  const auto* parameter = find(name);
  if (parameter == nullptr || parameter->value.empty()) return std::nullopt;
  auto instant = parse_date_time(parameter->literal);
  if (!instant) instant = parse_date_time(parameter->value);
  if (!instant) problems_.add({std::string(name)}, intake::texts::invalid_date(parameter->value));
  return instant;
}

std::vector<store::DeliverySort> ListQuery::sort() const {
  using store::DeliverySort;
  std::vector<DeliverySort> order;
  read_.emplace("sort");
  for (const std::string_view value : query_.all("sort")) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string word = to_ascii_lower(trim(rest.substr(0, comma)));
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      if (word == "delivery_time:asc")
        order.push_back(DeliverySort::delivery_time_ascending);
      else if (word == "delivery_time:desc")
        order.push_back(DeliverySort::delivery_time_descending);
      else if (word == "updated_time:asc")
        order.push_back(DeliverySort::updated_time_ascending);
      else if (word == "updated_time:desc")
        order.push_back(DeliverySort::updated_time_descending);
      else if (!word.empty())
        problems_.add({"sort"}, intake::texts::invalid_format(word));
    }
  }
  return order;
}

}  // namespace todoku::api
