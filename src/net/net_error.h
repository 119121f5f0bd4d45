// SPDX-License-Identifier: Apache-2.0
// What the operating system said, as our kinds of errors. Private to net/.
#pragma once

#include <string_view>

#include <boost/system/error_code.hpp>

#include "base/result.h"

namespace todoku::net {

// `doing` opens the sentence, e.g. "connect": "connect: Connection refused".
[[nodiscard]] Error to_error(std::string_view doing, const boost::system::error_code& code);
[[nodiscard]] Error errno_to_error(std::string_view doing, int number);

}  // namespace todoku::net
