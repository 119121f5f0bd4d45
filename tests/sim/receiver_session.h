// SPDX-License-Identifier: Apache-2.0
// One connection to a scripted receiver.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>

#include "sim/receiver.h"
#include "smtp/protocol/server_session.h"

namespace todoku::sim {

class Receiver::Session {
 public:
  static Task<void> run(Receiver& receiver, int socket, Caller caller, SteadyInstant dialled,
                        std::uint64_t number);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  void cut(unsigned run);

 private:
  using Protocol = boost::asio::generic::stream_protocol;
  using Socket = boost::asio::basic_stream_socket<Protocol, async::Executor>;

  Session(Receiver& receiver, Socket socket, Caller caller, SteadyInstant dialled,
          std::uint64_t number);
  Task<void> work();
  // Takes what the session makes of the input. False: hang up at once, without another word.
  [[nodiscard]] bool advance(std::string_view& input, bool& over);
  void on_connect();
  [[nodiscard]] bool on_hello();
  void on_mail();
  void on_recipient();
  [[nodiscard]] bool on_message();
  void take();
  // Waits as long as the answer takes and sends it. False: the connection is lost.
  Task<bool> answer();
  [[nodiscard]] bool chance(double share) { return receiver_.random_.unit() < share; }

  Receiver& receiver_;
  const SiteScript& script_;
  Socket socket_;
  const Caller caller_;
  const SteadyInstant dialled_;
  const std::uint64_t number_;
  bool cut_ = false;
  smtp::ServerOptions options_;
  smtp::ServerSession session_;
  std::string recipient_;
  std::string content_;
  std::size_t mails_ = 0;
  bool hangs_up_ = false;  // once its answer is out
  std::size_t octets_read_ = 0;
  std::size_t octets_read_max_ = std::numeric_limits<std::size_t>::max();
  std::size_t answers_ = 0;
  std::size_t answers_max_ = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> untold_;  // places in the log of what this answer will tell
};

}  // namespace todoku::sim
