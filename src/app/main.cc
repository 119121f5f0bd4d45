// SPDX-License-Identifier: Apache-2.0
// The todoku program.
#include <algorithm>
#include <csignal>
#include <iostream>
#include <string_view>

#include <sys/stat.h>

#include "app/program.h"
#include "base/log.h"
#include "base/wipe.h"
#include "cli/command_line.h"
#include "cli/descriptor_stream.h"
#include "cli/printable_stream.h"
#include "cli/sendmail_options.h"

int main(int argc, char** argv) {
  todoku::cli::hold_standard_descriptors();
  // A file that reaches a limit (ulimit -f) is an error (EFBIG) and not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
  // What it writes is for its user alone: mail, addresses, keys.
  ::umask(0077);
  if (!todoku::wipe_what_openssl_frees()) {
    todoku::log::warning(
        "OpenSSL was in use before the program began: what it gives back of its "
        "memory is not all wiped");
  }
  todoku::cli::PrintableStream out(std::cout);
  todoku::cli::PrintableStream err(std::cerr);
  todoku::app::Program program(todoku::config::process_environment(), out, err);
  const std::string_view called = argc > 0 ? argv[0] : "";
  return todoku::cli::run(
      todoku::cli::words_as_called(called, {argv + std::min(argc, 1), argv + argc}), program, out,
      err);
}
