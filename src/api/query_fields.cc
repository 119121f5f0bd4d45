// SPDX-License-Identifier: Apache-2.0
#include "api/query_fields.h"

#include <charconv>
#include <string>

namespace todoku::api {

std::int64_t count_parameter(const http::Query& query, std::string_view name, std::int64_t standard,
                             intake::Problems& problems) {
  constexpr std::int64_t kMax = 1'000;
  const auto* const parameter = query.find(name);
  if (parameter == nullptr || parameter->value.empty()) return standard;
  std::int64_t value = 0;
  const char* const end = parameter->value.data() + parameter->value.size();
  const auto [at, error] = std::from_chars(parameter->value.data(), end, value);
  if (error == std::errc() && at == end && value >= 1 && value <= kMax) return value;
  problems.add({std::string(name)},
               {"must be a number from 1 to 1000.", "1から1000の数値で指定してください。"});
  return standard;
}

}  // namespace todoku::api
