// SPDX-License-Identifier: Apache-2.0
// From a seed to a cluster: several nodes over one store, receivers that give little trouble and
// take their time, so that much is in hand when a node dies, stands still or loses the store.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sim/dice.h"
#include "sim/scenario.h"

namespace todoku::sim {
namespace {

using std::chrono::milliseconds;

class ClusterGenerator : private Dice {
 public:
  explicit ClusterGenerator(std::uint64_t seed) : Dice(seed, 11) { scenario_.seed = seed; }

  Scenario make() {
    scenario_.options = quick_options();
    scenario_.nodes = 2 + below(3);
    scenario_.threads = 1 + below(2);
    scenario_.accounts = {{"account0"}, {"account1", 2}};
    make_sites();
    make_mailings();
    make_store_and_bells();
    make_incidents();
    if (one_in(3)) scenario_.store.lost_answers = share(0.2);
    return std::move(scenario_);
  }

 private:
  void make_sites() {
    const std::size_t count = 1 + below(3);
    for (std::size_t s = 0; s < count; ++s) {
      SiteScript site;
      site.name = fmt::format("site{}", s);
      site.domains = {fmt::format("d0.{}.example", site.name),
                      fmt::format("d1.{}.example", site.name)};
      site.connections_max = static_cast<std::uint32_t>(1 + below(4));
      site.latency = milliseconds(20 + below(480));
      site.pipelining = !one_in(3);
      site.chunking = !one_in(3);
      if (one_in(4)) site.refused_for_now = share(0.3);
      if (one_in(4)) site.refused_for_good = share(0.1);
      if (one_in(4)) site.silent_takes = share(0.1);
      scenario_.sites.push_back(std::move(site));
    }
  }

  void make_mailings() {
    const std::size_t count = 2 + below(10);
    for (std::size_t m = 0; m < count; ++m) {
      Mailing mailing{.at = between(Microseconds(0), seconds(60)), .account = below(2)};
      std::size_t recipients = 1 + below(3);
      if (m == 0 || one_in(3)) {
        mailing.traffic = TrafficClass::bulk;
        recipients = 50 + below(250);
        if (m == 0) mailing.at = {};
      }
      mailing.at_most_once = one_in(3);
      const SiteScript& site = scenario_.sites[below(scenario_.sites.size())];
      for (std::size_t i = 0; i < recipients; ++i) {
        mailing.domains.push_back(site.domains[recipients < 100 ? below(2) : 0]);
      }
      scenario_.mailings.push_back(std::move(mailing));
    }
    std::ranges::sort(scenario_.mailings, {}, &Mailing::at);
  }

  void make_store_and_bells() {
    scenario_.store.commit = milliseconds(1 + below(80));
    if (one_in(3)) scenario_.store.repeated = share(0.2);
    if (one_in(5)) scenario_.store.failing = share(0.1);
    if (one_in(4)) scenario_.store.slow_reads = share(0.3);
    if (one_in(2)) scenario_.bells.lost = share(0.3);
    if (one_in(2)) scenario_.bells.late = share(0.5);
    if (one_in(2)) scenario_.bells.repeated = share(0.5);
    if (one_in(2)) scenario_.bells.strayed = share(0.5);
  }

  void make_incidents() {
    const std::size_t count = 1 + below(6);
    for (std::size_t i = 0; i < count; ++i) {
      Incident incident{.at = between(milliseconds(200), seconds(90)), .what = DiskFull{}};
      const std::size_t node = below(scenario_.nodes);
      const auto by = static_cast<std::int64_t>(below(120'000)) - 60'000;
      switch (below(9)) {
        case 0:
          incident.what = Crash{between(milliseconds(1), seconds(60)), node};
          break;
        case 1:
        case 2:
          incident.what = Stall{between(seconds(1), seconds(70)), node};
          break;
        case 3:
        case 4:
          incident.what = StoreAway{between(seconds(1), seconds(70)), node};
          break;
        case 5:
          incident.what = ClockLeap{Milliseconds(by)};
          break;
        case 6:
          incident.what = NodeClockLeap{Milliseconds(20 * by), node};
          break;
        case 7:
          incident.what = DiskFull{between(seconds(1), seconds(40))};
          break;
        default:
          incident.what = Restart{between(milliseconds(1), seconds(20)),
                                  between(seconds(1), seconds(20)), node};
          break;
      }
      scenario_.incidents.push_back(incident);
    }
    std::ranges::sort(scenario_.incidents, {}, &Incident::at);
  }

  Scenario scenario_;
};

}  // namespace

Scenario generate_cluster(std::uint64_t seed) {
  return ClusterGenerator(seed).make();
}

}  // namespace todoku::sim
