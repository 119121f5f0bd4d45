// SPDX-License-Identifier: Apache-2.0
// `todoku sink` without the rest of todoku, so that its tests need no engine.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "sink/command.h"

int main(int argc, char** argv) {
  CLI::App app("sink");
  int exit_code = 0;
  todoku::sink::add_sink_command(app, exit_code);
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
