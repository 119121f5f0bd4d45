// SPDX-License-Identifier: Apache-2.0
// One connection to a scripted receiver: asks the script what to answer, misbehaves as it says, and
// records what arrived.
#pragma once

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
#include "smtp/server/connection.h"
#include "smtp/server/owner.h"

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

class Connection final : private smtp::ServerOwner {
 public:
  // All must outlive the connection.
  Connection(Shared& shared, ReceiverState& state, ThreadTally& thread, ReceiverTally& tally,
             net::Stream stream);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Returns when the connection has ended.
  [[nodiscard]] Task<void> run();

 private:
  [[nodiscard]] Task<smtp::ServerAnswer> answer(smtp::ServerStep step) override;
  [[nodiscard]] Task<void> take(std::string_view piece) override;
  void discard() override { end_transaction(); }
  [[nodiscard]] Task<Result<net::TlsInfo>> shake_hands(net::Stream& stream,
                                                       SteadyInstant deadline) override;
  [[nodiscard]] Task<Result<void>> write(net::Stream& stream, std::string_view replies,
                                         SteadyInstant deadline) override;

  [[nodiscard]] Task<Result<void>> write_slowly(net::Stream& stream, std::string_view octets);
  [[nodiscard]] Task<bool> delay(Microseconds time);
  [[nodiscard]] Task<void> fail_in_tls(net::Stream& stream);
  [[nodiscard]] smtp::ServerSettings settings() const;

  [[nodiscard]] Decision decide(const smtp::ServerStep& step);
  [[nodiscard]] Decision decide_connect();
  [[nodiscard]] Decision decide_mail();
  [[nodiscard]] Decision decide_recipient();
  [[nodiscard]] Decision refuse(Excuse excuse);
  [[nodiscard]] Decision ask_script(Moment at, std::span<const Address> recipients);
  void remember(const smtp::ServerStep& step, const Decision& decision);
  void begin_transaction();
  void begin_content();
  void take_content(std::string_view piece);
  void take_message(bool silently);
  void record(std::span<const ArrivedRecipient> recipients, Instant now);
  void count_refused_recipient(const Reply& reply);
  void count_replies(std::string_view output);
  void end_transaction();
  [[nodiscard]] const smtp::ServerSession& session() const { return connection_.session(); }

  Shared& shared_;
  ReceiverState& state_;
  ThreadTally& thread_;
  ReceiverTally& tally_;
  SeededRandom random_;
  Login login_;
  HeaderScanner scanner_;
  const std::string client_;
  smtp::ServerConnection connection_;
  std::string tls_;
  std::string sender_;  // empty: the null path
  std::vector<Address> recipients_;
  std::string message_;  // only if it is kept or verified
  bool in_transaction_ = false;
  bool keep_ = false;
  bool verify_ = false;
  DkimVerdict dkim_;
  std::uint32_t messages_ = 0;  // begun in this connection
};

}  // namespace todoku::sink
