// SPDX-License-Identifier: Apache-2.0
// Why somebody does not get what they asked for, in both languages of the console.
#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"

namespace todoku::people {

struct Refusal {
  ErrorKind kind = ErrorKind::unauthorized;
  BilingualText reason;
  Milliseconds wait{};  // of limit_exceeded: so long until it may be tried again
};

template <class T>
using Answer = std::expected<T, Refusal>;

[[nodiscard]] inline std::unexpected<Refusal> refuse(ErrorKind kind, std::string en,
                                                     std::string ja) {
  return std::unexpected(Refusal{kind, {std::move(en), std::move(ja)}, {}});
}

// What the store says, which has no Japanese.
[[nodiscard]] inline std::unexpected<Refusal> refuse(Error error) {
  std::string detail = std::move(error.detail);
  return std::unexpected(Refusal{error.kind, {detail, detail}, {}});
}

}  // namespace todoku::people
