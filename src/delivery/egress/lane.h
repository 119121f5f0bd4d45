// SPDX-License-Identifier: Apache-2.0
// A lane at work: the ledger on its home thread, its connections spread over all threads. A
// connection draws mails from the ledger in blocks of about ten milliseconds of its own speed, so
// one dominant site uses every core and a cross-thread hop is paid once per block.
//
//   courier ──add()──> home thread: LaneLedger ──take()──> connection on any thread ──> OutcomeSink
//                                  ^                              │
//                                  └────────leave(): its seat─────┘
//
// Whatever throws, and wherever: a connection's places are free again, and its mails settled, in
// the ledger or parked (lane_seat.h).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
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
#include "delivery/egress/composing_memory.h"
#include "delivery/egress/connection_places.h"
#include "delivery/egress/known_receivers.h"
#include "delivery/egress/lane_inbox.h"
#include "delivery/egress/lane_ledger.h"
#include "delivery/egress/lane_seat.h"
#include "delivery/egress/lane_slowdowns.h"
#include "delivery/egress/mail_at_hand.h"
#include "delivery/egress/own_shortage.h"
#include "delivery/egress/refused_login.h"
#include "delivery/egress/source_refusals.h"
#include "delivery/egress/way_out.h"
#include "delivery/feedback.h"
#include "delivery/options.h"
#include "delivery/pace_memory.h"
#include "delivery/policy/adaptive_pace.h"
#include "delivery/policy/automations.h"
#include "delivery/policy/given_back.h"
#include "delivery/policy/site_rules.h"
#include "delivery/source_set.h"
#include "delivery/stop_list.h"
#include "delivery/warm_up.h"
#include "delivery/work.h"
#include "dns/mail_route.h"
#include "mailauth/dkim/signing_context.h"
#include "net/dialer.h"
#include "net/tls.h"

namespace todoku::delivery::egress {

// The rounds in which the connections of one thread compose and sign, and what they sign with.
struct SigningRounds {
  // `by_eight` null: OpenSSL makes all signatures.
  SigningRounds(async::Executor executor, std::shared_ptr<mailauth::dkim::RsaByEight> by_eight)
      : rounds(std::move(executor),
               {.max = mailauth::dkim::SigningContext::kTogetherMax,
                .worthwhile = mailauth::dkim::SigningContext::kTogetherWorthwhile}),
        context(std::move(by_eight)) {}

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
  Feedback& feedback;
  // One group of connection tasks per thread of the runtime, and their rounds.
  std::vector<std::unique_ptr<async::TaskGroup>>& connections;
  std::vector<std::unique_ptr<SigningRounds>>& rounds;
  ConnectionPlaces& places;
  ComposingMemory& memory;
  Gauge& connections_gauge;
  Gauge& waiting_gauge;
  Gauge& in_hand_gauge;
  Counter& dials_total;
  OwnShortage& shortage;
  KnownReceivers& receivers;
  net::Dialer* dialer = nullptr;    // nullptr: the system's
  const StopList* stops = nullptr;  // nullptr: nobody is stopped
  // Sources that are on a blocklist; nullptr: none is known.
  const SourceSet* listed = nullptr;
  Counter* automations_total = nullptr;  // nullptr: not counted
  LaneSlowdowns* slowdowns = nullptr;    // nullptr: not counted
  PaceMemory* paces = nullptr;           // nullptr: what a lane learns goes with it
  WarmUp* warm_up = nullptr;             // nullptr: no source is warming up
  SourceRefusals* refusals = nullptr;    // nullptr: nobody is told
};

class Lane : public std::enable_shared_from_this<Lane> {
 public:
  // `is_named`: rules name the site, so that its share of a plan is counted; never a smarthost's,
  // to which all of a source's mail goes.
  Lane(LaneWorld& world, std::string site, const policy::SiteLimits& limits,
       const EgressSource& source, std::size_t home, std::uint64_t seed, bool is_named = false);
  ~Lane();

