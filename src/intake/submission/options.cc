// SPDX-License-Identifier: Apache-2.0
#include "intake/submission/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/date_time.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "mail/idempotency_key.h"
#include "mime/encoded_words.h"

namespace todoku::intake::submission {
namespace {

constexpr std::size_t kValueShown = 60;
constexpr std::size_t kTextOctetsMax = 16UL * 1024;

struct OptionName {
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array<OptionName, 6> kOptionNames{{
    {"Tag", kTagOption},
    {"Purpose", kPurposeOption},
    {"Send-At", kSendAtOption},
    {"Expires-In", kExpiresInOption},
    {"List-Id", kListIdOption},
    {"Idempotency-Key", kIdempotencyKeyOption},
}};

std::unexpected<Error> wrong_value(std::string_view clause) {
  return fail(ErrorKind::invalid_input, std::string(clause));
}

// Libraries write what is not ASCII as encoded-words, whatever the field is called.
std::string text_of(std::string_view value) {
  return std::string(trim(mime::decode_header_text(value, kTextOctetsMax)));
}

std::vector<std::string> comma_separated(std::string_view text) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    words.emplace_back(trim(text.substr(0, comma)));
    // One more than may be: how many there are beyond makes no difference.
    if (comma == text.size() || words.size() > kTagsMax) return words;
    text.remove_prefix(comma + 1);
  }
}

Result<Milliseconds> seconds_in(std::string_view value) {
  constexpr std::int64_t kYear = 366LL * 24 * 3600;
  std::int64_t seconds = 0;
  const char* const end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, seconds);
  if (read.ec != std::errc() || read.ptr != end || seconds < 1 || seconds > kYear) {
    return wrong_value("is no whole number of seconds");
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

Result<void> OptionReader::take(std::string_view name, std::string_view value) {
  const auto* const known = std::ranges::find_if(
      kOptionNames, [&](const OptionName& one) { return equals_ignoring_case(one.name, name); });
  if (known == kOptionNames.end() || (allowed_ & known->bit) == 0) return {};
  const std::string field = std::string(kOptionPrefix) + std::string(known->name);
  if ((seen_ & known->bit) != 0) {
    return fail(ErrorKind::invalid_input, field + " is there twice");
  }
  seen_ |= known->bit;
  const auto set_it = value.empty() ? wrong_value("is empty") : set(known->bit, value);
  if (set_it) return {};
  const std::string shown = printable(utf8_prefix(value, kValueShown));
  return fail(ErrorKind::invalid_input,
              fmt::format("{}: \"{}\" {}", field, shown, set_it.error().detail));
}

Result<void> OptionReader::set(std::uint32_t option, std::string_view value) {
  switch (option) {
    case kTagOption:
      options_.tags = comma_separated(text_of(value));
      return options_.tags.size() <= kTagsMax
                 ? Result<void>()
                 : wrong_value(fmt::format("has more than {} tags", kTagsMax));
    case kPurposeOption:
      options_.purpose = parse_purpose(value);
      return options_.purpose ? Result<void>()
                              : wrong_value("is not advertisement, notice or transactional");
    case kSendAtOption:
      options_.send_at = parse_date_time(value);
      return options_.send_at
                 ? Result<void>()
                 : wrong_value("is no date and time such as 2026-04-01T09:00:00+09:00");
    case kExpiresInOption: {
      const auto seconds = seconds_in(value);
      if (!seconds) return fail(seconds.error());
      options_.expires_in = *seconds;
      return {};
    }
    case kListIdOption:
      options_.list_id = text_of(value);
      return {};
    default:
      if (!is_idempotency_key(value)) {
        return wrong_value(
            fmt::format("is not 1 to {} visible ASCII characters", kIdempotencyKeyMax));
      }
      options_.idempotency_key = std::string(value);
      return {};
  }
}

}  // namespace todoku::intake::submission
