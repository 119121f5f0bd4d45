// SPDX-License-Identifier: Apache-2.0
// `todoku sink`: the command line of the sink, and its life as a process.
#pragma once

#include <string>

#include "base/result.h"
#include "sink/options.h"

namespace CLI {
class App;
}

namespace todoku::sink {

// Adds the subcommand "sink" to `app`. If it is chosen, parsing runs it to its end and sets
// `exit_code`.
void add_sink_command(CLI::App& app, int& exit_code);

// Plays the receivers until SIGTERM or SIGINT, then returns 0; 1 if it cannot begin, with the
// reason on standard error. The report goes to options.report_file every second and at the end;
// without one, to standard output at the end and on SIGUSR1. Not to be called after other threads
// began.
[[nodiscard]] int run_sink(Options options);

}  // namespace todoku::sink
