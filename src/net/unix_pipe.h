// SPDX-License-Identifier: Apache-2.0
// A program's own input and output as the two ends of a Unix socket, for one thread that has
// nothing else to do.
#pragma once

#include <string>

#include "base/result.h"

namespace todoku::net {

// Connects to the socket at `path`; what it says goes to `output`, and what `input` says to it, but
// only once it has said something, because there are protocols in which the server speaks first.
// The end of `input` is passed on; returns when the socket ends. Blocks; `input` and `output` may
// be anything that poll(2) takes. Errors: those of dial_unix() (dialer.h), when nothing has been
// read; io.
[[nodiscard]] Result<void> pipe_to_unix_socket(const std::string& path, int input, int output);

}  // namespace todoku::net
