// SPDX-License-Identifier: Apache-2.0
// Resend's POST /emails and /emails/batch.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "api/doors/letter.h"

namespace todoku::api::doors::resend {

inline constexpr std::size_t kMailsMax = 100;

[[nodiscard]] Letter read(const boost::json::object& object, const intake::Limits& limits);

}  // namespace todoku::api::doors::resend