  // The following on any thread. What is handed over here is dealt with by the home thread, soon,
  // or at the next tidy() where memory was short. announce() must have been called before add(),
  // once per call, while the lane could not be removed.
  void add(std::unique_ptr<LaneArrival> arrival) noexcept;
  void announce() noexcept { announced_.fetch_add(1); }
  // A connection has ended.
  void leave(std::unique_ptr<LaneSeat> seat) noexcept;
  // Parks what waits; connections end after the mail in their hands.
  void drain() noexcept;

  // Home thread, every few seconds: gives up what has waited for longer than its life time, gives
  // back what is held back, deals with what could not be dealt with, and opens connections again
  // after an exception.
  void tidy() noexcept;
  // Home thread: nothing waits, nothing runs, nothing is announced, and nothing that receivers have
  // said holds back or counts what comes next.
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] async::Executor home() const { return world_.runtime.executor(home_); }
  [[nodiscard]] const std::string& site() const { return site_; }

  // How it fares, and why what waits in it waits.
  struct Figures {
    std::string site;
    std::string source;
    std::uint32_t connections = 0;
    std::uint32_t connections_max = 0;
    std::size_t waiting = 0;
    bool resting = false;
    SteadyInstant rests_until{};
    unsigned failures = 0;  // of the site in a row
    Reply failure;          // the last of them; code 0: our own sentence
    // None is opened before, for want of something of our own.
    SteadyInstant opens_none_until{};
    bool wants_room = false;         // and that is memory in which mails are composed
    SteadyInstant next_permit_at{};  // by the pace
    bool in_line = false;            // for one of the connections of the process
    double messages_per_second = 0;  // its pace; <= 0: no limit
    std::uint32_t connections_allowed = 0;
    policy::AdaptivePace::Why why;  // of the pace
    Reply slowed_by;  // what was said when the receiver last found it too much; code 0: never
  };
  // Any thread; a moment old.
  [[nodiscard]] Figures figures() const;
  // Any thread; nullopt: none of its connections is busy with this mail.
  [[nodiscard]] std::optional<MailAtHand::Sight> at_hand(const store::RecipientKey& mail) const;

 private:
  friend class LaneConnection;

