// SPDX-License-Identifier: Apache-2.0
// What a lane and its connections hand to one another. Mails are in one of these from the moment
// they leave the ledger until they are settled or parked, never in a local variable alone: whatever
// throws, they come back with it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "delivery/policy/automations.h"
#include "delivery/work.h"
#include "dns/mail_route.h"
#include "mail/attempt.h"
#include "mail/client_login.h"

namespace todoku::delivery::egress {

// Hosts that take the same mail over the same connections, which are protected alike.
struct LaneRoute {
  std::string key;
  std::shared_ptr<const dns::RouteAnswer> answer;  // holds a route
  bool mta_sts = false;                            // see mta_sts_route.h
  [[nodiscard]] const dns::MailRoute& route() const { return **answer; }
};

// Mails of which the first is the next to be dealt with.
class MailsInHand {
 public:
  MailsInHand() = default;
  MailsInHand(MailsInHand&& other) noexcept
      : mails_(std::exchange(other.mails_, {})), next_(std::exchange(other.next_, 0)) {}
  MailsInHand& operator=(MailsInHand&& other) noexcept {
    mails_ = std::exchange(other.mails_, {});
    next_ = std::exchange(other.next_, 0);
    return *this;
  }
  explicit MailsInHand(std::vector<Mail> mails) noexcept : mails_(std::move(mails)) {}

  [[nodiscard]] bool empty() const noexcept { return next_ == mails_.size(); }
  [[nodiscard]] std::size_t size() const noexcept { return mails_.size() - next_; }
  [[nodiscard]] const Mail& front() const noexcept { return mails_[next_]; }
  // The first is dealt with. Its batch is let go of at once.
  void pop() noexcept {
    mails_[next_++].batch.reset();
    if (empty()) clear();
  }
  void clear() noexcept {
    mails_ = {};
    next_ = 0;
  }
  // Only while empty.
  void refill(std::vector<Mail> mails) noexcept {
    mails_ = std::move(mails);
    next_ = 0;
  }
  // To append to.
  [[nodiscard]] std::vector<Mail>& list() noexcept { return mails_; }

 private:
  std::vector<Mail> mails_;
  std::size_t next_ = 0;
};

// Mails for a route on their way from a courier.
struct LaneArrival {
  LaneRoute route;
  MailsInHand mails;
  std::unique_ptr<LaneArrival> next;
};

// A connection's membership in its lane: its place in the ledger, its place among the connections
// of the process, the mails in its hands. It goes back to the lane when the connection ends,
// however it ends.
struct LaneSeat {
  explicit LaneSeat(LaneRoute to) : route(std::move(to)) {}

  const LaneRoute route;
  MailsInHand mails;            // taken from the lane; what is left at the end was not tried
  SteadyInstant taken_at{};     // when they were
  std::int64_t permits_of = 0;  // the day of whose volume (warm_up.h) they are
  bool counted = true;          // in the ledger and among the places; given back once
  bool opened = false;          // connection_opened() was called for it
  bool served = false;          // the site has answered a mail on this connection
  bool site_failed = false;     // see policy/verdict.h
  bool is_listed = false;       // and it was for a blocklist that the source is on
  bool too_fast = false;        // likewise: slow_down
  bool too_many = false;        // this connection was not taken, while others may be at work
  Reply failure;                // what was said then
  // It failed because a smarthost does not let us log in: with this, or without any (null).
  bool not_logged_in = false;
  std::shared_ptr<const ClientLogin> login;
  // What we would log in with was refused, and is barred still (refused_login.h): nothing was
  // tried.
  bool login_is_barred = false;
  // Automations that answers count for.
  std::vector<const policy::Automation*> automations;
  // Answers since the lane was told of them last, none of which asks for a slower pace.
  std::uint32_t answers = 0;
  std::uint32_t answers_timed = 0;  // of these, those whose time tells of the receiver
  Microseconds answers_took{};      // together
  // For want of something of our own: the site was asked nothing.
  bool could_not_begin = false;
  // One of the mails given back waited in vain for memory to be composed in.
  bool found_no_room = false;
  // One of the mails given back was begun: its permit is used, because the receiver may count it.
  bool begun_in_vain = false;
  // The connection was ended by an exception.
  bool threw = false;
  // What became of the first of `mails`, where that could not be told on the spot.
  struct Untold {
    RecipientState state = RecipientState::deferred;
    Stage stage = Stage::none;
    int code = 0;
    bool in_doubt = false;
    Cause cause = Cause::none;
    Path path;
  };
  std::optional<Untold> untold;
  std::unique_ptr<LaneSeat> next;
};

}  // namespace todoku::delivery::egress
