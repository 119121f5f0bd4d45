// SPDX-License-Identifier: Apache-2.0
// What people change through the API is on record before it is answered (docs/console.md, "The
// audit"): who, what, of which delivery, mail, address, domain, endpoint or template. Of keys it is
// not: programs send with them.
#pragma once

#include <string>
#include <string_view>

#include "async/task.h"
#include "http/message.h"
#include "store/personal_data.h"

namespace todoku::api {

class Api;
struct Call;

// What the audit calls a route that changes something. Empty: it only reads, or is on record by
// itself (views.h). A route that has no name of its own is kUnnamedChange.
[[nodiscard]] std::string_view change_of(http::Method method, std::string_view pattern);
inline constexpr std::string_view kUnnamedChange = "change";

// What a change was done to, as path, query and answer say it.
struct Changed {
  store::PublicId delivery = 0;
  store::PublicId email = 0;
  std::string address = {};
  std::string name = {};  // of a domain, an endpoint, a template
};
[[nodiscard]] Changed changed_by(const http::Request& request, std::string_view answer);

// Puts it on record. A change that is done cannot be taken back where that fails: it stands in the
// log then.
Task<void> note_change(Api& api, const Call& call, std::string_view change,
                       std::string_view answer);

}  // namespace todoku::api
