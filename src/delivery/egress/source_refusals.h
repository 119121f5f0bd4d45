// SPDX-License-Identifier: Apache-2.0
// Who refuses a source itself, and not its mails one by one: a smarthost of ours, or a receiver for
// a blocklist that the address is on (policy/verdict.h). Told once when it begins, as an alarm, and
// once when mail goes through again. Lanes come and go meanwhile.
#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "mail/reply.h"

namespace todoku::delivery::egress {

// Thread-safe.
class SourceRefusals {
 public:
  // Places of sources that are remembered; others are in the log by their rests alone.
  static constexpr std::size_t kMost = 1'000;

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
    What what = What::smarthost;
    SteadyInstant since{};
  };
  // False: it is known, or there are too many.
  [[nodiscard]] bool began(What what, std::string_view source, std::string_view where,
                           SteadyInstant now);

  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;                                                // guards what follows
  std::map<std::string, Refusal, std::less<>> refusals_;            // by "source at site"
  std::map<std::string, SteadyInstant, std::less<>> senders_told_;  // by source
};

}  // namespace todoku::delivery::egress
