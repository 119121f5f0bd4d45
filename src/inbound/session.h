// SPDX-License-Identifier: Apache-2.0
// One connection that brings mail to us.
//
//   greeting -> (MAIL -> RCPT ... -> data -> filters -> what it changes is committed: 250)*
//
// The dialogue is smtp/server's. Whom there is no such address for is said at RCPT; nobody logs in,
// and nothing goes on to anybody but who the configuration names.
#pragma once

#include <atomic>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/line_budget.h"
#include "base/metrics.h"
#include "base/minute_meter.h"
#include "inbound/addressee.h"
#include "inbound/filters.h"
#include "inbound/handler.h"
#include "inbound/options.h"
#include "inbound/room.h"
#include "net/server_certificates.h"
#include "net/stream.h"
#include "smtp/server/connection.h"
#include "smtp/server/owner.h"

namespace todoku::inbound {

struct SessionMetrics {
  explicit SessionMetrics(Metrics& metrics);
  Counter& connections;
  Counter& unknown;   // recipients
  Counter& refusals;  // negative replies of any kind
  Counter& octets;
};

// What all sessions share; outlives them. Thread-safe.
struct SessionWorld {
  const InboundOptions& options;
  const smtp::ServerOptions& protocol;
  const std::string& secret;
  Filters& filters;
  Handler& handler;
  Rooms& rooms;
  MinuteMeter& meter;
  LineBudget& lines;
  const net::ServerCertificates& certificates;
  const Clock& clock;
  SessionMetrics& metrics;
  const std::atomic<bool>& stopping;
};

class Session final : private smtp::ServerOwner {
 public:
  // Of a returned mail so much is kept: what it says stands before the mail that it encloses.
  static constexpr std::size_t kReturnedOctetsKept = std::size_t{1} << 20U;
  // Whoever asks for more addresses that there are not is guessing.
  static constexpr std::size_t kUnknownMax = 20;
  static constexpr std::size_t kRecipientsMax = 100;  // RFC 5321 section 4.5.3.1.8

  Session(const SessionWorld& world, net::Stream stream, net::IpAddress client);
  // run() was awaited.
  ~Session() override = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Returns when the connection has ended.
  [[nodiscard]] Task<void> run();

  // Content is under way, or an answer that is not written yet.
  [[nodiscard]] bool is_busy() const {
    return (transaction_ && transaction_->has_begun) || !connection_.session().output().empty();
  }
  // Ends it with 421 unless it is busy.
  void end_if_idle() {
    if (!is_busy()) conversing_.cancel();
  }

 private:
  struct Transaction {
    // Written out: the defaults below are not known to std::optional inside of this class.
    Transaction() {}  // NOLINT(modernize-use-equals-default)
    std::vector<Addressee> to;
    MilterMail envelope;  // for filters
    std::string octets;
    std::optional<Room::Share> share;            // once its content has begun
    bool has_begun = false;                      // its content
    SteadyInstant until = SteadyInstant::max();  // its content has to have come
    bool has_no_room = false;
  };

  [[nodiscard]] Task<smtp::ServerAnswer> answer(smtp::ServerStep step) override;
  [[nodiscard]] Task<void> take(std::string_view piece) override;
  void discard() override { transaction_.reset(); }
  [[nodiscard]] SteadyInstant deadline() const override {
    return transaction_ ? transaction_->until : SteadyInstant::max();
  }
  void refused(int code, std::string_view text) override;
  [[nodiscard]] Task<Result<net::TlsInfo>> shake_hands(net::Stream& stream,
                                                       SteadyInstant deadline) override;

  [[nodiscard]] Task<void> converse();
  [[nodiscard]] smtp::ServerAnswer greet();
  [[nodiscard]] smtp::ServerAnswer begin_mail();
  [[nodiscard]] smtp::ServerAnswer add_recipient();
  void begin_content();
  [[nodiscard]] Task<smtp::ServerAnswer> finish();
  [[nodiscard]] Task<std::optional<Reply>> filter(Handler::Came& came);
  [[nodiscard]] bool is_only_for(std::initializer_list<Addressee::Kind> kinds) const;
  [[nodiscard]] std::size_t kept_octets_max() const;
  [[nodiscard]] smtp::ServerSettings settings() const;

  const SessionWorld& world_;
  const net::IpAddress client_;
  const net::Endpoint remote_;
  std::size_t unknown_ = 0;
  std::optional<Transaction> transaction_;
  smtp::ServerConnection connection_;
  async::TaskGroup conversing_;
};

}  // namespace todoku::inbound
