// SPDX-License-Identifier: Apache-2.0
// The filters that a mail passes once it has come in whole, before anything is made of it: those of
// the configuration, in their order, each of which sees what the one before has changed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/line_budget.h"
#include "base/metrics.h"
#include "base/result.h"
#include "inbound/milter_talk.h"
#include "inbound/options.h"

namespace todoku::inbound {

// Asks one filter, on a connection of its own. Errors: the filter is away (as net::dial()), took
// too long (timeout; however often it said that it is still at work), spoke no milter protocol
// (corrupt); cancelled. `mail` and `clock`, by which the deadline is, outlive the task.
[[nodiscard]] Task<Result<MilterVerdict>> ask_filter(FilterAddress filter, const MilterMail* mail,
                                                     SteadyInstant deadline, const Clock* clock);

// Thread-safe.
class Filters {
 public:
  // All of it outlives the filters.
  Filters(const InboundOptions& options, const Clock& clock, Metrics& metrics);

  [[nodiscard]] bool has_any() const { return !options_.filters.empty(); }

  struct Passed {
    std::string octets;                              // with what filters have changed
    std::optional<Reply> answer = {};                // it goes no further: refused, or discarded
    std::optional<std::string> quarantined_as = {};  // the reason, which may be empty
  };
  // `mail.octets` is not read: `octets` are the mail. With a filter that is away the answer is 451,
  // or it is passed over, as the options have it; a stop of ours is always 451. A filter that
  // quarantines is the last one.
  [[nodiscard]] Task<Passed> pass(MilterMail mail, std::string octets);

 private:
  // nullopt: it is passed over.
  [[nodiscard]] std::optional<MilterVerdict> without(const FilterAddress& filter,
                                                     const Error& error, const std::string& id);
  [[nodiscard]] Counter& count_of(std::string_view verdict);

  const InboundOptions& options_;
  const Clock& clock_;
  Metrics& metrics_;
  LineBudget lines_;
};

}  // namespace todoku::inbound
