// SPDX-License-Identifier: Apache-2.0
// Stream: one byte stream to a peer over TCP or a Unix socket, in clear text or TLS, with a
// deadline on everything that waits.
//
// A stream lives on one executor and every member is called there. At most one read and one write
// are under way at a time; both may be. Errors of the waiting functions:
//   timeout    the deadline passed; the stream is only good for closing afterwards
//   cancelled  the awaiting task was cancelled; likewise
//   closed     the peer reset the connection, or close() was called
//   corrupt    TLS records that are none
//   io         anything else the operating system said
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/endpoint.h"
#include "net/tls.h"

namespace todoku::net {

class StreamImpl;

class Stream {
 public:
  // Not open; for members that get a stream later.
  Stream();
  explicit Stream(std::shared_ptr<StreamImpl> impl);  // by dial() and Listener
  // Takes over a connected socket, e.g. one of a socketpair(), and lets go of `token` when the
  // stream closes. Errors: io, and the socket is closed.
  [[nodiscard]] static Result<Stream> adopt(const async::Executor& executor, int socket,
                                            std::shared_ptr<const void> token = nullptr);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  // Closes. No operation may be under way.
  ~Stream();

  [[nodiscard]] bool is_open() const;

  // Waits for at least one octet. 0: the peer has finished sending. `into` must not be empty. A
  // read that begins after its deadline is a timeout whatever is there to be read, so that a peer
  // that sends without end ends, too; what comes for one that waits is given to it, although the
  // process stood still meanwhile.
  [[nodiscard]] Task<Result<std::size_t>> read_some(std::span<char> into, SteadyInstant deadline);

  // Hands all octets of all pieces to the operating system, in one call where it takes them. On
  // an error the last octet was not handed over; how much was is unknown. The list and the octets
  // stay the caller's and must live until the end.
  [[nodiscard]] Task<Result<void>> write(std::span<const std::string_view> pieces,
                                         SteadyInstant deadline);
  [[nodiscard]] Task<Result<void>> write(std::string_view octets, SteadyInstant deadline);

  // Goes over to TLS. Any failure, also `unsupported` (the handshake failed; the detail has the
  // reason), leaves the stream only good for closing. `server_name`: host name or IP address.
  [[nodiscard]] Task<Result<TlsInfo>> start_tls_client(
      std::shared_ptr<const TlsClientContext> context, TlsPeer peer, SteadyInstant deadline);
  [[nodiscard]] Task<Result<TlsInfo>> start_tls_client(
      std::shared_ptr<const TlsClientContext> context, std::string server_name,
      SteadyInstant deadline);
  [[nodiscard]] Task<Result<TlsInfo>> start_tls_server(
      std::shared_ptr<const TlsServerContext> context, SteadyInstant deadline);
  [[nodiscard]] bool is_tls() const;

  // Tells the peer that nothing more comes; reading goes on.
  void finish_writing();
  // Ends what is under way with `closed` and gives the socket back. May be repeated.
  void close();

  // True if octets, an end or an error wait to be read: an idle SMTP connection that has input
  // is not fit for the next mail. Never waits.
  [[nodiscard]] bool has_input() const;

  // 0.0.0.0:0 for a Unix socket.
  [[nodiscard]] const Endpoint& remote() const;
  [[nodiscard]] const Endpoint& local() const;
  // The user who connected to a Unix socket, as the kernel knows it (unix(7), SO_PEERCRED); nullopt
  // of other streams. Users of another user namespace all look like one (65534).
  [[nodiscard]] std::optional<std::uint32_t> peer_user() const;

  [[nodiscard]] async::Executor executor() const;

 private:
  std::shared_ptr<StreamImpl> impl_;
};

}  // namespace todoku::net
