// SPDX-License-Identifier: Apache-2.0
#include "net/unix_pipe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net_error.h"
#include "net/socket_address.h"

namespace todoku::net {
namespace {

// Whatever kind of fault the number is elsewhere: the program's own input or output is broken.
std::unexpected<Error> broken(std::string_view doing, int number) {
  return fail(ErrorKind::io, errno_to_error(doing, number).detail);
}

// One direction: what was read and is not written yet.
class Flow {
 public:
  [[nodiscard]] bool wants_input() const { return left_.empty() && !ended_; }
  [[nodiscard]] bool wants_output() const { return !left_.empty(); }
  [[nodiscard]] bool is_over() const { return left_.empty() && ended_; }
  [[nodiscard]] bool has_begun() const { return begun_; }

  Result<void> read_from(int fd) {
    const ssize_t got = ::read(fd, octets_.data(), octets_.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (got < 0 && errno != ECONNRESET) return broken("read", errno);
    ended_ = got <= 0;
    begun_ = begun_ || got > 0;
    if (got > 0) left_ = {octets_.data(), static_cast<std::size_t>(got)};
    return {};
  }

  // No more than a pipe that poll(2) calls writable takes without blocking (pipe(7)).
  Result<void> write_to(int fd) {
    const ssize_t sent = ::write(fd, left_.data(), std::min<std::size_t>(left_.size(), PIPE_BUF));
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) return {};
    if (sent < 0) return broken("write", errno);
    left_.remove_prefix(static_cast<std::size_t>(sent));
    return {};
  }

  // A peer that has hung up may still have words on their way to us: that it is deaf is no error.
  void send_to(int socket) {
    const ssize_t sent = ::send(socket, left_.data(), left_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) return;
    ended_ = ended_ || sent < 0;
    left_.remove_prefix(sent < 0 ? left_.size() : static_cast<std::size_t>(sent));
  }

 private:
  std::array<char, 64UL * 1024> octets_;
  std::string_view left_;
  bool ended_ = false;
  bool begun_ = false;
};

class Socket {
 public:
  Socket() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  const int fd_;
};

bool is_ready(const pollfd& at) {
  return at.revents != 0;
}

}  // namespace

Result<void> pipe_to_unix_socket(const std::string& path, int input, int output) {
  const auto at = to_socket_address(path);
  if (!at) return fail(at.error());
  const Socket socket;
  if (::connect(socket.fd(), static_cast<const sockaddr*>(at->data()),
                static_cast<socklen_t>(at->size())) != 0) {
    return fail(errno_to_error("connect", errno));
  }
  Flow there;
  Flow back;
  bool told_end = false;
  while (!back.is_over()) {
    if (there.is_over() && !told_end) {
      ::shutdown(socket.fd(), SHUT_WR);
      told_end = true;
    }
    const auto only = [](bool wanted, int fd) { return wanted ? fd : -1; };
    std::array<pollfd, 4> ready{{
        {only(there.wants_input() && back.has_begun(), input), POLLIN, 0},
        {only(there.wants_output(), socket.fd()), POLLOUT, 0},
        {only(back.wants_input(), socket.fd()), POLLIN, 0},
        {only(back.wants_output(), output), POLLOUT, 0},
    }};
    if (::poll(ready.data(), ready.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return broken("poll", errno);
    }
    Result<void> done;
    if (is_ready(ready[0])) done = there.read_from(input);
    if (is_ready(ready[1])) there.send_to(socket.fd());
    if (done && is_ready(ready[2])) done = back.read_from(socket.fd());
    if (done && is_ready(ready[3])) done = back.write_to(output);
    if (!done) return done;
  }
  return {};
}

}  // namespace todoku::net
