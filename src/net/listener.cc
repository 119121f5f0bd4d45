// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include <atomic>
#include <cerrno>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "async/timer.h"
#include "async/timer_clock.h"
#include "base/trouble.h"
#include "net/net_error.h"
#include "net/socket_address.h"
#include "net/stream_impl.h"

namespace todoku::net {
namespace {

using Acceptor = boost::asio::basic_socket_acceptor<StreamProtocol, async::Executor>;

constexpr Milliseconds kShortageWait{100};

// Counts a listener's open streams; shared with them, so it may outlive the listener.
struct Slots {
  explicit Slots(async::Executor listener) : executor(listener), freed(std::move(listener)) {}
  async::Executor executor;
  std::atomic<std::size_t> open = 0;
  std::atomic<bool> listening = true;  // false: nobody waits, and `executor` may be gone
  async::Signal freed;                 // only touched on `executor`
};

// Takes a slot; it is given back when the token dies, on any thread.
StreamToken take_slot(const std::shared_ptr<Slots>& slots, std::size_t connections_max) {
  slots->open.fetch_add(1);
  return {slots.get(), [slots, connections_max](const void*) {
            if (slots->open.fetch_sub(1) != connections_max || !slots->listening) return;
            boost::asio::post(slots->executor, [slots] { slots->freed.notify(); });
          }};
}

bool is_shortage(const boost::system::error_code& error) {
  return error.value() == EMFILE || error.value() == ENFILE || error.value() == ENOBUFS ||
         error.value() == ENOMEM;
}

// Errors of one connection that was there and is gone (accept(2), "Error handling").
bool concerns_one_connection(const boost::system::error_code& error) {
  switch (error.value()) {
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:
      return true;
    default:
      return false;
  }
}

// True if somebody answers at the Unix socket `at`.
bool answers(const StreamProtocol::endpoint& at) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int returned =
      ::connect(fd, static_cast<const sockaddr*>(at.data()), static_cast<socklen_t>(at.size()));
  ::close(fd);
  return returned == 0;
}

}  // namespace

class Listener::Impl {
 public:
  Impl(async::Executor executor, const ListenOptions& options)
      : acceptor_(executor), options_(options), slots_(std::make_shared<Slots>(executor)) {}

  Result<void> listen(const StreamProtocol::endpoint& at, const std::string& name) {
    boost::system::error_code error;
    acceptor_.open(at.protocol(), error);
    if (error) return fail(to_error("listen on " + name, error));
    const int fd = acceptor_.native_handle();
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (options_.reuse_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    // An IPv6 listener is for IPv6 only, whatever the system's default.
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    acceptor_.bind(at, error);
    if (!error) acceptor_.listen(options_.backlog, error);
    if (error) return fail(to_error("listen on " + name, error));
    local_ = local_endpoint_of(fd);
    return {};
  }

  Task<Result<Stream>> accept(async::Executor executor) {
    for (;;) {
      while (!closed_ && slots_->open.load() >= options_.connections_max) {
        const bool freed = co_await slots_->freed.wait();
        if (!freed) co_return fail(ErrorKind::cancelled, "accept: cancelled");
      }
      if (closed_) co_return fail(ErrorKind::closed, "accept: listener closed");
      StreamSocket socket(executor);
      const auto [error] = co_await acceptor_.async_accept(socket, async::as_result);
      if (!error) {
        accepting_.worked(now());
        co_return adopt(std::move(socket));
      }
      if (closed_) co_return fail(ErrorKind::closed, "accept: listener closed");
      if (concerns_one_connection(error)) continue;
      if (!is_shortage(error)) co_return fail(to_error("accept", error));
      accepting_.failed(now(), {{"reason", error.message()}});
      const bool waited = co_await async::sleep_for(kShortageWait);
      if (!waited) co_return fail(ErrorKind::cancelled, "accept: cancelled");
    }
  }

  void close() {
    if (closed_) return;
    closed_ = true;
    remove_own_path();  // while our socket keeps its inode number from being given to another
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    slots_->listening = false;
    slots_->freed.notify();
  }

  // The socket at `path` was made by listen().
  void own_path(const std::string& path) {
    if (::lstat(path.c_str(), &unix_socket_) == 0) unix_path_ = path;
  }
  [[nodiscard]] async::Executor executor() { return acceptor_.get_executor(); }
  [[nodiscard]] const Endpoint& local() const { return local_; }
  [[nodiscard]] std::size_t connections_open() const { return slots_->open.load(); }

 private:
  // By now another process may have made a socket of its own there.
  void remove_own_path() {
    struct stat found{};
    if (unix_path_.empty() || ::lstat(unix_path_.c_str(), &found) != 0) return;
    if (found.st_dev != unix_socket_.st_dev || found.st_ino != unix_socket_.st_ino) return;
    ::unlink(unix_path_.c_str());
  }

  [[nodiscard]] static SteadyInstant now() {
    return std::chrono::time_point_cast<Microseconds>(async::TimerClock::now());
  }

  Stream adopt(StreamSocket socket) {
    auto impl = std::make_shared<StreamImpl>(std::move(socket),
                                             take_slot(slots_, options_.connections_max));
    impl->adopt_connected();
    return Stream(std::move(impl));
  }

  Acceptor acceptor_;
  ListenOptions options_;
  std::shared_ptr<Slots> slots_;
  Endpoint local_;
  std::string unix_path_;
  struct stat unix_socket_{};
  bool closed_ = false;
  Trouble accepting_{log::Level::warning, "accept has to wait", "connections are accepted again"};
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::Listener(Listener&&) noexcept = default;
Listener& Listener::operator=(Listener&& other) noexcept {
  if (this != &other) {
    close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}
Listener::~Listener() {
  close();
}

Result<Listener> Listener::open(async::Executor executor, Endpoint at, ListenOptions options) {
  auto impl = std::make_unique<Impl>(std::move(executor), options);
  const Result<void> listening = impl->listen(to_socket_address(at), at.to_string());
  if (!listening) return fail(listening.error());
  return Listener(std::move(impl));
}

Result<Listener> Listener::open_unix(async::Executor executor, const std::string& path,
                                     ListenOptions options) {
  const Result<StreamProtocol::endpoint> at = to_socket_address(path);
  if (!at) return fail(at.error());
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) {
    if (answers(*at)) return fail(ErrorKind::conflict, path + ": somebody listens there already");
    ::unlink(path.c_str());
  }
  auto impl = std::make_unique<Impl>(std::move(executor), options);
  // With the mask the socket has its mode from its first moment; the mask is the whole process's,
  // and listening is done at start-up.
  const mode_t mask = ::umask(0777 & ~options.unix_mode);
  const Result<void> listening = impl->listen(*at, path);
  ::umask(mask);
  if (!listening) return fail(listening.error());
  impl->own_path(path);
  return Listener(std::move(impl));
}

Task<Result<Stream>> Listener::accept(async::Executor executor) {
  return impl_->accept(std::move(executor));
}

Task<Result<Stream>> Listener::accept() {
  return impl_->accept(impl_->executor());
}

void Listener::close() {
  if (impl_) impl_->close();
}

const Endpoint& Listener::local() const {
  return impl_->local();
}

std::size_t Listener::connections_open() const {
  return impl_->connections_open();
}

}  // namespace todoku::net
