// SPDX-License-Identifier: Apache-2.0
// For tests, in one file of a program: the n-th system call of one socket fails. This program's own
// socket calls stand before the C library's; they only meddle with the one socket that is opened,
// or named, while a Fault is armed.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace todoku::net {

enum class Manner {
  error,  // the call fails as it does when the network breaks
  end,    // a read finds that the peer has finished; other calls fail
};

// What happens to the calls of the next socket that this thread opens.
struct Fault {
  int at = 0;  // the call that fails, from 1
  Manner manner = Manner::error;
  std::size_t write_max = 0;  // octets the network takes with one call; 0: as many as it wants

  int socket = -1;
  int calls = 0;
  bool done = false;

  // True if this call on `fd` is to fail; all those after it do, too.
  bool hits(int fd) {
    if (fd != socket) return false;
    ++calls;
    done = done || calls == at;
    return done;
  }
};

inline thread_local Fault* the_fault = nullptr;

inline bool fails(int fd, int error) {
  if (the_fault == nullptr || !the_fault->hits(fd)) return false;
  errno = error;
  return true;
}

inline bool limits_writes(int fd) {
  return the_fault != nullptr && fd == the_fault->socket && the_fault->write_max > 0;
}

// How a failing read answers.
inline ssize_t failed_read() {
  return the_fault->manner == Manner::end ? 0 : -1;
}

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// Of this process.
inline std::size_t open_files() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

}  // namespace todoku::net

extern "C" {

int socket(int domain, int type, int protocol) noexcept {
  static auto* const next = todoku::net::real<int(int, int, int)>("socket");
  const bool ours = todoku::net::the_fault != nullptr && todoku::net::the_fault->socket == -1;
  if (ours && todoku::net::the_fault->hits(-1)) {
    errno = EMFILE;
    return -1;
  }
  const int fd = next(domain, type, protocol);
  if (ours) todoku::net::the_fault->socket = fd;
  return fd;
}

int connect(int fd, const sockaddr* to, socklen_t size) {
  static auto* const next = todoku::net::real<int(int, const sockaddr*, socklen_t)>("connect");
  return todoku::net::fails(fd, ENETUNREACH) ? -1 : next(fd, to, size);
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
  static auto* const next = todoku::net::real<int(int, int, int, void*, socklen_t*)>("getsockopt");
  const int result = next(fd, level, name, value, size);
  // How an asynchronous connect() tells of its failure.
  if (level == SOL_SOCKET && name == SO_ERROR && todoku::net::fails(fd, 0)) {
    *static_cast<int*>(value) = ECONNREFUSED;
  }
  return result;
}

ssize_t recv(int fd, void* into, size_t size, int flags) {
  static auto* const next = todoku::net::real<ssize_t(int, void*, size_t, int)>("recv");
  return todoku::net::fails(fd, ECONNRESET) ? todoku::net::failed_read()
                                            : next(fd, into, size, flags);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
  static auto* const next = todoku::net::real<ssize_t(int, msghdr*, int)>("recvmsg");
  return todoku::net::fails(fd, ECONNRESET) ? todoku::net::failed_read() : next(fd, message, flags);
}

ssize_t send(int fd, const void* octets, size_t size, int flags) {
  static auto* const next = todoku::net::real<ssize_t(int, const void*, size_t, int)>("send");
  if (todoku::net::fails(fd, EPIPE)) return -1;
  if (todoku::net::limits_writes(fd)) size = std::min(size, todoku::net::the_fault->write_max);
  return next(fd, octets, size, flags);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  static auto* const next = todoku::net::real<ssize_t(int, const msghdr*, int)>("sendmsg");
  if (todoku::net::fails(fd, EPIPE)) return -1;
  if (!todoku::net::limits_writes(fd)) return next(fd, message, flags);
  const iovec& first = message->msg_iov[0];
  return ::send(fd, first.iov_base, std::min(first.iov_len, todoku::net::the_fault->write_max),
                flags);
}

}  // extern "C"
