// SPDX-License-Identifier: Apache-2.0
// For test programs whose time is simulated, in one file of each. Asio lets the kernel tell it when
// a timer is due, in the kernel's time. Where it gets no such timer it looks at its own clock, the
// simulated one, whenever it is polled.
#pragma once

#include <cerrno>

#include <sys/timerfd.h>  // declared as the system has it, wherever this stands

extern "C" int timerfd_create(int /*clock*/, int /*flags*/) {
  errno = ENOSYS;
  return -1;
}
