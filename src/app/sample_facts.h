// SPDX-License-Identifier: Apache-2.0
// What is judged of a delivery by some of its recipients' mails (delivery/sample_letters.h), for
// whoever judges: preflight, lint.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "delivery/sample_letters.h"
#include "doctor/preflight.h"

namespace todoku::app {

// Recipients that are looked at, and of them those whose message is made; of large messages fewer,
// so that all together are no larger than kComposedOctetsMax, but one.
inline constexpr std::size_t kRecipientsSampled = 500;
inline constexpr std::size_t kMessagesComposed = 10;
inline constexpr std::size_t kComposedOctetsMax = std::size_t{4} << 20U;

// Until when composing and counting go on.
struct InTime {
  const Clock& clock;
  SteadyInstant end{};
  [[nodiscard]] bool is_over() const { return clock.steady_now() >= end; }
};

// Codes that some of the sample have no value for, or all: most often misspelt, or a column is
// missing. Of a template a value that is empty or blank is none.
[[nodiscard]] std::vector<doctor::MissingCode> missing_codes(const delivery::DrawnLetter& drawn);

// The domains of the sample, none of them asked about.
[[nodiscard]] std::vector<doctor::AudienceDomain> domains_of_sample(
    const delivery::DrawnLetter& drawn);

// Composes for some of the sample: fills in `samples` and `contents`, and `not_made` with those
// whose own cannot be made. Errors: what keeps every message from being made.
[[nodiscard]] Task<Result<void>> compose_some(const delivery::SampleLetters& letters,
                                              const delivery::DrawnLetter& drawn,
                                              const InTime& time, doctor::PreflightInput& input);

}  // namespace todoku::app
