// SPDX-License-Identifier: Apache-2.0
// How long an account's mail is kept after it is over, where that is another time than the
// installation's (configuration, `retention`). A setting of the store; no store knows of it.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/result.h"
#include "store/store.h"

namespace todoku::store {

inline constexpr std::int64_t kRetentionDaysMax = 3'650;

// In days since a delivery was over; 0: as the installation has it, and there: without an end.
struct KeptFor {
  std::int64_t content_days = 0;  // what was said
  std::int64_t story_days = 0;    // the delivery with its recipients and what became of them
  friend bool operator==(const KeptFor&, const KeptFor&) = default;
};

[[nodiscard]] inline std::string retention_setting(AccountKey account) {
  return fmt::format("retention/{}", static_cast<std::int64_t>(account));
}

[[nodiscard]] inline std::string written(const KeptFor& kept) {
  return fmt::format("{} {}", kept.content_days, kept.story_days);
}

// nullopt: nobody wrote that.
[[nodiscard]] inline std::optional<KeptFor> read_kept_for(std::string_view text) {
  KeptFor kept;
  const char* const end = text.data() + text.size();
  const auto content = std::from_chars(text.data(), end, kept.content_days);
  if (content.ec != std::errc() || content.ptr == end || *content.ptr != ' ') return std::nullopt;
  const auto story = std::from_chars(content.ptr + 1, end, kept.story_days);
  if (story.ec != std::errc() || story.ptr != end) return std::nullopt;
  return kept;
}

// Until when all that started has lost its content: what looks for more begins there.
[[nodiscard]] inline std::string erased_until_setting(AccountKey account) {
  return fmt::format("retention_erased/{}", static_cast<std::int64_t>(account));
}

// nullopt: nothing that can be read is said; all is looked at.
[[nodiscard]] inline Result<std::optional<Instant>> erased_until(ReadTransaction& reader,
                                                                 AccountKey account) {
  const auto setting = reader.setting(erased_until_setting(account));
  if (!setting) return fail(setting.error());
  if (!*setting) return std::nullopt;
  std::int64_t ms = 0;
  const std::string& text = **setting;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return from_epoch_ms(ms);
}

// What is said of this account alone; zeros: nothing.
[[nodiscard]] inline Result<KeptFor> kept_for(ReadTransaction& reader, AccountKey account) {
  const auto setting = reader.setting(retention_setting(account));
  if (!setting) return fail(setting.error());
  if (!*setting) return KeptFor{};
  const auto kept = read_kept_for(**setting);
  if (!kept) return fail(ErrorKind::corrupt, "the retention of an account cannot be read");
  return *kept;
}

// Of two rules the account's, where it has one.
[[nodiscard]] constexpr KeptFor over(const KeptFor& of_account, const KeptFor& of_all) {
  return {of_account.content_days != 0 ? of_account.content_days : of_all.content_days,
          of_account.story_days != 0 ? of_account.story_days : of_all.story_days};
}

}  // namespace todoku::store
