// SPDX-License-Identifier: Apache-2.0
// What a running engine knows of the way of a mail that is not over: why one that is due waits all
// the same. A moment old.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "delivery/policy/adaptive_pace.h"
#include "mail/attempt.h"
#include "mail/reply.h"
#include "store/recipients.h"

namespace todoku::explain {

// What a connection that is busy with the mail waits for.
struct AtHand {
  Instant since;                 // its turn came
  Stage stage = Stage::none;     // that the receiver has to answer; connect: to be reached at all
  bool content_is_out = false;   // all of it: the mail may arrive, whatever happens now
  std::optional<Instant> until;  // the waiting ends by itself
};

// A lane: the site that the mail goes to and the source that sends it.
struct Way {
  std::string site;
  std::string source;
  std::string pool{};                  // that a rule of the operator chose; empty: none did
  std::optional<Instant> rests_until;  // nothing is sent to the site before
  unsigned failures = 0;               // of the site in a row; while there are any, it is probed
  Reply failure;                       // the last of them; code 0: our own sentence
  // No connection is opened before, for want of something of our own.
  std::optional<Instant> opens_none_until;
  bool wants_room = false;             // and that is memory in which mails are composed
  std::optional<Instant> next_permit;  // by the pace of the site
  std::uint32_t connections = 0;
  std::uint32_t connections_max = 0;
  std::size_t waiting = 0;  // mails, for a connection
  bool in_line = false;     // for one of the connections that the process may have at once
  // Of a lane that goes by the receiver's answers: how fast it goes now (messages a second), over
  // how many connections at most, and why.
  struct Pace {
    double messages_per_second = 0;
    std::uint32_t connections_max = 0;
    delivery::policy::PaceReason reason = delivery::policy::PaceReason::starting;
    std::optional<Instant> until{};  // of a reason that ends by itself
  };
  std::optional<Pace> pace;
  bool overflows = false;  // what its source may not send today goes by others of the pool
  std::optional<AtHand> at_hand;
};

using WayOf = std::function<std::optional<Way>(const store::Story& story)>;

}  // namespace todoku::explain
