// SPDX-License-Identifier: Apache-2.0
// What Lambda hands over to a function ("Using AWS Lambda with Amazon S3", "Using Lambda with
// Amazon SQS"): notifications about objects and messages of a queue. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::lambda {

// Lambda's own limit of an invocation is 6 MB.
inline constexpr std::size_t kEventOctetsMax = std::size_t{8} << 20U;
inline constexpr std::size_t kRecordsMax = 1'000;

// An object that was put.
struct PutObject {
  std::string region;
  std::string bucket;
  std::string key;  // decoded
  std::string version;
  std::string sequencer;  // tells puts of the same key apart
  std::uint64_t size = 0;
};

// A message that nobody could take.
struct DeadLetter {
  std::string queue;  // its name
  std::string message_id;
  std::string received;  // how often, as SQS writes it
  std::string body;
};

struct Event {
  std::vector<PutObject> objects;
  std::vector<DeadLetter> dead_letters;
  std::size_t ignored = 0;  // records of other kinds: removals, S3's test event
};

// Errors: invalid_input (no event of these services), limit_exceeded.
[[nodiscard]] Result<Event> read_event(std::string_view text);

// The delivery that a key names: its last folder that is a whole number, "lists/1234/june.csv".
[[nodiscard]] std::optional<std::int64_t> delivery_in(std::string_view key);
// A positive whole number and nothing else.
[[nodiscard]] std::optional<std::int64_t> delivery_number(std::string_view text);

}  // namespace todoku::lambda
