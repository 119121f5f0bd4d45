// SPDX-License-Identifier: Apache-2.0
#include "net/egress_proxy.h"

#include <array>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "net/proxy_protocol.h"
#include "net/socks5.h"

namespace todoku::net {
namespace {

// The longest address of a reply is a name of 255 octets, and its port.
constexpr std::size_t kReadOctets = 257;

// What the connection to the proxy itself meets.
std::unexpected<Error> of_the_proxy(const Error& error) {
  if (error.kind == ErrorKind::cancelled) return fail(error);
  return fail(ErrorKind::unavailable, "the proxy: " + error.detail);
}

Task<Result<void>> converse(Stream& stream,              // NOLINT(*-reference-coroutine-parameters)
                            Socks5Handshake& handshake,  // NOLINT(*-reference-coroutine-parameters)
                            SteadyInstant deadline) {
  std::array<char, kReadOctets> buffer{};
  while (!handshake.is_connected()) {
    if (!handshake.output().empty()) {
      const auto written = co_await stream.write(handshake.output(), deadline);
      if (!written) co_return of_the_proxy(written.error());
      handshake.written();
    }
    const auto got =
        co_await stream.read_some(std::span(buffer).first(handshake.wanted()), deadline);
    if (!got) {
      // It tries the other end, which does not answer.
      if (got.error().kind == ErrorKind::timeout && handshake.asks_to_connect()) {
        co_return fail(got.error());
      }
      co_return of_the_proxy(got.error());
    }
    if (*got == 0) co_return of_the_proxy({ErrorKind::closed, "it closed the connection"});
    auto taken = handshake.take(std::string_view(buffer.data(), *got));
    if (!taken) co_return taken;
  }
  co_return Result<void>();
}

Task<Result<void>> by_socks5(Stream& stream,            // NOLINT(*-reference-coroutine-parameters)
                             const EgressProxy& proxy,  // NOLINT(*-reference-coroutine-parameters)
                             Endpoint remote, SteadyInstant deadline) {
  std::shared_ptr<const ClientLogin> login;
  if (proxy.login) {
    auto given = co_await proxy.login();
    if (!given) co_return of_the_proxy(given.error());
    login = std::move(*given);
  }
  Socks5Handshake handshake(remote, login.get());
  co_return co_await converse(stream, handshake, deadline);
}

// It answers nothing: whoever greets is the other end, and a connection that is closed without was
// not to be had.
Task<Result<void>> by_header(Stream& stream,            // NOLINT(*-reference-coroutine-parameters)
                             const EgressProxy& proxy,  // NOLINT(*-reference-coroutine-parameters)
                             Endpoint remote, SteadyInstant deadline) {
  const auto& from = remote.address.is_v4() ? proxy.from_v4 : proxy.from_v6;
  if (!from) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("the proxy has no address of its own to reach {} from",
                               remote.address.to_string()));
  }
  const std::string header = proxy_header({*from, 0}, remote);
  const auto written = co_await stream.write(header, deadline);
  if (!written) co_return of_the_proxy(written.error());
  co_return Result<void>();
}

}  // namespace

Task<Result<Stream>> pass_through(Stream stream, std::shared_ptr<const EgressProxy> proxy,
                                  Endpoint remote, SteadyInstant deadline) {
  Result<void> passed;
  if (proxy->kind == EgressProxy::Kind::socks5) {
    passed = co_await by_socks5(stream, *proxy, remote, deadline);
  } else {
    passed = co_await by_header(stream, *proxy, remote, deadline);
  }
  if (!passed) co_return fail(std::move(passed.error()));
  co_return stream;
}

}  // namespace todoku::net
