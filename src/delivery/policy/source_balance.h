// SPDX-License-Identifier: Apache-2.0
// When a courier hands a source to another that has fewer: one that came back after its death would
// else stand by until somebody ends.
//
// Intuition: whoever has the most hands one to whoever has the fewest, as long as they are two
// apart or more: each such step makes it more even, so that it comes to an end, also where not
// everybody could have everything. All see the same rows and come to the same giver and receiver,
// so one source moves at a time. A move costs a pause of that source, so a difference has to stay
// for a while before anything moves; and who was given one and did not take it is given none for
// long.
//
//   even ──two apart──> uneven, 20 s ──the giver──> one is handed over ──taken──> uneven, 5 s, or
//                                                     │                          even
//                                                     └─not taken─> none for that one for 10 min
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"

namespace todoku::delivery::policy {

// A courier that lives, and the sources that it could send from: their addresses are its host's.
struct CourierSeen {
  std::int64_t node = 0;
  std::set<std::string> could;
};

class SourceBalance {
 public:
  static constexpr Milliseconds kUneven = std::chrono::seconds(20);
  static constexpr Milliseconds kNext = std::chrono::seconds(5);
  static constexpr Milliseconds kNotTaken = std::chrono::minutes(10);

  // What `itself` hands over now; whoever receives it finds it free. `owned`: whose each source is.
  // `is_settled`: none ends or is free.
  [[nodiscard]] std::optional<std::string> look(const std::vector<CourierSeen>& couriers,
                                                const std::map<std::string, std::int64_t>& owned,
                                                std::int64_t itself, bool is_settled,
                                                SteadyInstant now);

 private:
  struct Given {
    std::size_t had = 0;  // then
    SteadyInstant at{};
  };
  // From whom to whom.
  struct Move {
    std::int64_t giver = 0;
    std::int64_t receiver = 0;
  };
  [[nodiscard]] std::optional<Move> best(const std::vector<CourierSeen>& couriers,
                                         const std::map<std::string, std::int64_t>& owned,
                                         SteadyInstant now);
  [[nodiscard]] bool is_refusing(std::int64_t receiver, std::size_t has, SteadyInstant now);

  std::int64_t receiver_ = 0;  // who has had the fewest since then; 0: it is even
  SteadyInstant since_{};
  std::map<std::int64_t, Given> given_;  // by us, by receiver
};

}  // namespace todoku::delivery::policy
