// SPDX-License-Identifier: Apache-2.0
// What Lambda hands over: whatever comes, it is read within its bounds, and nothing of it can lead
// to another host than the bucket's.
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "lambda/events.h"
#include "lambda/object_store.h"

namespace lambda = todoku::lambda;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto event = lambda::read_event(text)) {
    todoku::check(event->objects.size() + event->dead_letters.size() <= lambda::kRecordsMax,
                  "no more records than are taken");
    for (const lambda::PutObject& put : event->objects) {
      todoku::check(!put.key.empty() && todoku::is_utf8(put.key), "a key is text");
      const lambda::ObjectPlace place = lambda::place_of(put, "");
      todoku::check(place.host.find_first_of("/?#@ :") == std::string::npos, "a host is a host");
      todoku::check(place.host.contains(".amazonaws.com"), "and one of AWS");
      todoku::check(place.path.find_first_of("?# \r\n") == std::string::npos, "a path is a path");
    }
  }
  if (const auto delivery = lambda::delivery_in(text)) todoku::check(*delivery > 0, "a number");
  return 0;
}