  // All on the home thread.
  //
  // Sees to everything that came from other threads, and to what follows from it.
  void tend() noexcept;
  // Does a step of it; what it throws is told and goes no further.
  template <class Step>
  void guarded(Step step) noexcept;
  template <class Node>
  void deal_with_all(LaneInbox<Node>& inbox, void (Lane::*deal)(Node&)) noexcept;
  // Has tend() called on the home thread. Any thread.
  // False: it could not be, and what came waits for the next who wakes it.
  bool wake() noexcept;
  void accept(LaneArrival& arrival);
  void dismiss(LaneSeat& seat);
  // Its place in the ledger and among all connections.
  void free_place(LaneSeat& seat) noexcept;
  void tell_untold(LaneSeat& seat);
  void rest(SteadyInstant now, LaneSeat& seat, bool elsewhere);
  // Parks what waits until then, and has the scheduler know.
  // `elsewhere`: see LaneRest.
  void leave_alone(SteadyInstant now, bool rested_before, bool elsewhere);
  // Its smarthost has refused this login (refused_login.h): the rest that begins is in pieces.
  void bar(RefusedLogin::Login login, SteadyInstant now);
  // What there is to log in with is refused still: the next piece.
  void rest_while_barred(SteadyInstant now);
  // Any thread.
  [[nodiscard]] bool is_barred(const RefusedLogin::Login& login) const;
  [[nodiscard]] SteadyInstant parked_while_resting(SteadyInstant now) const;
  // While the source is warming up: draws permits for mails that wait. None: they have to be asked
  // for.
  [[nodiscard]] WarmUp::Permits take_permits(std::string_view route, std::uint32_t max);
  void give_back_permits(std::int64_t day, std::int64_t count);
  // Returns when there may be some, or the lane is held until tomorrow.
  Task<void> ask_for_permits();
  void hold_until_tomorrow(const WarmUp::Answer& answer, SteadyInstant now);
  // What the seat's answers say about the pace.
  void tell_pace(LaneSeat& seat, SteadyInstant now);
  void tell_answers(LaneSeat& seat, SteadyInstant now);
  // Does what the seat's answers set off.
  void automate(LaneSeat& seat, SteadyInstant now);
  void do_automation(const policy::Automation& automation, SteadyInstant now);
  // Adds mails to what waits, or parks them.
  void take_in(const LaneRoute& route, MailsInHand& mails);
  void park_all(MailsInHand& mails, SteadyInstant until);
  void park_waiting(SteadyInstant until);
  void give_up_the_outlived();
  void park_those_held_back();
  void open_connections();
  void open_connection(std::unique_ptr<LaneSeat> seat);
  [[nodiscard]] std::shared_ptr<MailAtHand> new_at_hand();
  // Takes a place for a connection of the route, or stands in line for one.
  [[nodiscard]] bool take_place(std::string_view route);
  void publish_figures();
  [[nodiscard]] policy::AdaptivePace::Why why(SteadyInstant now) const;
  void remember_pace();
  [[nodiscard]] bool opens_none(SteadyInstant now) const { return now < opens_none_until_; }
  // A lane may live for months and see many sets of hosts.
  void forget_unused_routes();
  // Refills the seat's hands, which are empty; none: the connection should end.
  Task<void> take(LaneSeat& seat, std::uint32_t max, SteadyInstant idle_until);
  Task<void> connection_opened(LaneSeat& seat);
  // For who has left and must know that what it brought is dealt with: its task ends then.
  Task<void> tended();

  LaneWorld& world_;
  const std::string site_;
  const policy::SiteLimits limits_;
  const EgressSource& source_;
  const WayOut way_out_;
  const std::size_t home_;
  SeededRandom random_;
  LaneLedger<Mail> ledger_;
  std::map<std::string, LaneRoute, std::less<>> routes_;
  async::Signal arrived_;
  std::size_t next_thread_ = 0;
  bool draining_ = false;
  // Something was thrown: nothing is opened before the next tidy(), or an exception that comes each
  // time would be a loop without a pause.
  bool troubled_ = false;
  MailsInHand parking_;  // not yet told to be parked
  SteadyInstant parked_until_{};
  policy::GivenBack given_back_;
  SteadyInstant unwanted_until_{};  // the site does not want this source
  SteadyInstant plan_begins_{};     // the source's, by which it warms up; the past: it has
  // After a connection that could not be begun; without any other, what waits is parked until then.
  SteadyInstant opens_none_until_{};
  bool wants_room_ = false;         // what it could not be begun for, or not go on with
  std::array<bool, 2> in_line_{};   // for a place, by TrafficClass
  std::size_t places_granted_ = 0;  // and not used yet
  policy::AutomationCounts automation_counts_;
  WarmUp* const warm_up_;      // nullptr: the source has no plan
  const std::string counted_;  // as what the plan counts the site; empty: only in all
  bool asking_ = false;        // for permits
  std::size_t published_waiting_ = 0;
  std::uint32_t published_connections_ = 0;

  LaneInbox<LaneArrival> arrivals_;
  LaneInbox<LaneSeat> ended_;
  // What came of standing in line, by TrafficClass. Who grants a place and cannot wake the lane for
  // it takes it back: the lane only learns that it is in line no more.
  enum class Turn : std::uint8_t { none, granted, passed };
  std::array<std::atomic<Turn>, 2> turn_{};
  std::atomic<bool> drain_asked_{false};
  // How far ahead of its mails the store is told that they are begun: as many bits as were needed.
  std::atomic<std::uint32_t> begun_ahead_{1};
  std::atomic<bool> woken_{false};                 // tend() is on its way
  std::atomic<std::uint32_t> senders_refused_{0};  // policy::LaneBefore; of all its connections
  std::atomic<std::size_t> announced_{0};
  mutable std::mutex figures_mutex_;
  Figures figures_;                                       // guarded by it
  RefusedLogin refused_login_;                            // likewise; changed on the home thread
  std::vector<std::weak_ptr<const MailAtHand>> at_hand_;  // likewise; one for each connection
};

