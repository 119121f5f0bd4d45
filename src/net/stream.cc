// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/net_error.h"
#include "net/stream_impl.h"

namespace todoku::net {
namespace {

const Endpoint kNowhere;

Task<Result<TlsInfo>> handshake_as_client(std::shared_ptr<StreamImpl> impl,
                                          std::shared_ptr<const TlsClientContext> context,
                                          TlsPeer peer, SteadyInstant deadline) {
  impl->hold(context, std::move(peer));
  const Result<ssl_st*> handle = context->new_handle(impl->tls_peer());
  if (!handle) co_return fail(handle.error());
  co_return co_await impl->handshake(TlsHandle(*handle), deadline);
}

Task<Result<TlsInfo>> handshake_as_server(std::shared_ptr<StreamImpl> impl,
                                          std::shared_ptr<const TlsServerContext> context,
                                          SteadyInstant deadline) {
  impl->hold(context, {});
  co_return co_await impl->handshake(TlsHandle(context->new_handle()), deadline);
}

}  // namespace

Stream::Stream() = default;
Stream::Stream(std::shared_ptr<StreamImpl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this != &other) {
    close();
    impl_ = std::move(other.impl_);
  }
  return *this;
}

Stream::~Stream() {
  close();
}

Result<Stream> Stream::adopt(const async::Executor& executor, int socket,
                             std::shared_ptr<const void> token) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  StreamSocket taken(executor);
  boost::system::error_code error;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    error.assign(errno, boost::system::system_category());
  } else {
    taken.assign(StreamProtocol(address.ss_family, 0), socket, error);
  }
  if (error) {
    ::close(socket);
    return fail(to_error("adopt", error));
  }
  auto impl = std::make_shared<StreamImpl>(std::move(taken), std::move(token));
  impl->adopt_connected();
  return Stream(std::move(impl));
}

bool Stream::is_open() const {
  return impl_ && impl_->is_open();
}

Task<Result<std::size_t>> Stream::read_some(std::span<char> into, SteadyInstant deadline) {
  check(impl_ != nullptr, "the stream was opened");
  return impl_->read_some(into, deadline);
}

Task<Result<void>> Stream::write(std::span<const std::string_view> pieces, SteadyInstant deadline) {
  check(impl_ != nullptr, "the stream was opened");
  return impl_->write(pieces, deadline);
}

Task<Result<void>> Stream::write(std::string_view octets, SteadyInstant deadline) {
  check(impl_ != nullptr, "the stream was opened");
  return impl_->write_one(octets, deadline);
}

Task<Result<TlsInfo>> Stream::start_tls_client(std::shared_ptr<const TlsClientContext> context,
                                               TlsPeer peer, SteadyInstant deadline) {
  check(impl_ != nullptr, "the stream was opened");
  return handshake_as_client(impl_, std::move(context), std::move(peer), deadline);
}

Task<Result<TlsInfo>> Stream::start_tls_client(std::shared_ptr<const TlsClientContext> context,
                                               std::string server_name, SteadyInstant deadline) {
  return start_tls_client(std::move(context), TlsPeer{.name = std::move(server_name)}, deadline);
}

Task<Result<TlsInfo>> Stream::start_tls_server(std::shared_ptr<const TlsServerContext> context,
                                               SteadyInstant deadline) {
  check(impl_ != nullptr, "the stream was opened");
  return handshake_as_server(impl_, std::move(context), deadline);
}

bool Stream::is_tls() const {
  return impl_ && impl_->is_tls();
}

void Stream::finish_writing() {
  if (impl_) impl_->finish_writing();
}

void Stream::close() {
  if (impl_) impl_->close();
}

bool Stream::has_input() const {
  return !impl_ || impl_->has_input();
}

const Endpoint& Stream::remote() const {
  return impl_ ? impl_->remote() : kNowhere;
}

const Endpoint& Stream::local() const {
  return impl_ ? impl_->local() : kNowhere;
}

std::optional<std::uint32_t> Stream::peer_user() const {
  if (!impl_ || !impl_->is_open()) return std::nullopt;
  const int fd = impl_->socket().native_handle();
  int domain = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX) {
    return std::nullopt;
  }
  ucred who{};
  size = sizeof who;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return std::nullopt;
  if (who.uid == static_cast<uid_t>(-1)) return std::nullopt;
  return who.uid;
}

async::Executor Stream::executor() const {
  check(impl_ != nullptr, "the stream was opened");
  return impl_->socket().get_executor();
}

}  // namespace todoku::net
