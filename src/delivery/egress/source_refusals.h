// SPDX-License-Identifier: Apache-2.0
// Who refuses a source itself, and not its mails one by one: a smarthost of ours, or a receiver for
// a blocklist that the address is on (policy/verdict.h). Told once when it begins, as an alarm, and
// once when it is over: when mail goes through again, or when nobody has said so for a day, as
// where no mail goes any more. Lanes come and go meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "mail/reply.h"

namespace todoku::delivery::egress {

// Thread-safe.
class SourceRefusals {
 public:
  // Receivers that are remembered; others are in the log by their rests alone. Smarthosts have as
  // many places of their own.
  static constexpr std::size_t kMost = 1'000;
  static constexpr std::chrono::hours kRemembered{24};  // since it was said last

  void smarthost_refuses(std::string_view source, std::string_view host, const Reply& reply,
                         SteadyInstant now);
  // It does not let us send as one sender, and others' mail may go: told once an hour, because such
  // mails and others may come in turn.
  void sender_refused(std::string_view source, std::string_view host, const Reply& reply,
                      SteadyInstant now);
  // The receiver says that the source's address is on a blocklist.
  void address_refused(std::string_view source, std::string_view site, const Reply& reply,
                       SteadyInstant now);
  // To be said of each mail that was taken there: costs next to nothing while nobody refuses.
  void mail_taken(std::string_view source, std::string_view where, SteadyInstant now);

 private:
  enum class What : unsigned char { smarthost, address };
  struct Refusal {
    SteadyInstant since{};
    SteadyInstant last{};
  };
  using Refusals = std::map<std::string, Refusal, std::less<>>;  // by "source at site"
  struct Over {
    What what = What::smarthost;
    std::string name;
    Refusal refusal;
    bool mail_was_taken = false;
  };

  void refused(What what, std::string_view source, std::string_view where, const Reply& reply,
               SteadyInstant now);
  // True: to be told, since it is not known and there are not too many. With the mutex.
  [[nodiscard]] bool began(What what, std::string name, SteadyInstant now);
  // Takes out what nobody has said lately. With the mutex.
  void forget_old(SteadyInstant now, std::vector<Over>& over);
  void count();
  static void tell(const std::vector<Over>& over, SteadyInstant now);

  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;  // guards what follows
  Refusals smarthosts_;
  Refusals addresses_;
  SteadyInstant looked_at_{};                                       // for what is old
  std::map<std::string, SteadyInstant, std::less<>> senders_told_;  // by source
};

}  // namespace todoku::delivery::egress
