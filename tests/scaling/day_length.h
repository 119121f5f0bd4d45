// SPDX-License-Identifier: Apache-2.0
// How long the days of this folder are, in seconds.
#pragma once

namespace todoku::scaling {

inline constexpr int kMinute = 60;
inline constexpr int kHour = 3'600;
inline constexpr int kSeconds = 30 * kHour;  // a day, and the night after it

}  // namespace todoku::scaling
