// SPDX-License-Identifier: Apache-2.0
// What is known of receivers from mails before, for all lanes, which come and go: offers that a
// site does not bear (policy/site_habits.h), hosts that did not serve (policy/dead_hosts.h).
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "delivery/policy/dead_hosts.h"
#include "delivery/policy/site_habits.h"
#include "dns/mail_route.h"

namespace todoku::delivery::egress {

// Thread-safe.
class KnownReceivers {
 public:
  explicit KnownReceivers(Metrics& metrics)
      : broken_offers_total_(metrics.counter(
            "todoku_smtp_broken_offers_total",
            "Times a site was found to offer an extension that it stumbles over; it is done "
            "without there for some hours.")) {}

  void learn(std::string_view site, const policy::Avoided& avoided, policy::Evidence evidence,
             SteadyInstant now) {
    {
      const std::lock_guard lock(mutex_);
      if (!habits_.learn(site, avoided, evidence, now)) return;
      any_habits_.store(true, std::memory_order_release);
    }
    broken_offers_total_.add();
    const std::string_view without = !avoided.pipelining ? "CHUNKING"
                                     : !avoided.chunking ? "PIPELINING"
                                                         : "PIPELINING and CHUNKING";
    log::info(
        "site stumbles over an extension that it offers",
        {{"site", site}, {"without", without}, {"refused", evidence == policy::Evidence::said}});
  }
  // Asked before every mail.
  [[nodiscard]] policy::Avoided avoided(std::string_view site, SteadyInstant now) const {
    // Most installations never meet such a site.
    if (!any_habits_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock(mutex_);
    return habits_.avoided(site, now);
  }

  // What one source cannot reach another may.
  void host_failed(std::string_view source, const dns::Candidate& host, SteadyInstant now) {
    const std::string name = name_of(source, host);
    const std::lock_guard lock(mutex_);
    hosts_.failed(name, now);
  }
  void host_served(std::string_view source, const dns::Candidate& host) {
    const std::string name = name_of(source, host);
    const std::lock_guard lock(mutex_);
    hosts_.served(name);
  }
  void put_dead_last(std::string_view source, std::vector<dns::Candidate>& hosts,
                     SteadyInstant now) const {
    const std::lock_guard lock(mutex_);
    hosts_.order(hosts, [&](const dns::Candidate& host) { return name_of(source, host); }, now);
  }

 private:
  static std::string name_of(std::string_view source, const dns::Candidate& host) {
    return host.address.to_string().append(" ").append(source);
  }

  Counter& broken_offers_total_;
  std::atomic<bool> any_habits_{false};
  mutable std::mutex mutex_;
  policy::SiteHabits habits_;
  policy::DeadHosts hosts_{{.addresses_max = 10'000}};
};

}  // namespace todoku::delivery::egress
