// SPDX-License-Identifier: Apache-2.0
// The console's files by path. Pure.
#pragma once

#include <span>
#include <string_view>

#include "base/bilingual.h"
#include "console/assets.h"
#include "http/message.h"

namespace todoku::console {

// Every path that is none of a file gets the one page, which reads the path itself; below /assets/,
// /api/ and /console/v1/ there is nothing but what there is.
[[nodiscard]] http::Response page_at(std::span<const Asset> assets, const http::Request& request,
                                     Language language);

// Whether what the client accepts (RFC 9110 section 12.5.3) has gzip in it.
[[nodiscard]] bool takes_gzip(std::string_view accept_encoding);

}  // namespace todoku::console
