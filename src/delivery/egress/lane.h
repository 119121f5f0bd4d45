// SPDX-License-Identifier: Apache-2.0
// A lane at work: the ledger on its home thread, its connections spread over all threads. A
// connection draws mails from the ledger in blocks of about ten milliseconds of its own speed, so
// one dominant site uses every core and a cross-thread hop is paid once per block.
//
//   courier ──add()──> home thread: LaneLedger ──take()──> connection on any thread ──> OutcomeSink
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "async/rounds.h"
#include "async/runtime.h"
#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "delivery/egress/connection_places.h"
#include "delivery/egress/lane_ledger.h"
#include "delivery/options.h"
#include "delivery/policy/site_rules.h"
#include "delivery/work.h"
#include "dns/mail_route.h"
#include "mailauth/dkim/signing_context.h"
#include "net/dialer.h"
#include "net/tls.h"

namespace todoku::delivery::egress {

// The rounds in which the connections of one thread compose and sign, and what they sign with.
struct SigningRounds {
  SigningRounds(async::Executor executor, mailauth::dkim::RsaArithmetic arithmetic)
      : rounds(std::move(executor),
               {.max = mailauth::dkim::SigningContext::kTogetherMax,
                .worthwhile = mailauth::dkim::SigningContext::kTogetherWorthwhile}),
        context(arithmetic) {}

  async::Rounds rounds;
  mailauth::dkim::SigningContext context;
};

// What all lanes share. Everything outlives every lane.
struct LaneWorld {
  async::Runtime& runtime;
  const Clock& clock;
  const Options& options;
  OutcomeSink& outcomes;
  std::shared_ptr<const net::TlsClientContext> tls;
  // A site is to be left alone until then. Any thread.
  std::function<void(std::string site, SteadyInstant until)> site_rests;
  // One group of connection tasks per thread of the runtime, and their rounds.
  std::vector<std::unique_ptr<async::TaskGroup>>& connections;
  std::vector<std::unique_ptr<SigningRounds>>& rounds;
  ConnectionPlaces& places;
  Gauge& connections_gauge;
  Gauge& waiting_gauge;
  Gauge& in_hand_gauge;
  Counter& dials_total;
  net::Dialer* dialer = nullptr;  // nullptr: the system's
};

// Hosts that take the same mail over the same connections.
struct LaneRoute {
  std::string key;
  std::shared_ptr<const dns::RouteAnswer> answer;  // holds a route
  [[nodiscard]] const dns::MailRoute& route() const { return **answer; }
};

class Lane : public std::enable_shared_from_this<Lane> {
 public:
  Lane(LaneWorld& world, std::string site, const policy::SiteLimits& limits,
       const EgressSource& source, std::size_t home, std::uint64_t seed);
  ~Lane();

  // Any thread: hands mails over to the home thread. announce() must have been called before, once
  // per call, while the lane could not be removed.
  void add(LaneRoute route, std::vector<Mail> mails);
  void announce() { announced_.fetch_add(1); }

  // Any thread. Parks what waits; connections end after the mail in their hands.
  void drain();

  // Home thread: nothing waits, nothing runs, nothing is announced.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] async::Executor home() const { return world_.runtime.executor(home_); }
  [[nodiscard]] const std::string& site() const { return site_; }

  struct Figures {
    std::string site;
    std::string source;
    std::uint32_t connections = 0;
    std::size_t waiting = 0;
    bool resting = false;
  };
  // Any thread; a moment old.
  [[nodiscard]] Figures figures() const;

 private:
  friend class LaneConnection;

  // All on the home thread.
  void add_here(const LaneRoute& route, std::vector<Mail> mails);
  void open_connections();
  void open_connection(const std::string& route);
  // Takes a place for a connection of the route, or stands in line for one.
  [[nodiscard]] bool take_place(std::string_view route);
  void park(std::vector<Mail> mails, SteadyInstant until);
  void publish_figures();
  // A lane may live for months and see many sets of hosts.
  void forget_unused_routes();
  // `served`: the site has answered a mail on this connection.
  Task<std::vector<Mail>> take(std::string route, std::uint32_t max, SteadyInstant idle_until,
                               bool served);
  Task<void> connection_opened(std::string route);
  struct Ended {
    bool opened = false;       // connection_opened() was called for it
    bool served = false;       // as above
    bool site_failed = false;  // see policy/verdict.h
    // One of the mails given back was begun: its permit is used, because the receiver may count it.
    bool begun_in_vain = false;
  };
  // `give_back`: mails that were taken and not tried.
  Task<void> connection_closed(std::string route, Ended how, std::vector<Mail> give_back);

  LaneWorld& world_;
  const std::string site_;
  const policy::SiteLimits limits_;
  const EgressSource& source_;
  const std::size_t home_;
  SeededRandom random_;
  LaneLedger<Mail> ledger_;
  std::map<std::string, LaneRoute, std::less<>> routes_;
  async::Signal arrived_;
  std::size_t next_thread_ = 0;
  std::uint64_t next_connection_ = 0;
  bool draining_ = false;
  std::array<bool, 2> in_line_{};   // for a place, by TrafficClass
  std::size_t places_granted_ = 0;  // and not used yet
  std::size_t published_waiting_ = 0;
  std::uint32_t published_connections_ = 0;

  std::atomic<std::size_t> announced_{0};
  std::atomic<std::size_t> waiting_figure_{0};
  std::atomic<std::uint32_t> connections_figure_{0};
  std::atomic<bool> resting_figure_{false};
};

// All lanes of the process. Thread-safe.
class LaneDirectory {
 public:
  LaneDirectory(LaneWorld& world, const policy::SiteRules& rules) : world_(world), rules_(rules) {}

  // Gives mails for one route to the lane of its site and `source`, which is made if need be.
  void add(const EgressSource& source, LaneRoute route, std::vector<Mail> mails);
  // Forgets lanes that have nothing to do.
  void remove_idle();
  void drain();
  [[nodiscard]] std::vector<Lane::Figures> figures() const;

 private:
  LaneWorld& world_;
  const policy::SiteRules& rules_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Lane>> lanes_;
  bool draining_ = false;
};

// "mx1.example.jp,mx2.example.jp": names the hosts of a route, whatever domain it was found for.
[[nodiscard]] std::string route_key(const dns::MailRoute& route);

}  // namespace todoku::delivery::egress
