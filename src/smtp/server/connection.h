// SPDX-License-Identifier: Apache-2.0
// ServerConnection: one connection to our SMTP server, from the greeting to its end. It carries
// octets between a stream and a ServerSession, asks its owner, and watches deadlines.
//
// Replies to what came together are written together. Memory is bounded: a buffer of 4 KB, of at
// most 64 KB while content comes, a command line, and the replies to one bufferful.
//
// Deadlines. A client has ServerPatience::command for a whole command line, and ::content for every
// kContentBlockOctets of a message; a line or a block that comes octet by octet moves none of them.
// So a message of 30 MB is out after 500 times ::content at the latest, or when its owner has had
// enough of it (ServerOwner::deadline()). Where AUTH is required
// (ServerOptions::auth_required) a client has ServerPatience::login until it has succeeded,
// whatever else it says meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "async/task.h"
#include "base/clock.h"
#include "net/stream.h"
#include "smtp/protocol/server_session.h"
#include "smtp/server/owner.h"

namespace todoku::smtp {

struct ServerPatience {
  Milliseconds command = std::chrono::minutes(5);  // RFC 5321 section 4.5.3.2.7
  Milliseconds content = std::chrono::minutes(5);
  Milliseconds write = std::chrono::minutes(5);  // until the client has taken our replies
  Milliseconds login = std::chrono::minutes(5);
  Milliseconds handshake = std::chrono::seconds(30);
  Milliseconds goodbye = std::chrono::seconds(2);  // to say 421 and see the client close
};

// Both outlive the connection.
struct ServerSettings {
  const ServerOptions& protocol;
  const Clock& clock;
  ServerPatience patience;
};

enum class ServerEnd : std::uint8_t {
  quit,        // the client said QUIT
  ended,       // a 421 or the like was answered, by the owner or by the session
  hung_up,     // the owner wished it
  lost,        // the client closed, or the network broke
  timed_out,   // a deadline passed; 421 was said
  stopped,     // the task was cancelled; 421 was said, but in a TLS handshake
  tls_failed,  // no handshake
};

class ServerConnection {
 public:
  static constexpr std::size_t kContentBlockOctets = 64 << 10;

  // `owner` outlives the connection. A stream that is under TLS already makes a session that is.
  ServerConnection(const ServerSettings& settings, net::Stream stream, ServerOwner& owner);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  // Returns when the connection has ended, whatever happens to it. Cancellation ends it.
  [[nodiscard]] Task<ServerEnd> run();

  // For the owner while it decides.
  [[nodiscard]] const ServerSession& session() const { return session_; }
  // Writes the answers so far: before a wait that the client should not spend without them. False:
  // the connection is lost, and the owner's answer will not be heard.
  [[nodiscard]] Task<bool> flush();
  // That of its stream.
  [[nodiscard]] async::Executor executor() const { return stream_.executor(); }

 private:
  // How a step ended the connection; nullopt: it goes on.
  using End = std::optional<ServerEnd>;

  [[nodiscard]] Task<End> follow(ServerStep step);
  [[nodiscard]] Task<End> ask(ServerStep step);
  [[nodiscard]] Task<End> exchange();
  [[nodiscard]] Task<End> start_tls();
  [[nodiscard]] Task<End> take(std::string_view piece);
  [[nodiscard]] Task<End> discard();
  [[nodiscard]] Task<End> close_in_order();
  [[nodiscard]] Task<ServerEnd> say_goodbye(ServerEnd why, std::string_view text);
  [[nodiscard]] Task<Result<void>> write_output(SteadyInstant deadline);
  [[nodiscard]] Task<void> wait_for_end(SteadyInstant until);
  [[nodiscard]] bool refuse_early_talk(ServerEvent event);
  void give(const ServerAnswer& answer);
  // When what the client is waited for has to be there, and what it hears otherwise.
  struct Due {
    SteadyInstant at;
    std::string_view missed;
  };
  [[nodiscard]] Due next_due() const;
  void renew_deadline();
  [[nodiscard]] bool awaits_login() const {
    return settings_.protocol.auth_required && !session_.is_authenticated();
  }
  void fit_buffer();
  [[nodiscard]] SteadyInstant after(Milliseconds patience) const {
    return settings_.clock.steady_now() + patience;
  }

  const ServerSettings settings_;
  ServerOwner& owner_;
  net::Stream stream_;
  ServerSession session_;
  std::unique_ptr<char[]> buffer_;
  std::size_t buffer_octets_;
  bool buffer_filled_ = false;  // by the latest read
  std::string_view input_;
  const SteadyInstant login_deadline_;
  SteadyInstant deadline_{};
  bool progressed_ = true;        // since the deadline was set: a line came, or we made it wait
  std::size_t block_octets_ = 0;  // of content, since then
  bool quitting_ = false;
};

}  // namespace todoku::smtp
