// SPDX-License-Identifier: Apache-2.0
// Where a client has reached us, for links in answers. Pure.
#pragma once

#include <string>

#include "http/message.h"

namespace todoku::http {

// "https://127.0.0.1:8025": of the Host field if that names this machine, by a name or address of
// its own loopback or by the address at which the connection came; else of that address. Whoever
// sends a request chooses its Host, and a link made of it may lead anybody's token anywhere.
[[nodiscard]] std::string origin_of(const Request& request);

}  // namespace todoku::http
