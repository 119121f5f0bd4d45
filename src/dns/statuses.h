// SPDX-License-Identifier: Apache-2.0
// Enhanced status codes (RFC 3463) of what the DNS says about a receiver.
#pragma once

#include "mail/reply.h"

namespace todoku::dns {

inline constexpr EnhancedStatus kBadSystem{.klass = 5, .subject = 1, .detail = 2};
inline constexpr EnhancedStatus kNullMx{.klass = 5, .subject = 1, .detail = 10};  // RFC 7505
inline constexpr EnhancedStatus kLoop{.klass = 5, .subject = 4, .detail = 6};
inline constexpr EnhancedStatus kDirectoryFailure{.klass = 4, .subject = 4, .detail = 3};
inline constexpr EnhancedStatus kUnableToRoute{.klass = 4, .subject = 4, .detail = 4};

}  // namespace todoku::dns
