// SPDX-License-Identifier: Apache-2.0
// Preloaded (LD_PRELOAD), it makes a disk that does not answer: while the file named by
// TODOKU_STALL_FILE exists, fsync() and fdatasync() do not return.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wait_while_stalled(void) {
  const char* file = getenv("TODOKU_STALL_FILE");
  const struct timespec moment = {.tv_sec = 0, .tv_nsec = 2000000};
  while (file != NULL && access(file, F_OK) == 0) nanosleep(&moment, NULL);
}

static int call(const char* name, int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  wait_while_stalled();
  return real(fd);
}

int fsync(int fd) {
  return call("fsync", fd);
}

int fdatasync(int fd) {
  return call("fdatasync", fd);
}
