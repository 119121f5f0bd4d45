// SPDX-License-Identifier: Apache-2.0
// JSON: in steps of any size the same value or the same kind of fault comes out, and no array is
// kept beyond its limit.
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/serialize.hpp>

#include "base/check.h"
#include "http/json.h"

namespace {

using todoku::http::JsonLimits;

void check_arrays(const boost::json::value& value, const JsonLimits& limits) {
  if (value.is_array()) {
    todoku::check(value.get_array().size() <= limits.elements_max + 1, "an array has its limit");
    for (const auto& element : value.get_array()) check_arrays(element, limits);
  } else if (value.is_object()) {
    todoku::check(value.get_object().size() <= limits.members_max, "an object has its limit");
    for (const auto& member : value.get_object()) check_arrays(member.value(), limits);
  }
}

std::string read(std::string_view text, std::size_t step) {
  const JsonLimits limits{.depth_max = 8, .elements_max = 3, .members_max = 5};
  todoku::http::JsonArena arena;
  todoku::http::JsonReader reader(text, arena, limits);
  auto done = reader.read_on(step);
  while (done && !*done) done = reader.read_on(step);
  if (!done) {
    todoku::check(done.error() == reader.fault().error, "the fault is the error");
    todoku::check(reader.fault().offset <= text.size(), "the fault is in the text");
    return "!" + std::to_string(static_cast<int>(reader.fault().kind));
  }
  const boost::json::value value = reader.take();
  check_arrays(value, limits);
  return boost::json::serialize(value);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string whole = read(text, size + 1);
  todoku::check(read(text, 1) == whole, "octet by octet");
  todoku::check(read(text, 3) == whole, "three at a time");
  return 0;
}
