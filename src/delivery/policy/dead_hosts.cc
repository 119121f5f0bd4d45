// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/dead_hosts.h"

namespace todoku::delivery::policy {

void DeadHosts::failed(std::string_view address, SteadyInstant now) {
  auto found = hosts_.find(address);
  if (found == hosts_.end()) {
    make_room(now);
    found = hosts_.try_emplace(std::string(address)).first;
  }
  Host& host = found->second;
  host.failed = now;
  // Connections that began together and fail together are one failure.
  if (now < host.until) return;
  constexpr unsigned kDoublingsMax = 16;
  const auto wait = options_.first * (1U << std::min(host.failures, kDoublingsMax));
  ++host.failures;
  host.until = now + std::min<std::chrono::seconds>(wait, options_.longest);
}

// Many at once, so that a flood of dead hosts does not pay for each of them.
void DeadHosts::make_room(SteadyInstant now) {
  if (hosts_.size() < options_.addresses_max) return;
  std::erase_if(hosts_, [now](const auto& entry) { return now >= entry.second.until; });
  if (hosts_.size() < options_.addresses_max) return;
  std::vector<SteadyInstant> failed;
  failed.reserve(hosts_.size());
  for (const auto& [address, host] : hosts_) failed.push_back(host.failed);
  const auto middle = failed.begin() + static_cast<std::ptrdiff_t>(failed.size() / 2);
  std::ranges::nth_element(failed, middle);
  std::erase_if(hosts_, [&](const auto& entry) { return entry.second.failed <= *middle; });
}

}  // namespace todoku::delivery::policy
