// SPDX-License-Identifier: Apache-2.0
// Reads the query of a list with the tolerance that the contract's clients need (blastengine-api.md
// sections 2.11 and 2.15), and names every parameter that is wrong. Those that are not asked for
// are ignored, and told.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/query.h"
#include "intake/problem.h"
#include "store/deliveries.h"

namespace todoku::api {

class ListQuery {
 public:
  ListQuery(const http::Query& query, intake::Problems& problems)
      : query_(query), problems_(problems) {}

  [[nodiscard]] std::string text(std::string_view name, std::size_t max) const;
  // Of a list; none if one of them is ALL. Words that mean nothing are for the caller to ignore:
  // clients mix the words of two lists (contract section 7).
  [[nodiscard]] std::vector<std::string> words(std::string_view name) const;
  // Of a list of numbers up to `most`.
  [[nodiscard]] std::vector<int> numbers(std::string_view name, std::size_t many, int most) const;
  // From 1 to `most`.
  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t standard,
                                    std::int64_t most = 1000) const;
  // true or 1, false or 0; absent: false. What decides whether mail goes out is not guessed: a
  // parameter without a value, another word and a second one are wrong.
  [[nodiscard]] bool truth(std::string_view name) const;
  [[nodiscard]] std::optional<store::PublicId> id(std::string_view name) const;
  [[nodiscard]] std::optional<Instant> date(std::string_view name) const;
  [[nodiscard]] std::vector<store::DeliverySort> sort() const;

  // A word of words(name) means nothing here.
  void ignore(std::string_view name, std::string_view word) const {
    ignored_.emplace_back(name, word);
  }
  // Parameters that nobody has asked for until now, and words that were ignored, for
  // kUnknownHeader: else a slip would be taken for a list of all.
  [[nodiscard]] std::string unread() const;

 private:
  [[nodiscard]] const http::Query::Parameter* find(std::string_view name) const;

  const http::Query& query_;
  intake::Problems& problems_;
  mutable std::set<std::string, std::less<>> read_;
  mutable std::vector<std::pair<std::string, std::string>> ignored_;
};

}  // namespace todoku::api
