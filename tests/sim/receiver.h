// SPDX-License-Identifier: Apache-2.0
// One receiving system: all its hosts, played by the script, with the protocol of
// smtp/protocol/server_session.h over real sockets. It keeps the log that the engine's story is
// compared with: what was taken, and how its limits were kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/random.h"
#include "sim/clock.h"
#include "sim/scenario.h"
#include "sim/trace.h"

namespace todoku::sim {

// Whose connection it is: limits belong to a run of the engine and an egress source.
struct Caller {
  unsigned run = 0;
  std::string source;
  friend auto operator<=>(const Caller&, const Caller&) = default;
};

// A mail that a receiver took over.
struct Take {
  std::string address;
  SteadyInstant at{};
  unsigned run = 0;
  // The whole 250 reached the sender's socket while the connection stood: the sender has no doubt.
  bool told = false;
  bool cut = false;     // it was being told when the sender's process died
  bool intact = false;  // has the recipient's own code in it and ends as it should
};

class Receiver {
 public:
  // All outlive the receiver. The sessions run on `executor`.
  Receiver(async::Executor executor, const SimClock& clock, Trace& trace, const SiteScript& script,
           std::uint64_t seed);

  // ---- for the network
  enum class Answer : std::uint8_t { connected, refused, silent };
  struct Welcome {
    Answer answer = Answer::connected;
    Microseconds after{};
  };
  [[nodiscard]] Welcome welcome();
  // Connections count from the first packet on, while the token lives.
  using Token = std::shared_ptr<const void>;
  [[nodiscard]] Token count_connection(const Caller& caller);
  // Serves a connection, which began at `dialled`; the socket is the receiver's.
  void serve(int socket, Caller caller, SteadyInstant dialled);

  // The process at the other end died: what it had sent arrives, nothing else in either direction.
  void cut(unsigned run);

  // ---- the log
  [[nodiscard]] const SiteScript& script() const { return script_; }
  [[nodiscard]] const std::vector<Take>& takes() const { return takes_; }
  // Addresses that were refused for good at least once, and to which runs.
  [[nodiscard]] const std::map<std::string, std::set<unsigned>>& refused() const {
    return refused_;
  }
  // When mails were begun, by caller. The first of a connection counts from its dialling, because
  // its permission was drawn before that.
  [[nodiscard]] const std::map<Caller, std::vector<SteadyInstant>>& begun() const { return begun_; }
  // When mails were begun, by run, as they were heard.
  [[nodiscard]] const std::map<unsigned, std::vector<SteadyInstant>>& heard() const {
    return heard_;
  }
  [[nodiscard]] const std::map<Caller, std::uint32_t>& connections_most() const {
    return connections_most_;
  }
  // Connections of `run` now: the mails that are in its hands.
  [[nodiscard]] std::uint32_t connections(unsigned run) const;
  // Connections that were served so far.
  [[nodiscard]] std::uint64_t connections_total() const { return next_session_ - 1; }
  Task<void> stop() { return tasks_.stop(); }

 private:
  class Session;
  [[nodiscard]] bool troubled_by(Trouble trouble) const;

  const SimClock& clock_;
  Trace& trace_;
  const SiteScript& script_;
  SeededRandom random_;
  std::vector<Take> takes_;
  std::map<std::string, std::set<unsigned>> refused_;
  std::set<std::string> seen_;  // by a receiver that greylists
  std::map<Caller, std::vector<SteadyInstant>> begun_;
  std::map<unsigned, std::vector<SteadyInstant>> heard_;
  std::map<Caller, std::uint32_t> connections_;
  std::map<Caller, std::uint32_t> connections_most_;
  std::vector<Session*> sessions_;  // each lives in its task
  std::uint64_t next_session_ = 1;
  async::TaskGroup tasks_;
};

// What a mail to this address has to contain.
[[nodiscard]] std::string code_of(std::string_view address);

}  // namespace todoku::sim
