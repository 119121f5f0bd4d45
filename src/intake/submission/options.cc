// SPDX-License-Identifier: Apache-2.0
#include "intake/submission/options.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/date_time.h"
#include "base/printable.h"
#include "base/spelling.h"
#include "base/utf8.h"
#include "mail/attached.h"
#include "mail/idempotency_key.h"
#include "mime/encoded_words.h"

namespace todoku::intake::submission {
namespace {

constexpr std::size_t kValueShown = 60;
constexpr std::size_t kTextOctetsMax = 16UL * 1024;
constexpr std::size_t kPassedOverShown = 3;  // fields

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

// "sendat" as "Sendat", "SEND_AT" as "Send-At": near to what was meant.
std::string in_title_case(std::string_view name) {
  std::string title = to_ascii_lower(name);
  bool begins = true;
  for (char& c : title) {
    if (c == '_') c = '-';
    if (begins && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    begins = c == '-';
  }
  return title;
}

// A field of ours that there is not, and what may be meant.
std::string unknown_option(std::string_view name) {
  std::vector<std::string> names;
  for (const SubmissionOptionName& known : kSubmissionOptions) names.emplace_back(known.name);
  const std::string shown = printable(utf8_prefix(name, kValueShown));
  return fmt::format("{}{} is no option{}", kOptionPrefix, shown,
                     suggestion(in_title_case(shown), names));
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
  const SubmissionOptionName* const known = find_submission_option(name);
  if (known == nullptr) {
    if (allowed_ == 0 && passed_over_ >= kPassedOverShown) return {};
    const std::string why = unknown_option(name);
    if (allowed_ != 0) return fail(ErrorKind::invalid_input, why);
    pass_over(why);
    return {};
  }
  const std::string field = std::string(kOptionPrefix) + std::string(known->name);
  if (!has_option(allowed_, known->option)) {
    pass_over(fmt::format("{} is not allowed (smtp-credential change --options {})", field,
                          to_ascii_lower(known->name)));
    return {};
  }
  if (has_option(seen_, known->option)) {
    return fail(ErrorKind::invalid_input, field + " is there twice");
  }
  seen_ |= static_cast<SubmissionOptionBits>(known->option);
  const auto set_it = value.empty() ? wrong_value("is empty") : set(known->option, value);
  if (set_it) return {};
  const std::string shown = printable(utf8_prefix(value, kValueShown));
  return fail(ErrorKind::invalid_input,
              fmt::format("{}: \"{}\" {}", field, shown, set_it.error().detail));
}

void OptionReader::pass_over(std::string_view why) {
  if (++passed_over_ > kPassedOverShown) return;
  if (!unheard_.empty()) unheard_ += "; ";
  unheard_ += why;
}

Result<void> OptionReader::set(SubmissionOption option, std::string_view value) {
  switch (option) {
    case SubmissionOption::tag:
      options_.tags = comma_separated(text_of(value));
      if (std::ranges::any_of(options_.tags, &std::string::empty)) {
        return wrong_value("has an empty tag");
      }
      return options_.tags.size() <= kTagsMax
                 ? Result<void>()
                 : wrong_value(fmt::format("has more than {} tags", kTagsMax));
    case SubmissionOption::purpose:
      options_.purpose = parse_purpose(value);
      return options_.purpose ? Result<void>()
                              : wrong_value("is not advertisement, notice or transactional");
    case SubmissionOption::send_at:
      options_.send_at = parse_date_time(value);
      return options_.send_at
                 ? Result<void>()
                 : wrong_value("is no date and time such as 2026-04-01T09:00:00+09:00");
    case SubmissionOption::expires_in: {
      const auto seconds = seconds_in(value);
      if (!seconds) return fail(seconds.error());
      options_.expires_in = *seconds;
      return {};
    }
    case SubmissionOption::list_id:
      options_.list_id = text_of(value);
      return {};
    case SubmissionOption::idempotency_key:
      if (!is_idempotency_key(value)) {
        return wrong_value(
            fmt::format("is not 1 to {} visible ASCII characters", kIdempotencyKeyMax));
      }
      options_.idempotency_key = std::string(value);
      return {};
    case SubmissionOption::reference:
      options_.reference = text_of(value);
      return options_.reference->size() <= kReferenceOctetsMax
                 ? Result<void>()
                 : wrong_value(fmt::format("is longer than {} octets", kReferenceOctetsMax));
  }
}

}  // namespace todoku::intake::submission
