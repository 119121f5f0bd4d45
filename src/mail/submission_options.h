// SPDX-License-Identifier: Apache-2.0
// What a message may say to us in X-Todoku-* fields of its header. Which of them is listened to is
// decided by the credential: by default none, because relaying hosts pass on the headers of
// strangers.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace todoku {

// As bits. Stored: never renumber.
enum class SubmissionOption : std::uint32_t {
  tag = 1,
  purpose = 2,
  send_at = 4,
  expires_in = 8,
  list_id = 16,
  idempotency_key = 32,
  reference = 64,
};
using SubmissionOptionBits = std::uint32_t;

struct SubmissionOptionName {
  std::string_view name;  // the field is X-Todoku- and this; commands write it in small letters
  SubmissionOption option;
};
inline constexpr std::array<SubmissionOptionName, 7> kSubmissionOptions{{
    {"Tag", SubmissionOption::tag},
    {"Purpose", SubmissionOption::purpose},
    {"Send-At", SubmissionOption::send_at},
    {"Expires-In", SubmissionOption::expires_in},
    {"List-Id", SubmissionOption::list_id},
    {"Idempotency-Key", SubmissionOption::idempotency_key},
    {"Reference", SubmissionOption::reference},
}};

[[nodiscard]] constexpr bool has_option(SubmissionOptionBits bits, SubmissionOption option) {
  return (bits & static_cast<SubmissionOptionBits>(option)) != 0;
}

// As commands write them, for a sentence: "tag, purpose, send-at, expires-in, list-id,
// idempotency-key and reference".
[[nodiscard]] inline std::string submission_option_words() {
  std::string words;
  for (const SubmissionOptionName& known : kSubmissionOptions) {
    const bool is_last = &known == &kSubmissionOptions.back();
    if (!words.empty()) words += is_last ? " and " : ", ";
    words += to_ascii_lower(known.name);
  }
  return words;
}

// In any spelling of letters; nullptr: there is none of this name.
[[nodiscard]] inline const SubmissionOptionName* find_submission_option(std::string_view name) {
  for (const SubmissionOptionName& known : kSubmissionOptions) {
    if (equals_ignoring_case(known.name, name)) return &known;
  }
  return nullptr;
}

}  // namespace todoku
