// SPDX-License-Identifier: Apache-2.0
// Whether the public addresses that sources are known by lead to this host. On EC2 a host has only
// the private address; which public one is translated to it, and that it was moved to another host,
// is told by the instance's metadata alone.
//
// What was told last counts for 5 minutes while the metadata does not answer. After that nothing is
// confirmed: mail would go out under whatever address the network has for this host now.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/trouble.h"
#include "config/config.h"
#include "http/client.h"
#include "net/endpoint.h"
#include "queue/sqs/instance_metadata.h"

namespace todoku::app {

// Lives on one thread, with everybody who asks it.
class InstanceAddresses {
 public:
  // A source, with the address that it sends from and the one that receivers see.
  struct Wanted {
    std::string source;
    net::IpAddress here;
    net::IpAddress seen;
  };
  static constexpr Microseconds kBelieved = std::chrono::minutes(5);

  // `clock` and `metrics` outlive it.
  InstanceAddresses(std::string metadata_url, std::vector<Wanted> wanted, const Clock& clock,
                    Metrics& metrics, const async::Executor& executor);

  // Looks every ten seconds from now on.
  void start();
  // To be awaited before the end.
  Task<void> stop() { return tasks_.stop(); }
  // Looks once. Errors: the metadata does not answer, and what was told before counts.
  Task<Result<void>> look();

  // Also of a source that has no public address of this kind.
  [[nodiscard]] bool confirms(std::string_view source) const;

 private:
  Task<void> run();
  Task<Result<std::set<std::string, std::less<>>>> ask();
  [[nodiscard]] bool is_believed() const;
  void tell_changes(const std::set<std::string, std::less<>>& before) const;

  const std::vector<Wanted> wanted_;
  const Clock& clock_;
  Counter& failures_;
  Gauge& unconfirmed_;
  Trouble asking_{log::Level::warning, "the instance's metadata does not tell its addresses",
                  "the instance's metadata tells its addresses again"};
  std::set<std::string, std::less<>> confirmed_;  // names of sources
  std::optional<SteadyInstant> told_;
  http::Client http_;
  queue::sqs::InstanceMetadata metadata_;
  async::Executor executor_;
  async::TaskGroup tasks_;
};

// The sources that are known by another address than their own.
[[nodiscard]] std::vector<InstanceAddresses::Wanted> public_addresses_wanted(
    const config::Config& config);

}  // namespace todoku::app
