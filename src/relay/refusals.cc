// SPDX-License-Identifier: Apache-2.0
#include "relay/refusals.h"

#include <cstdint>
#include <optional>

#include "base/log.h"

namespace todoku::relay {

Refusals::Refusals(Metrics& metrics, const Clock& clock)
    : clock_(clock),
      refused_(metrics.counter("todoku_smtp_in_refused_total",
                               "Negative replies (4xx and 5xx) of the SMTP relay.")),
      lines_(kLines, kWindow) {}

void Refusals::tell(const Whom& whom, const Said& said, LineBudget* of_connection) {
  refused_.add();
  const SteadyInstant now = clock_.steady_now();
  std::uint64_t unsaid = 0;
  if (of_connection != nullptr) {
    const auto room = of_connection->take(now);
    if (!room) return;
    unsaid = *room;
  }
  const auto room = lines_.take(now);
  if (!room) return;
  log::info("refused at the SMTP relay", {{"client", whom.client},
                                          {"listener", whom.listener},
                                          {"credential", whom.credential},
                                          {"claimed", whom.claimed},
                                          {"code", said.code},
                                          {"reply", said.text},
                                          {"unsaid", unsaid},
                                          {"unsaid_of_all", *room}});
}

}  // namespace todoku::relay
