// SPDX-License-Identifier: Apache-2.0
// For tests of connections: a scripted server on a real loopback socket, and what is sent to it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "net/listener.h"
#include "net/self_signed.h"
#include "smtp/client/connection.h"
#include "smtp/protocol/client_fake_server.h"

namespace todoku::smtp {

using Strings = std::vector<std::string>;

inline const SystemClock kClock;

inline SteadyInstant soon() {
  return kClock.steady_now() + std::chrono::seconds(20);
}

// What the receiving side of a test does.
struct Receiver {
  Script script;
  bool breaks_tls = false;        // talks clear text where a handshake should be
  std::size_t hang_up_after = 0;  // commands; 0: never
  net::TlsIdentity identity = net::make_self_signed({"mx.example.jp"}, kClock.now());
  Strings commands;  // filled: what was heard
  std::vector<FakeServer::Taken> taken;
};

inline Task<void> serve(net::Stream& stream, FakeServer& server, const Receiver& receiver) {
  std::array<char, 4096> buffer;
  std::size_t said = 0;
  for (;;) {
    const std::string rest = server.output().substr(said);
    if (!rest.empty()) {
      const auto written = co_await stream.write(rest, soon());
      if (!written) co_return;
    }
    said = server.output().size();
    if (server.hung_up()) co_return;
    if (receiver.hang_up_after > 0 && server.commands().size() >= receiver.hang_up_after) co_return;
    const bool handshake = !stream.is_tls() && !server.commands().empty() &&
                           server.commands().back() == "STARTTLS" && rest.starts_with("220");
    if (handshake && !receiver.breaks_tls) {
      const auto context = net::TlsServerContext::create(receiver.identity).value();
      const auto info = co_await stream.start_tls_server(context, soon());
      if (!info) co_return;
      server.tls_established();
    }
    const auto got = co_await stream.read_some(buffer, soon());
    if (!got || *got == 0) co_return;
    if (handshake && receiver.breaks_tls) {
      (void)co_await stream.write("500 what is that?\r\n", soon());
      co_return;
    }
    server.receive(std::string_view(buffer.data(), *got));
  }
}

// Serves connections one after the other until the listener is closed.
inline Task<void> receive_all(net::Listener& listener, Receiver& receiver) {
  for (;;) {
    auto stream = co_await listener.accept();
    if (!stream) co_return;
    FakeServer server(receiver.script);
    co_await serve(*stream, server, receiver);
    receiver.commands.insert(receiver.commands.end(), server.commands().begin(),
                             server.commands().end());
    receiver.taken.insert(receiver.taken.end(), server.taken().begin(), server.taken().end());
  }
}

inline net::Listener listen(async::Executor executor) {
  return net::Listener::open(std::move(executor), {net::IpAddress::v4({127, 0, 0, 1}), 0}).value();
}

inline ConnectionOptions options_for(const net::Endpoint& remote,
                                     std::shared_ptr<const net::TlsClientContext> tls) {
  return {.remote = remote,
          .mx_host = "mx.example.jp",
          .egress_source = "main",
          .session = {.hello_name = "sender.example.com"},
          .tls = std::move(tls)};
}
inline ConnectionOptions options_for(const net::Endpoint& remote, const std::string& trusted = "") {
  return options_for(remote, net::TlsClientContext::create({.ca_pem = trusted}).value());
}

inline const std::string kContent = "Subject: hi\r\n\r\n.hidden\r\n";
inline const std::vector<std::string_view> kPieces = {std::string_view(kContent).substr(0, 10),
                                                      std::string_view(kContent).substr(10)};

inline ClientEnvelope envelope() {
  return ClientEnvelope::make("from@example.com", {"a@example.jp"}).value();
}

}  // namespace todoku::smtp
