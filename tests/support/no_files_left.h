// SPDX-License-Identifier: Apache-2.0
// For tests: a process that may open no file more.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

namespace todoku {

// Leaves the process without room for another file while it lives.
class NoFilesLeft {
 public:
  NoFilesLeft() {
    // The sanitizer reads an object of a type that it has not met through a pipe, for which there
    // will be no files: those of a log line are shown to it before.
    log::info("no files will be left");
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(lowest_free);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  NoFilesLeft(const NoFilesLeft&) = delete;
  NoFilesLeft& operator=(const NoFilesLeft&) = delete;
  ~NoFilesLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace todoku
