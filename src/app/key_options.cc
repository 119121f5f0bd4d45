// SPDX-License-Identifier: Apache-2.0
#include "app/key_options.h"

#include <chrono>

#include "app/module_options.h"
#include "mail/address.h"

namespace todoku::app {

std::string platform_zone(const config::Config& config) {
  return to_ascii_domain(config.dkim.platform_zone).value_or(std::string());
}

operate::SlotPace slot_pace(const config::Config& config) {
  return {.settle = std::chrono::seconds(config.dkim.record_ttl_seconds),
          .every = std::chrono::days(config.dkim.rotate_days)};
}

KeyZoneWriter key_zone_writer(const config::Config& config) {
  return {.file = config.dkim.zone_file,
          .hook = config.dkim.hook,
          .hook_most = std::chrono::seconds(config.dkim.hook_seconds)};
}

KeyKeeper::Options key_keeper_options(const config::Config& config) {
  KeyKeeper::Options options{
      .terms = {.zone = platform_zone(config),
                .name_servers = {},
                .ttl = static_cast<std::uint32_t>(config.dkim.record_ttl_seconds)},
      .pace = slot_pace(config),
      .writes_file = !config.dkim.zone_file.empty(),
      .hook_most = std::chrono::seconds(config.dkim.hook_seconds),
      .alone = !is_cluster(config)};
  for (const std::string& server : config.dkim.name_servers) {
    options.terms.name_servers.push_back(to_ascii_domain(server).value_or(server));
  }
  return options;
}

}  // namespace todoku::app
