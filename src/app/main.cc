// SPDX-License-Identifier: Apache-2.0
// The todoku program.
#include <iostream>

#include "app/program.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  todoku::app::Program program(todoku::config::process_environment(), std::cout, std::cerr);
  return todoku::cli::run({argv + 1, argv + argc}, program, std::cout, std::cerr);
}
