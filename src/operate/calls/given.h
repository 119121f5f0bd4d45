// SPDX-License-Identifier: Apache-2.0
// The values of one call's arguments.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bilingual.h"
#include "base/result.h"
#include "base/wipe.h"
#include "operate/calls/call.h"

namespace todoku::operate {

// Why what was given does not do.
struct Misgiven {
  std::string argument;  // empty: the call as a whole
  // Of an argument a clause that follows its name; else a sentence. Without a full stop.
  BilingualText why;

  // As one sentence, for who has no fields to tell it by: invalid_input.
  [[nodiscard]] Error error() const;
};

class Given {
 public:
  using Taken = std::expected<void, Misgiven>;
  // monostate: something of a kind that no argument has.
  using Value = std::variant<std::monostate, std::string, SecretText, std::int64_t, bool>;

  explicit Given(const Call& call) : call_(&call) {}

  // Refused, naming value and limit, where the call has no such argument, or not of this kind or in
  // this range, or it is there already. A secret and words are given as a text.
  // What is refused is wiped: it may be a secret under a wrong name.
  [[nodiscard]] Taken put(std::string_view name, Value value);
  // The same of what was written as text, in a path or a query.
  [[nodiscard]] Taken put_written(std::string_view name, std::string written);
  // What is needed and is not there.
  [[nodiscard]] std::vector<Misgiven> missing() const;

  // For who makes calls: takes the place of what was there. A value that does not fit is a mistake
  // of the program, which is aborted.
  Given& with(std::string_view name, Value value) &;
  Given&& with(std::string_view name, Value value) && {
    return std::move(with(name, std::move(value)));
  }

  [[nodiscard]] const Call& call() const { return *call_; }
  // Empty, absent: it was not given.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::string_view secret(std::string_view name) const;
  [[nodiscard]] SecretText take_secret(std::string_view name);
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;
  [[nodiscard]] std::optional<bool> truth(std::string_view name) const;
  // nullptr: it was not given.
  [[nodiscard]] const Value* find(std::string_view name) const;

 private:
  // Takes `value` if it fits.
  [[nodiscard]] Taken take(std::string_view name, Value& value);

  const Call* call_;
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace todoku::operate
