// SPDX-License-Identifier: Apache-2.0
// The HTML of a mail as a page of its own, for a frame to show. It holds what anybody has written:
// its policy is what it is held by, not that it was read well. Pure.
//
// Under that policy it is of no origin, runs nothing, sends nothing and asks for nothing, whoever
// shows it. Nothing is taken out of it but links to resources: browsers connect to where a
// <link rel="preconnect"> leads whatever the policy says (Resource Hints, section 2).
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace todoku::api {

inline constexpr std::string_view kMailPagePolicy =
    "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'";

// 200. `html`: in UTF-8, as large as it may be shown (mime/shown_mail.h).
[[nodiscard]] http::Response mail_page(std::string_view html);

}  // namespace todoku::api
