// SPDX-License-Identifier: Apache-2.0
#include "net/dialer.h"

#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <netinet/in.h>

#include "net/net_error.h"
#include "net/socket_address.h"
#include "net/stream_impl.h"

namespace todoku::net {
namespace {

Result<void> bind_local(StreamSocket& socket, const IpAddress& local) {
  // The kernel picks the port at connect time, when it knows the peer: a source address then has
  // its 28,000 ports per destination and not in total.
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  boost::system::error_code error;
  socket.bind(to_socket_address(Endpoint{local, 0}), error);
  if (error) return fail(to_error("bind to " + local.to_string(), error));
  return {};
}

Task<Result<Stream>> connect(StreamSocket socket, StreamProtocol::endpoint to,
                             SteadyInstant deadline) {
  auto impl = std::make_shared<StreamImpl>(std::move(socket), nullptr);
  Stream stream(impl);  // closes on failure
  const Result<void> connected = co_await impl->connect(std::move(to), deadline);
  if (!connected) co_return fail(connected.error());
  co_return stream;
}

}  // namespace

namespace {

Task<Result<Stream>> dial_through(Endpoint remote, DialOptions options, SteadyInstant deadline) {
  const std::shared_ptr<const EgressProxy> proxy = std::move(options.proxy);
  DialOptions to_proxy;
  if (options.local_address && options.local_address->is_v6() == proxy->at.address.is_v6()) {
    to_proxy.local_address = options.local_address;
  }
  auto stream = co_await dial(proxy->at, std::move(to_proxy), deadline);
  if (stream) co_return co_await pass_through(std::move(*stream), proxy, remote, deadline);
  const Error& error = stream.error();
  if (error.kind == ErrorKind::cancelled || error.kind == ErrorKind::invalid_input) {
    co_return fail(error);
  }
  co_return fail(ErrorKind::unavailable,
                 fmt::format("the proxy {}: {}", proxy->at.to_string(), error.detail));
}

}  // namespace

Task<Result<Stream>> dial(Endpoint remote, DialOptions options, SteadyInstant deadline) {
  if (options.proxy != nullptr) {
    co_return co_await dial_through(remote, std::move(options), deadline);
  }
  StreamSocket socket(co_await boost::asio::this_coro::executor);
  const StreamProtocol::endpoint to = to_socket_address(remote);
  boost::system::error_code error;
  socket.open(to.protocol(), error);
  if (error) co_return fail(to_error("connect", error));
  if (options.local_address) {
    if (options.local_address->is_v6() != remote.address.is_v6()) {
      co_return fail(ErrorKind::invalid_input, "bind: the local address is of another IP version");
    }
    const Result<void> bound = bind_local(socket, *options.local_address);
    if (!bound) co_return fail(bound.error());
  }
  co_return co_await connect(std::move(socket), to, deadline);
}

Dialer& system_dialer() {
  class SystemDialer final : public Dialer {
   public:
    Task<Result<Stream>> dial(Endpoint remote, DialOptions options,
                              SteadyInstant deadline) override {
      return net::dial(remote, options, deadline);
    }
  };
  static SystemDialer dialer;
  return dialer;
}

Task<Result<Stream>> dial_unix(std::string path, SteadyInstant deadline) {
  const Result<StreamProtocol::endpoint> to = to_socket_address(path);
  if (!to) co_return fail(to.error());
  StreamSocket socket(co_await boost::asio::this_coro::executor);
  boost::system::error_code error;
  socket.open(to->protocol(), error);
  if (error) co_return fail(to_error("connect", error));
  co_return co_await connect(std::move(socket), *to, deadline);
}

}  // namespace todoku::net
