// SPDX-License-Identifier: Apache-2.0
#include "operate/calls/given.h"

#include <charconv>

#include <fmt/format.h>

#include "base/check.h"
#include "base/printable.h"

namespace todoku::operate {
namespace {

std::string_view kind_in_words(Argument::Kind kind) {
  switch (kind) {
    case Argument::Kind::text:
    case Argument::Kind::secret:
      return "a text";
    case Argument::Kind::number:
      return "a whole number";
    case Argument::Kind::truth:
      return "true or false";
  }
  return "";
}

std::unexpected<Error> wrong_kind(const Argument& argument) {
  return fail(ErrorKind::invalid_input,
              fmt::format("{} must be {}", argument.name, kind_in_words(argument.kind)));
}

Result<void> check_range(const Argument& argument, std::int64_t number) {
  if (number >= argument.min && number <= argument.max) return {};
  if (argument.max == std::numeric_limits<std::int64_t>::max()) {
    return fail(ErrorKind::invalid_input, fmt::format("{} is {}, but must be {} or more",
                                                      argument.name, number, argument.min));
  }
  return fail(ErrorKind::invalid_input,
              fmt::format("{} is {}, but must be from {} to {}", argument.name, number,
                          argument.min, argument.max));
}

}  // namespace

Result<void> Given::put(std::string_view name, Value value) {
  auto taken = take(name, value);
  auto* const left = taken ? nullptr : std::get_if<std::string>(&value);
  if (left != nullptr) wipe(*left);
  return taken;
}

Result<void> Given::take(std::string_view name, Value& value) {
  const Argument* const argument = call_->find(name);
  if (argument == nullptr) {
    return fail(ErrorKind::invalid_input,
                fmt::format("there is no argument \"{}\" here", printable(name)));
  }
  switch (argument->kind) {
    case Argument::Kind::text:
      if (!std::holds_alternative<std::string>(value)) return wrong_kind(*argument);
      break;
    case Argument::Kind::secret:
      if (auto* const text = std::get_if<std::string>(&value)) {
        value = SecretText(std::move(*text));
      } else if (!std::holds_alternative<SecretText>(value)) {
        return wrong_kind(*argument);
      }
      break;
    case Argument::Kind::number:
      if (const auto* const number = std::get_if<std::int64_t>(&value)) {
        if (auto fits = check_range(*argument, *number); !fits) return fits;
      } else {
        return wrong_kind(*argument);
      }
      break;
    case Argument::Kind::truth:
      if (!std::holds_alternative<bool>(value)) return wrong_kind(*argument);
      break;
  }
  if (!values_.try_emplace(std::string(name), std::move(value)).second) {
    return fail(ErrorKind::invalid_input, fmt::format("{} is given more than once", name));
  }
  return {};
}

Result<void> Given::put_written(std::string_view name, std::string written) {
  const Argument* const argument = call_->find(name);
  if (argument != nullptr && argument->kind == Argument::Kind::number) {
    std::int64_t number = 0;
    const char* const end = written.data() + written.size();
    const auto read = std::from_chars(written.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) return wrong_kind(*argument);
    return put(name, number);
  }
  if (argument != nullptr && argument->kind == Argument::Kind::truth) {
    if (written == "true" || written == "false") return put(name, written == "true");
    return wrong_kind(*argument);
  }
  return put(name, std::move(written));
}

Result<void> Given::complete() const {
  for (const Argument& argument : call_->arguments) {
    if (argument.needed && find(argument.name) == nullptr) {
      return fail(ErrorKind::invalid_input, fmt::format("{} is missing", argument.name));
    }
  }
  return {};
}

Given& Given::with(std::string_view name, Value value) & {
  if (const auto before = values_.find(name); before != values_.end()) values_.erase(before);
  check(put(name, std::move(value)).has_value(), "the call has this argument, of this kind");
  return *this;
}

const Given::Value* Given::find(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

std::string Given::text(std::string_view name) const {
  const Value* const value = find(name);
  const auto* const text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? std::string() : *text;
}

std::string_view Given::secret(std::string_view name) const {
  const Value* const value = find(name);
  const auto* const secret = value == nullptr ? nullptr : std::get_if<SecretText>(value);
  return secret == nullptr ? std::string_view() : secret->view();
}

SecretText Given::take_secret(std::string_view name) {
  const auto found = values_.find(name);
  if (found == values_.end()) return {};
  auto* const secret = std::get_if<SecretText>(&found->second);
  return secret == nullptr ? SecretText() : std::move(*secret);
}

std::optional<std::int64_t> Given::number(std::string_view name) const {
  const Value* const value = find(name);
  const auto* const number = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  return number == nullptr ? std::nullopt : std::optional(*number);
}

std::optional<bool> Given::truth(std::string_view name) const {
  const Value* const value = find(name);
  const auto* const truth = value == nullptr ? nullptr : std::get_if<bool>(value);
  return truth == nullptr ? std::nullopt : std::optional(*truth);
}

}  // namespace todoku::operate
