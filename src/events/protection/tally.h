// SPDX-License-Identifier: Apache-2.0
// What a page of events adds to the counts of bounces and complaints. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/events.h"
#include "store/rates.h"

namespace todoku::events::protection {

// What is known of a receiver.
struct Receiver {
  std::string site = std::string(kOthers);  // as the rules name it
  bool reports_complaints = false;          // it sends them to who has asked for it
  // From so many unknown users among its answers a delivery is held back there, in parts per
  // million; 0: never.
  std::int64_t unknown_users_limit = 0;

  // All that no rule names: counted together, and held back nowhere, as they are many.
  static constexpr std::string_view kOthers = "others";
};
// Of the domain of an address and the host that answered, which may be empty.
using Receivers = std::function<Receiver(std::string_view domain, std::string_view mx_host)>;

// The kinds that count, and those of deliveries that begin.
[[nodiscard]] std::vector<store::EventKind> kinds_counted();

class Tally {
 public:
  explicit Tally(const Receivers& receivers) : receivers_(receivers) {}

  // `sender_domain`: of the delivery's From. An event of another kind, or of a delivery that is
  // gone, adds nothing.
  void add(const store::EventRecord& event, std::string_view sender_domain);

  [[nodiscard]] std::vector<store::RateIncrement> increments() const;
  // Whom something was added to, in their order.
  [[nodiscard]] std::vector<store::RateSubject> subjects() const;
  [[nodiscard]] const Receiver& receiver(std::string_view site) const;
  [[nodiscard]] bool empty() const { return counts_.empty(); }

 private:
  const Receivers& receivers_;
  std::map<std::pair<store::RateSubject, store::RateHour>, OutcomeCounts> counts_;
  std::map<std::string, Receiver, std::less<>> seen_;
};

// Whose word an event is; nullopt: nobody's that counts.
[[nodiscard]] std::optional<Receiver> whose_word(const store::EventRecord& event,
                                                 const Receivers& receivers);

// What an outcome adds; nothing (all zero) if it is no receiver's last word. A mail that came back
// after it was taken was answered before.
[[nodiscard]] OutcomeCounts counts_of(const store::EventRecord& event, bool reports_complaints);

}  // namespace todoku::events::protection
