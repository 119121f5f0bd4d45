// SPDX-License-Identifier: Apache-2.0
// One connection to a scripted receiver: carries octets between the stream and the SMTP session,
// asks the script what to do, and records what arrived.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/random.h"
#include "mail/address.h"
#include "net/stream.h"
#include "sink/arrival.h"
#include "sink/attempts.h"
#include "sink/dkim_check.h"
#include "sink/duplicate_set.h"
#include "sink/header_scanner.h"
#include "sink/login.h"
#include "sink/options.h"
#include "sink/script.h"
#include "sink/tally.h"
#include "smtp/protocol/server_session.h"

namespace todoku::sink {

// What all connections share. Thread-safe.
struct Shared {
  Shared(const Options& the_options, const Clock& the_clock)
      : options(the_options), clock(the_clock), duplicates(the_options.duplicates_max) {}

  const Options& options;
  const Clock& clock;
  Attempts attempts;
  DuplicateSet duplicates;
  std::unique_ptr<ArrivalLog> log;
  std::unique_ptr<MailFolder> folder;
  std::unique_ptr<DkimCheck> dkim;
  std::atomic<std::uint64_t> connections{0};  // since the start
};

// One receiver's share of the above. Thread-safe.
struct ReceiverState {
  ReceiverState(const Receiver& the_receiver, Shared& shared)
      : receiver(the_receiver), script(the_receiver, shared.options.seed, shared.attempts) {}

  // Counts a message against messages_per_second_max; false: this second is full.
  [[nodiscard]] bool take_from_second(Instant now);

  const Receiver& receiver;
  const Script script;
  std::shared_ptr<const net::TlsServerContext> tls;
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> peak{0};

 private:
  std::mutex mutex_;
  std::int64_t second_ = 0;
  std::uint32_t in_second_ = 0;
};

// One thread's counting.
struct ThreadTally {
  explicit ThreadTally(std::size_t receivers) : by_receiver(receivers) {}
  std::vector<ReceiverTally> by_receiver;
  DomainTally domains;
  LatencyTally latency;
};

class Connection {
 public:
  // All must outlive the connection.
  Connection(Shared& shared, ReceiverState& state, ThreadTally& thread, ReceiverTally& tally,
             net::Stream stream);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Returns when the connection has ended.
  [[nodiscard]] Task<void> run();

 private:
  enum class Next : std::uint8_t { go_on, end };

  [[nodiscard]] Task<Next> exchange();  // writes the output, then reads
  [[nodiscard]] Task<bool> flush();
  [[nodiscard]] Task<bool> write_slowly(std::string_view octets);
  [[nodiscard]] Task<Next> start_tls();
  [[nodiscard]] Task<Next> say_goodbye();
  [[nodiscard]] Task<Next> wait_for_end(SteadyInstant until);
  [[nodiscard]] Task<Next> follow(smtp::ServerStep step, Decision decision);

  [[nodiscard]] Decision decide(const smtp::ServerStep& step);
  [[nodiscard]] Decision decide_connect();
  [[nodiscard]] Decision decide_mail();
  [[nodiscard]] Decision decide_recipient();
  [[nodiscard]] Decision refuse(Excuse excuse);
  [[nodiscard]] Decision ask_script(Moment at, std::span<const Address> recipients);
  void answer(const smtp::ServerStep& step, const Decision& decision);
  void begin_transaction();
  void begin_content();
  void take_content(std::string_view piece);
  void take_message(bool silently);
  void record(std::span<const ArrivedRecipient> recipients, Instant now);
  void count_refused_recipient(const Reply& reply);
  void count_replies(std::string_view output);
  void end_transaction();
  [[nodiscard]] SteadyInstant deadline() const;

  Shared& shared_;
  ReceiverState& state_;
  ThreadTally& thread_;
  ReceiverTally& tally_;
  net::Stream stream_;
  smtp::ServerSession session_;
  SeededRandom random_;
  Login login_;
  HeaderScanner scanner_;
  const std::string client_;
  std::string tls_;
  std::string sender_;  // empty: the null path
  std::vector<Address> recipients_;
  std::string message_;  // only if it is kept or verified
  bool in_transaction_ = false;
  bool quitting_ = false;
  bool keep_ = false;
  bool verify_ = false;
  DkimVerdict dkim_;
  std::uint32_t messages_ = 0;  // begun in this connection
  std::unique_ptr<char[]> buffer_;
  std::size_t buffer_size_;
  bool input_full_ = false;  // the latest read filled the buffer
  std::string_view input_;
};

}  // namespace todoku::sink
