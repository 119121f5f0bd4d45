// SPDX-License-Identifier: Apache-2.0
#include "cli/descriptor_stream.h"

#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace todoku::cli {
namespace {

constexpr std::size_t kPieceOctets = std::size_t{64} << 10U;

// As read(2), of which it may have to be asked again.
ssize_t read_some(int descriptor, std::string& octets) {
  for (;;) {
    const ssize_t got = ::read(descriptor, octets.data(), octets.size());
    if (got >= 0 || (errno != EINTR && errno != EAGAIN)) return got;
    if (errno == EINTR) continue;
    pollfd ready{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return -1;
  }
}

}  // namespace

DescriptorStream::Buffer::int_type DescriptorStream::Buffer::underflow() {
  if (gptr() < egptr()) return traits_type::to_int_type(*gptr());
  if (octets_.empty()) octets_.resize(kPieceOctets);
  // An error is one for good: what would come after it does not belong to what came before.
  const ssize_t got = error_ == 0 ? read_some(descriptor_, octets_) : -1;
  if (got > 0) {
    setg(octets_.data(), octets_.data(), octets_.data() + got);
    return traits_type::to_int_type(*gptr());
  }
  if (got < 0) {
    if (error_ == 0) error_ = errno;
    owner_.setstate(std::ios::badbit);
    errno = error_;
  }
  return traits_type::eof();
}

void hold_standard_descriptors() {
  for (const int each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(each, F_GETFD) != -1 || errno != EBADF) continue;
    // The lowest that is free, so it is this one.
    (void)::open("/dev/null", each == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace todoku::cli
