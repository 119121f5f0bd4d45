// SPDX-License-Identifier: Apache-2.0
// What a Stream is made of. Private to net/.
//
// Deadlines cost no timer per operation: one timer per stream is armed for the earliest deadline
// it has seen and left alone while later ones come and go. When it fires it ends the operations
// whose deadline is over and is armed again for the others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <openssl/ssl.h>

#include "async/task.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/endpoint.h"
#include "net/tls.h"

namespace todoku::net {

using StreamProtocol = boost::asio::generic::stream_protocol;
using StreamSocket = boost::asio::basic_stream_socket<StreamProtocol, async::Executor>;

struct FreeTls {
  void operator()(SSL* handle) const { SSL_free(handle); }
};
using TlsHandle = std::unique_ptr<SSL, FreeTls>;

// Where a gather-write has got to.
struct GatherPosition {
  std::size_t piece = 0;
  std::size_t offset = 0;  // within the piece

  void advance(std::span<const std::string_view> pieces, std::size_t count);
};

// Undone when the last owner goes: how a Listener counts its open streams.
using StreamToken = std::shared_ptr<const void>;

class StreamImpl : public std::enable_shared_from_this<StreamImpl> {
 public:
  // The socket may be unopened; then connect() is the first call.
  StreamImpl(StreamSocket socket, StreamToken token);

  [[nodiscard]] Task<Result<void>> connect(StreamProtocol::endpoint to, SteadyInstant deadline);
  [[nodiscard]] Task<Result<std::size_t>> read_some(std::span<char> into, SteadyInstant deadline);
  [[nodiscard]] Task<Result<void>> write(std::span<const std::string_view> pieces,
                                         SteadyInstant deadline);
  [[nodiscard]] Task<Result<void>> write_one(std::string_view octets, SteadyInstant deadline);
  [[nodiscard]] Task<Result<TlsInfo>> handshake(TlsHandle handle, SteadyInstant deadline);

  // Keeps what the TLS handle points to.
  void hold(std::shared_ptr<const void> context, TlsPeer peer) {
    tls_context_ = std::move(context);
    tls_peer_ = std::move(peer);
  }
  [[nodiscard]] const TlsPeer& tls_peer() const { return tls_peer_; }

  void finish_writing();
  void close();
  [[nodiscard]] bool is_open() const { return !closed_; }
  [[nodiscard]] bool is_tls() const { return tls_ != nullptr; }
  [[nodiscard]] bool has_input();

  // Reads both addresses from the socket and sets TCP_NODELAY and keep-alive where there is TCP.
  void adopt_connected();
  [[nodiscard]] StreamSocket& socket() { return socket_; }
  [[nodiscard]] const Endpoint& remote() const { return remote_; }
  [[nodiscard]] const Endpoint& local() const { return local_; }

 private:
  // One operation that may be waiting: reading (also connecting), or writing.
  struct Waiting {
    bool active = false;
    bool timed_out = false;
    bool disturbed = false;  // ended by the timer on behalf of the other one
    SteadyInstant deadline = SteadyInstant::max();
  };
  enum class Woken : std::uint8_t { ready, again };

  [[nodiscard]] static bool is_over(SteadyInstant deadline);
  void begin(Waiting& waiting, SteadyInstant deadline);
  // Judges how a wait ended.
  [[nodiscard]] Result<Woken> finish(Waiting& waiting, std::string_view doing,
                                     const boost::system::error_code& error);
  void arm(SteadyInstant at);
  void on_timer(std::uint64_t generation);

  [[nodiscard]] Task<Result<void>> wait_ready(bool for_writing, SteadyInstant deadline);
  // Sends what the socket takes at once. True: everything is sent; false: it is full.
  [[nodiscard]] Result<bool> send_now(std::span<const std::string_view> pieces,
                                      GatherPosition& position);
  [[nodiscard]] Task<Result<std::size_t>> read_tls(std::span<char> into, SteadyInstant deadline);
  [[nodiscard]] Task<Result<void>> write_tls(std::span<const std::string_view> pieces,
                                             SteadyInstant deadline);
  // What a failed OpenSSL call asks for: waiting (value: for writing?), or an error.
  [[nodiscard]] Result<bool> tls_wants(int returned, std::string_view doing);
  [[nodiscard]] TlsInfo tls_info() const;

  static const BIO_METHOD* bio_method();
  static int bio_send(BIO* bio, const char* octets, int count);
  static int bio_receive(BIO* bio, char* into, int count);
  static long bio_control(BIO* bio, int command, long number, void* pointer);

  StreamSocket socket_;
  async::SteadyTimer timer_;
  std::uint64_t timer_generation_ = 0;
  SteadyInstant armed_for_ = SteadyInstant::max();
  Waiting reading_;
  Waiting writing_;
  bool closed_ = false;
  bool tls_ended_ = false;     // the peer said close_notify, or just ended
  bool tls_poisoned_ = false;  // OpenSSL reported a fatal error: no shutdown may follow
  bool tls_bio_ended_ = false;
  int tls_errno_ = 0;  // of the last system call below OpenSSL
  TlsHandle tls_;
  TlsPeer tls_peer_;
  std::shared_ptr<const void> tls_context_;
  Endpoint remote_;
  Endpoint local_;
  StreamToken token_;
};

}  // namespace todoku::net
