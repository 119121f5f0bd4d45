// SPDX-License-Identifier: Apache-2.0
// What became of mails, counted: what rates of bounces and complaints are made of. Each mail counts
// once, when a receiver's last word on it is known; a complaint, or a bounce that comes after a
// 250, is counted when it comes.
#pragma once

#include <cstdint>

namespace todoku {

struct OutcomeCounts {
  std::int64_t answered = 0;   // a receiver took it, or refused it for good
  std::int64_t delivered = 0;  // also of what came back later
  // Of these, at receivers that send complaints at all (rules/sites.toml, `complaints`): of all the
  // others it is not known whether anybody complained.
  std::int64_t reporting = 0;
  std::int64_t hard = 0;           // bounced in a way that speaks against the address
  std::int64_t unknown_users = 0;  // of these: there is no such address
  std::int64_t complained = 0;

  OutcomeCounts& operator+=(const OutcomeCounts& more) {
    answered += more.answered;
    delivered += more.delivered;
    reporting += more.reporting;
    hard += more.hard;
    unknown_users += more.unknown_users;
    complained += more.complained;
    return *this;
  }
  OutcomeCounts& operator-=(const OutcomeCounts& less) {
    answered -= less.answered;
    delivered -= less.delivered;
    reporting -= less.reporting;
    hard -= less.hard;
    unknown_users -= less.unknown_users;
    complained -= less.complained;
    return *this;
  }
  friend bool operator==(const OutcomeCounts&, const OutcomeCounts&) = default;
};

}  // namespace todoku
