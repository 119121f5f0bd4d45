// SPDX-License-Identifier: Apache-2.0
// From a seed to a scenario. Every seed gets its own mixture: some worlds are nearly quiet, so that
// what trouble hides can show, others have everything at once.
#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "sim/dice.h"
#include "sim/scenario.h"

namespace todoku::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

class Generator : private Dice {
 public:
  explicit Generator(std::uint64_t seed) : Dice(seed, 7) { scenario_.seed = seed; }

  Scenario make() {
    scenario_.options = quick_options();
    scenario_.threads = 1 + below(3);
    scenario_.sources = 1 + below(2);
    if (one_in(3)) scenario_.options.connections_max = 1 + below(8);
    if (one_in(3)) scenario_.options.unrecorded_max = static_cast<std::uint32_t>(1 + below(20));
    make_sites();
    make_names();
    make_accounts();
    make_mailings();
    make_store();
    make_incidents();
    return std::move(scenario_);
  }

 private:
  template <class T>
  [[nodiscard]] T one_of(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }
  void make_sites() {
    const std::size_t count = 1 + below(5);
    for (std::size_t s = 0; s < count; ++s) {
      SiteScript site;
      site.name = fmt::format("site{}", s);
      const std::size_t domains = 1 + below(3);
      for (std::size_t d = 0; d < domains; ++d) {
        site.domains.push_back(fmt::format("d{}.{}.example", d, site.name));
      }
      site.hosts = 1 + below(2);
      site.connections_max = static_cast<std::uint32_t>(1 + below(6));
      site.messages_per_connection = one_of({1U, 3U, 20U, 100U});
      if (one_in(3)) site.messages_per_second = one_of({2.0, 5.0, 20.0, 50.0});
      site.idle = seconds(1 + below(8));
      site.latency = one_of<Microseconds>({milliseconds(1), milliseconds(15), milliseconds(120)});
      site.ehlo = !one_in(8);
      site.pipelining = !one_in(3);
      site.chunking = !one_in(3);
      make_behaviour(site);
      make_outages(site);
      scenario_.sites.push_back(std::move(site));
    }
  }

  void make_behaviour(SiteScript& site) {
    site.greylists = one_in(6);
    if (one_in(3)) site.refused_for_good = share(0.3);
    if (one_in(3)) site.refused_for_now = share(0.5);
    if (one_in(4)) site.refused_content = share(0.3);
    if (one_in(6)) site.mail_421 = share(0.3);
    if (one_in(5)) site.mails_until_421 = static_cast<std::uint32_t>(1 + below(6));
    if (one_in(6)) site.hangs_up_after = static_cast<std::uint32_t>(1 + below(6));
    if (one_in(4)) site.breaks_reading = share(0.7);
    if (one_in(4)) site.breaks_answering = share(0.7);
    if (one_in(4)) site.silent_takes = share(0.3);
    if (one_in(5)) {
      site.slow_answers = share(0.3);
      site.slow_by = seconds(1 + below(40));
    }
  }

  void make_outages(SiteScript& site) {
    site.tarpit = seconds(2 + below(60));
    while (one_in(2) && site.outages.size() < 3) {
      const auto trouble = static_cast<Trouble>(below(8));
      const Microseconds from = between(Microseconds(0), minutes(4));
      // Some never end.
      const Microseconds lasts =
          one_in(6) ? Microseconds(std::chrono::hours(24)) : between(seconds(2), minutes(4));
      site.outages.push_back({trouble, from, from + lasts});
    }
  }

  void make_names() {
    for (const SiteScript& site : scenario_.sites) {
      for (const std::string& domain : site.domains) {
        if (!one_in(3)) continue;
        DnsScript name{.domain = domain, .exists = !one_in(5)};
        name.latency = one_of<Microseconds>({milliseconds(1), milliseconds(300), seconds(7)});
        if (one_in(3)) {
          name.fails_from = between(Microseconds(0), minutes(2));
          name.fails_until = name.fails_from + between(seconds(5), minutes(5));
        }
        scenario_.names.push_back(std::move(name));
      }
    }
  }

  void make_accounts() {
    const std::size_t count = 1 + below(3);
    for (std::size_t a = 0; a < count; ++a) {
      scenario_.accounts.push_back(
          {fmt::format("account{}", a), static_cast<std::uint32_t>(1 + below(4))});
    }
  }

