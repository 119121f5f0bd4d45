// SPDX-License-Identifier: Apache-2.0
#include "sim/japan/frozen.h"

#include <cstddef>

#include <fmt/format.h>

#include "base/digest.h"

namespace todoku::sim::japan {

std::string parameters_text(const delivery::policy::PaceOptions& options) {
  return fmt::format(
      "connections_start={} pace_start={} pace_least={} shrink={} shrink_first={} shrink_slow={} "
      "throttles_to_rest={} round_least={}us messages_to_return={} return_least={}s "
      "return_most={}s connections_growth={} pace_growth={} connection_step={}s "
      "connection_step_most={}s latency_times={} latency_more={}us",
      options.connections_start, options.pace_start, options.pace_least, options.shrink,
      options.shrink_first, options.shrink_slow, options.throttles_to_rest,
      options.round_least.count(), options.messages_to_return, options.return_least.count(),
      options.return_most.count(), options.connections_growth, options.pace_growth,
      options.connection_step.count(), options.connection_step_most.count(), options.latency_times,
      options.latency_more.count());
}

std::array<std::uint64_t, 3> fresh_seeds() {
  const auto digest = sha256(kFrozen);
  std::array<std::uint64_t, 3> seeds{};
  // Four octets each: a seed that can be read out to somebody.
  for (std::size_t i = 0; i < 4 * seeds.size(); ++i) {
    seeds[i / 4] = seeds[i / 4] << 8U | static_cast<std::uint64_t>(digest[i]);
  }
  return seeds;
}

}  // namespace todoku::sim::japan
