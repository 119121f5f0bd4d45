// SPDX-License-Identifier: Apache-2.0
#include "operate/calls/given.h"

#include <charconv>

#include <fmt/format.h>

#include "base/check.h"
#include "base/printable.h"
#include "base/utf8.h"

namespace todoku::operate {
namespace {

constexpr std::size_t kNameShownMax = 64;  // octets of a name that is not known

Sentence kind_in_words(Argument::Kind kind) {
  switch (kind) {
    case Argument::Kind::text:
    case Argument::Kind::secret:
      return {"a text", "文字列"};
    case Argument::Kind::words:
      return {R"(a text with commas between its words ("a,b"), or a list of texts)",
              R"(カンマ区切りの文字列（"a,b"）または文字列の配列)"};
    case Argument::Kind::number:
      return {"a whole number", "整数"};
    case Argument::Kind::truth:
      return {"true or false", "trueまたはfalse"};
  }
  return {};
}

std::unexpected<Misgiven> misgiven(std::string_view argument, std::string en, std::string ja) {
  return std::unexpected(Misgiven{std::string(argument), {std::move(en), std::move(ja)}});
}

std::unexpected<Misgiven> wrong_kind(const Argument& argument) {
  const Sentence kind = kind_in_words(argument.kind);
  return misgiven(argument.name, fmt::format("must be {}", kind.en),
                  fmt::format("{}で指定してください", kind.ja));
}

Given::Taken check_range(const Argument& argument, std::int64_t number) {
  if (number >= argument.min && number <= argument.max) return {};
  if (argument.max == std::numeric_limits<std::int64_t>::max()) {
    return misgiven(argument.name,
                    fmt::format("is {}, but must be {} or more", number, argument.min),
                    fmt::format("{}は指定できません。{}以上にしてください", number, argument.min));
  }
  return misgiven(
      argument.name,
      fmt::format("is {}, but must be from {} to {}", number, argument.min, argument.max),
      fmt::format("{}は指定できません。{}から{}の範囲にしてください", number, argument.min,
                  argument.max));
}

}  // namespace

Error Misgiven::error() const {
  return {ErrorKind::invalid_input,
          argument.empty() ? why.en : fmt::format("{} {}", argument, why.en)};
}

Given::Taken Given::put(std::string_view name, Value value) {
  auto taken = take(name, value);
  auto* const left = taken ? nullptr : std::get_if<std::string>(&value);
  if (left != nullptr) wipe(*left);
  return taken;
}

Given::Taken Given::take(std::string_view name, Value& value) {
  const Argument* const argument = call_->find(name);
  if (argument == nullptr) {
    const std::string shown = printable(utf8_prefix(name, kNameShownMax));
    return misgiven({}, fmt::format("there is no argument \"{}\" here", shown),
                    fmt::format("ここに「{}」という項目はありません", shown));
  }
  switch (argument->kind) {
    case Argument::Kind::text:
    case Argument::Kind::words:
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
    return misgiven(name, "is given more than once", "2回以上指定されています");
  }
  return {};
}

Given::Taken Given::put_written(std::string_view name, std::string written) {
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

std::vector<Misgiven> Given::missing() const {
  std::vector<Misgiven> missing;
  for (const Argument& argument : call_->arguments) {
    if (argument.needed && find(argument.name) == nullptr) {
      missing.push_back({std::string(argument.name), {"is missing", "は必須です"}});
    }
  }
  return missing;
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