  [[nodiscard]] std::string some_domain() {
    const SiteScript& site = scenario_.sites[below(scenario_.sites.size())];
    return site.domains[below(site.domains.size())];
  }

  void make_mailings() {
    const std::size_t count = 2 + below(14);
    for (std::size_t m = 0; m < count; ++m) {
      Mailing mailing{.at = between(Microseconds(0), minutes(3)),
                      .account = below(scenario_.accounts.size())};
      std::size_t recipients = 1 + (one_in(4) ? below(8) : 0);
      if (one_in(3)) {
        mailing.traffic = TrafficClass::bulk;
        mailing.at_most_once = one_in(5);
        recipients = one_of<std::size_t>({1, 20, 60, 150});
        if (one_in(3)) mailing.reserved_for = between(seconds(1), minutes(1));
      }
      if (mailing.traffic == TrafficClass::transactional) mailing.at_most_once = m % 5 == 4;
      // Bulk to one domain has batches of its own, to many it shares them.
      const bool to_one = one_in(2);
      const std::string domain = some_domain();
      for (std::size_t i = 0; i < recipients; ++i) {
        mailing.domains.push_back(to_one ? domain : some_domain());
      }
      if (one_in(10)) mailing.filler = below(20'000);
      scenario_.mailings.push_back(std::move(mailing));
    }
    std::ranges::sort(scenario_.mailings, {}, &Mailing::at);
  }

  void make_store() {
    StoreScript& store = scenario_.store;
    store.commit = one_of<Microseconds>({Microseconds(200), milliseconds(5), milliseconds(80)});
    if (one_in(3)) store.repeated = share(0.3);
    if (one_in(5)) store.failing = share(0.2);
    if (one_in(4)) store.slow_reads = share(0.3);
    if (one_in(6)) store.failing_reads = share(0.05);
  }

  void make_incidents() {
    while (scenario_.incidents.size() < 6 && !one_in(3)) {
      // Most at a time when there is something to lose.
      const Microseconds busy = scenario_.mailings[below(scenario_.mailings.size())].at;
      Incident incident{.at = one_in(3) ? between(milliseconds(50), minutes(5))
                                        : busy + between(milliseconds(1), seconds(4))};
      switch (below(9)) {
        case 0:
        case 1:
        case 2:
          incident.what = Crash{between(milliseconds(1), seconds(20))};
          break;
        case 3:
          incident.what =
              Restart{between(milliseconds(1), minutes(1)), between(seconds(1), seconds(20))};
          break;
        case 4:
        case 5: {
          const auto far = static_cast<std::int64_t>(below(900'000)) - 450'000;
          const auto near = static_cast<std::int64_t>(below(4'000)) - 2'000;
          incident.what = ClockLeap{Milliseconds(one_in(2) ? far : near)};
          break;
        }
        case 6:
        case 7:
          incident.what = DiskFull{between(milliseconds(100), seconds(60))};
          break;
        default:
          incident.what =
              DiskSlow{between(milliseconds(100), seconds(3)), between(seconds(1), minutes(1))};
          break;
      }
      scenario_.incidents.push_back(incident);
    }
    std::ranges::sort(scenario_.incidents, {}, &Incident::at);
  }

  Scenario scenario_;
};

}  // namespace

delivery::Options quick_options() {
  delivery::Options options;
  const std::vector<seconds> waits{seconds(5), seconds(20), seconds(60)};
  options.retry_transactional = {.waits = waits,
                                 .greylist_waits = {seconds(10)},
                                 .rate_waits = {seconds(30)},
                                 .refused_waits = {seconds(30), seconds(90)},
                                 .life_time = minutes(8)};
  options.retry_bulk = options.retry_transactional;
  options.retry_bulk.life_time = minutes(10);
  options.site_backoff = {.first = seconds(2), .longest = minutes(1)};
  options.timeouts = {.connect = seconds(10),
                      .greeting = seconds(20),
                      .hello = seconds(20),
                      .mail = seconds(20),
                      .rcpt = seconds(20),
                      .data_initiation = seconds(20),
                      .data_block = seconds(20),
                      .data_termination = seconds(30)};
  return options;
}

Scenario generate(std::uint64_t seed) {
  return Generator(seed).make();
}

}  // namespace todoku::sim