// A connection's hold of its seat, which goes back to the lane when this dies.
class OwnedSeat {
 public:
  OwnedSeat(std::shared_ptr<Lane> lane, std::unique_ptr<LaneSeat> seat) noexcept
      : lane_(std::move(lane)), seat_(std::move(seat)) {}
  OwnedSeat(OwnedSeat&&) noexcept = default;
  OwnedSeat& operator=(OwnedSeat&&) = delete;
  ~OwnedSeat() { leave(); }

  void leave() noexcept {
    if (seat_ != nullptr) lane_->leave(std::move(seat_));
  }
  [[nodiscard]] const std::shared_ptr<Lane>& lane() const noexcept { return lane_; }
  [[nodiscard]] LaneSeat* operator->() const noexcept { return seat_.get(); }
  [[nodiscard]] LaneSeat& operator*() const noexcept { return *seat_; }

 private:
  std::shared_ptr<Lane> lane_;
  std::unique_ptr<LaneSeat> seat_;
};

// All lanes of the process. Thread-safe.
class LaneDirectory {
 public:
  LaneDirectory(LaneWorld& world, const policy::SiteRules& rules) : world_(world), rules_(rules) {}

  // Gives mails for one route to the lane of its site and `source`, which is made if need be. If
  // that is not possible they are parked.
  void add(const EgressSource& source, LaneRoute route, std::vector<Mail> mails);
  // Tidies all lanes and forgets those that have nothing to do.
  void tidy() noexcept;
  void drain();
  // What waits for a lane of this source is parked, and so is what comes; its connections end after
  // the mail in their hands.
  void drain(std::string_view source);
  // The source is sent from again, by new lanes, which go on with the pace that the old ones had
  // learnt (LaneWorld::paces) and know nothing else of how these fared.
  void resume(std::string_view source);
  // Whether a lane of this source has connections or mail.
  [[nodiscard]] bool in_use(std::string_view source) const;
  [[nodiscard]] std::vector<Lane::Figures> figures() const;
  // The limits of all lanes of a site are among them.
  [[nodiscard]] const policy::SiteRules& rules() const { return rules_; }
  // nullopt: there is no such lane, so nothing waits in it and it does not rest.
  [[nodiscard]] std::optional<Lane::Figures> figures_of(std::string site, std::string source) const;
  // nullopt: no connection of theirs is busy with this mail.
  [[nodiscard]] std::optional<MailAtHand::Sight> at_hand(std::string site, std::string source,
                                                         const store::RecipientKey& mail) const;

 private:
  using Name = std::pair<std::string, std::string>;  // site, source

  void forget_if_idle(const Name& name, const Lane& lane) noexcept;
  [[nodiscard]] std::shared_ptr<Lane> announced_lane(const EgressSource& source,
                                                     const std::string& site);

  LaneWorld& world_;
  const policy::SiteRules& rules_;
  mutable std::mutex mutex_;
  std::map<Name, std::shared_ptr<Lane>> lanes_;
  std::vector<std::pair<Name, std::shared_ptr<Lane>>> ending_;  // drained; others have their names
  std::set<std::string, std::less<>> drained_;                  // sources
  bool draining_ = false;
};

// "mx1.example.jp,mx2.example.jp": names the hosts of a route, whatever domain it was found for.
// Domains with the same hosts share connections only where these are protected alike: the hosts of
// one may be proven by DNSSEC, and so held to their TLSA records, and those of the other not.
[[nodiscard]] std::string route_key(const dns::MailRoute& route);

}  // namespace todoku::delivery::egress
