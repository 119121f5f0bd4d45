// SPDX-License-Identifier: Apache-2.0
// Second factors: codes that change with time (TOTP, RFC 6238, with what programs on phones take:
// SHA-1, 30 seconds, six digits), and codes for whoever has lost the phone. Pure but for making
// secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/wipe.h"

namespace todoku::access {

inline constexpr std::chrono::seconds kTotpStep{30};
inline constexpr unsigned kTotpDigits = 6;

// 160 random bits (RFC 4226 section 4), as octets.
[[nodiscard]] SecretText new_totp_secret();
// RFC 4648 section 6, without padding.
[[nodiscard]] std::string base32(std::string_view octets);
// RFC 4226 section 5.3; `digits` up to 8.
[[nodiscard]] std::string hotp_code(std::string_view secret, std::uint64_t counter,
                                    unsigned digits = kTotpDigits);

// Which step a code is of, if it is one of now, of the step before or of the one after (RFC 6238
// section 5.2: clocks differ, and people type), and later than `last_used`: a code is good once.
// Spaces in it do not matter.
[[nodiscard]] std::optional<std::int64_t> totp_step(std::string_view secret, std::string_view code,
                                                    Instant now, std::int64_t last_used);

// What a program reads from a picture: "otpauth://totp/ISSUER:NAME?secret=...".
[[nodiscard]] SecretText totp_uri(std::string_view issuer, std::string_view name,
                                  std::string_view secret);

// "ABCD-EFGH-IJKL-MNOP", 80 random bits.
[[nodiscard]] SecretText new_recovery_code();
// SHA-256 in hex of one as it is typed: in small letters, with spaces or none. It needs no salt and
// takes no time: nobody guesses 80 bits.
[[nodiscard]] std::string recovery_hash(std::string_view code);

}  // namespace todoku::access
