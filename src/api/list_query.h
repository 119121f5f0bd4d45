// SPDX-License-Identifier: Apache-2.0
// Reads the query of a list with the tolerance that the contract's clients need (blastengine-api.md
// sections 2.11 and 2.15), and names every parameter that is wrong. Those that are not asked for
// are ignored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
  [[nodiscard]] std::optional<store::PublicId> id(std::string_view name) const;
  [[nodiscard]] std::optional<Instant> date(std::string_view name) const;
  [[nodiscard]] std::vector<store::DeliverySort> sort() const;

 private:
  const http::Query& query_;
  intake::Problems& problems_;
};

}  // namespace todoku::api
