// SPDX-License-Identifier: Apache-2.0
#include "sim/checks.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace todoku::sim {
namespace {

using Takes = std::map<std::string, std::vector<Take>>;

// The receivers' logs together, by address and in order.
// The runs to which an address was refused for good.
using Refusals = std::map<std::string, std::set<unsigned>>;

Takes all_takes(const World& world) {
  Takes all;
  for (const auto& receiver : world.receivers()) {
    for (const Take& take : receiver->takes()) all[take.address].push_back(take);
  }
  return all;
}

Refusals all_refused(const World& world) {
  Refusals all;
  for (const auto& receiver : world.receivers()) {
    for (const auto& [address, runs] : receiver->refused()) {
      all[address].insert(runs.begin(), runs.end());
    }
  }
  return all;
}

class Checker {
 public:
  explicit Checker(const World& world)
      : world_(world), takes_(all_takes(world)), refused_(all_refused(world)) {
    for (const DnsScript& name : world.scenario().names) {
      if (!name.exists) missing_.insert(name.domain);
    }
  }

  Findings run() {
    findings_.broken = world_.troubles();
    for (std::size_t i = 0; i < world_.scenario().mailings.size(); ++i) check_mailing(i);
    for (const auto& [address, takes] : takes_) check_repeats(address, takes);
    check_lapses();
    check_crash_bounds();
    check_unrecorded();
    check_settled_stays();
    for (const auto& receiver : world_.receivers()) check_limits(*receiver);
    return std::move(findings_);
  }

 private:
  template <class... Args>
  void broken(fmt::format_string<Args...> format, Args&&... args) {
    findings_.broken.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  // Promises 1 and 2: what was accepted is there, and everyone has one end.
  void check_mailing(std::size_t mailing) {
    const Told told = world_.senders().handed_in(mailing).told;
    const auto found = world_.stored().find(mailing);
    if (found == world_.stored().end()) {
      if (told == Told::accepted) broken("mailing {} was accepted and is lost", mailing);
      return;
    }
    if (told == Told::refused) broken("mailing {} was refused and is stored", mailing);
    const StoredDelivery& delivery = found->second;
    const Mailing& script = world_.scenario().mailings[mailing];
    if (delivery.status != DeliveryStatus::sent) {
      broken("mailing {} is {} and not sent", mailing, to_string(delivery.status));
    }
    if (delivery.recipients.size() != script.domains.size()) {
      broken("mailing {} has {} recipients instead of {}", mailing, delivery.recipients.size(),
             script.domains.size());
    }
    store::DeliveryCounts counts;
    for (const auto& [address, recipient] : delivery.recipients) {
      ++findings_.figures.recipients;
      check_recipient(script, address, recipient.state, counts);
    }
    check_counts(mailing, delivery.counts, counts);
  }

  void check_counts(std::size_t mailing, const store::DeliveryCounts& said,
                    const store::DeliveryCounts& found) {
    if (said.delivered != found.delivered || said.bounced != found.bounced ||
        said.expired != found.expired || said.unknown != found.unknown || said.deferred != 0 ||
        said.total != said.terminal()) {
      broken("mailing {}: the delivery's counts are not those of its recipients", mailing);
    }
  }

  void check_recipient(const Mailing& script, const std::string& address, RecipientState state,
                       store::DeliveryCounts& counts) {
    const auto found = takes_.find(address);
    const bool told = found != takes_.end() && std::ranges::any_of(found->second, &Take::told);
    Figures& figures = findings_.figures;
    switch (state) {
      case RecipientState::delivered:
        ++counts.delivered;
        ++figures.delivered;
        if (!told) broken("{} is delivered, but no receiver said so", address);
        break;
      case RecipientState::bounced:
        ++counts.bounced;
        ++figures.bounced;
        if (!refused_.contains(address) &&
            !missing_.contains(address.substr(address.find('@') + 1))) {
          broken("{} is bounced, but nobody refused it for good", address);
        }
        break;
      case RecipientState::expired:
        ++counts.expired;
        ++figures.expired;
        break;
      case RecipientState::unknown:
        ++counts.unknown;
        ++figures.unknown;
        if (!script.at_most_once) broken("{} is unknown without having asked for it", address);
        break;
      case RecipientState::pending:
      case RecipientState::deferred:
      case RecipientState::dropped:
      case RecipientState::cancelled:
        broken("{} ends {}", address, to_string(state));
        break;
    }
    if (told && state != RecipientState::delivered) check_untold(address, found->second, state);
  }

  // A refusal for good that a run heard and did not get recorded before another had the mail: it
  // comes first where it is recorded first, although the other's mail is taken later.
  [[nodiscard]] std::optional<unsigned> late_refusal(const std::string& address, unsigned taker) {
    const auto found = refused_.find(address);
    if (found == refused_.end()) return std::nullopt;
    for (const unsigned run : found->second) {
      if (run != taker && unknown_of(run) > 0) return run;
    }
    return std::nullopt;
  }

  // The receiver's 250 was heard, and the store does not know: only a crash explains that, or a
  // refusal from before a lapse.
  void check_untold(const std::string& address, const std::vector<Take>& takes,
                    RecipientState state) {
    for (const Take& take : takes) {
      if (!take.told) continue;
      const auto refusal =
          state == RecipientState::bounced ? late_refusal(address, take.run) : std::nullopt;
      if (refusal) {
        lost_news_[*refusal].insert(address);
      } else if (unknown_of(take.run) == 0) {
        broken("{} was taken in run {} and is {}", address, take.run, to_string(state));
      } else {
        lost_news_[take.run].insert(address);
      }
    }
  }

  // Promise 3: no repeat without a crash, unless the receiver itself left us in doubt.
  void check_repeats(const std::string& address, const std::vector<Take>& takes) {
    for (std::size_t i = 0; i < takes.size(); ++i) {
      ++findings_.figures.taken;
      if (!takes[i].intact) broken("{} got a mail that is not its own or not whole", address);
      if (i == 0) continue;
      const Take& before = takes[i - 1];
      if (asked_for_once(address)) broken("{} asked for at most once, and came twice", address);
      // Whoever counted as dead may get back what it had sent before it could say so.
      const bool another = before.run != takes[i].run || has_lapsed(before.run);
      if (another && (before.told || before.cut)) {
        repeats_[blamed_for(before, takes[i])].insert(address);
      } else if (before.told) {
        broken("{} got its mail twice in run {}", address, before.run);
      } else {
        ++findings_.figures.repeats_in_doubt;
      }
    }
  }

  [[nodiscard]] bool asked_for_once(const std::string& address) const {
    const std::size_t mailing = std::strtoull(address.c_str() + 1, nullptr, 10);
    return world_.scenario().mailings[mailing].at_most_once;
  }

  // Whose news was lost, or came too late, that a mail went twice: of the first, unless the second
  // is what a run still had in hand when it counted as dead already.
  [[nodiscard]] unsigned blamed_for(const Take& first, const Take& second) const {
    constexpr seconds kLeftover{5};
    const auto lapses = world_.lapses().find(second.run);
    if (lapses == world_.lapses().end()) return first.run;
    const bool leftover = std::ranges::any_of(lapses->second, [&](const Lapse& lapse) {
      return second.at >= lapse.from &&
             (lapse.until == SteadyInstant::max() || second.at <= lapse.until + kLeftover);
    });
    return leftover ? second.run : first.run;
  }

  [[nodiscard]] bool has_lapsed(unsigned run) const {
    const auto found = world_.lapses().find(run);
    return found != world_.lapses().end() && !found->second.empty();
  }

  // Mails that a run may have sent without the store knowing when it ended or counted as dead.
  [[nodiscard]] std::size_t unknown_of(unsigned run) const {
    std::size_t mails = 0;
    const auto end = world_.ends().find(run);
    if (end != world_.ends().end()) mails = end->second.unrecorded + end->second.in_hand;
    if (!has_lapsed(run)) return mails;
    for (const Lapse& lapse : world_.lapses().at(run)) mails += lapse.unrecorded + lapse.in_hand;
    return mails;
  }

  // A run that counts as dead begins nothing: what it holds is begun by others. What a connection
  // had in its hands then may still go out.
  void check_lapses() {
    for (const auto& [run, lapses] : world_.lapses()) {
      for (const Lapse& lapse : lapses) {
        ++findings_.figures.lapses;
        std::size_t begun = 0;
        for (const auto& receiver : world_.receivers()) {
          const auto heard = receiver->heard().find(run);
          if (heard == receiver->heard().end()) continue;
          begun +=
              static_cast<std::size_t>(std::ranges::count_if(heard->second, [&](SteadyInstant at) {
                return at > lapse.from + seconds(1) && at < lapse.until;
              }));
        }
        if (begun > lapse.in_hand) {
          broken("run {} counted as dead with {} in hand, and began {}", run, lapse.in_hand, begun);
        }
      }
    }
  }

  void check_crash_bounds() {
    for (const auto& [run, end] : world_.ends()) {
      const std::size_t bound = unknown_of(run);
      // A mail that went twice and was refused for good the third time is of both; its news was
      // lost once.
      const std::size_t repeats = repeats_[run].size();
      const auto lost = static_cast<std::size_t>(std::ranges::count_if(
          lost_news_[run], [&](const auto& address) { return !repeats_[run].contains(address); }));
      if (repeats + lost > bound) {
        broken(
            "of run {} at most {} mails were unrecorded or in hand when it ended or counted as "
            "dead, but {} went twice and {} are not known as delivered",
            run, bound, repeats, lost);
      }
      if (has_lapsed(run)) findings_.figures.repeats_after_lapse += repeats;
      if (!end.crashed) continue;
      ++findings_.figures.crashes;
      findings_.figures.repeats_after_crash += repeats;
      findings_.figures.crash_allowance += bound;
    }
  }

  // Sending stops at the bound; who was allowed to send then had one mail in hand.
  void check_unrecorded() {
    const std::size_t allowed = world_.scenario().options.unrecorded_max + connections_allowed();
    for (const auto& [run, most] : world_.unrecorded_most()) {
      if (most > allowed) {
        broken("run {} had {} unrecorded outcomes, {} are allowed", run, most, allowed);
      }
    }
  }

  [[nodiscard]] std::size_t connections_allowed() const {
    std::size_t sum = 0;
    for (const SiteScript& site : world_.scenario().sites) {
      sum += site.connections_max * world_.scenario().sources;
    }
    return sum;
  }

  // What the store knew to be over when a run ended is not begun again by a later one.
  void check_settled_stays() {
    // Beside other nodes: what those had in hand may end a little later.
    const Microseconds late = world_.scenario().nodes > 1 ? seconds(120) : seconds(0);
    for (const auto& [run, settled] : world_.settled_before()) {
      const SteadyInstant ended = world_.ends().at(run).at;
      for (const std::string& address : settled) {
        const auto found = takes_.find(address);
        if (found == takes_.end()) continue;
        for (const Take& take : found->second) {
          if (take.run > run && take.at > ended + late) {
            broken("{} was settled in run {} and sent again", address, run);
          }
        }
      }
    }
  }

  // Promise 4.
  void check_limits(const Receiver& receiver) {
    const SiteScript& site = receiver.script();
    for (const auto& [caller, most] : receiver.connections_most()) {
      if (most > site.connections_max) {
        broken("{} saw {} connections at once from {} in run {}, {} are allowed", site.name, most,
               caller.source, caller.run, site.connections_max);
      }
    }
    if (site.messages_per_second <= 0) return;
    for (const auto& [caller, begun] : receiver.begun()) check_pace(site, caller, begun);
  }

  // Mails that wait after their permission until the store knows that they are on their way: one on
  // each connection.
  [[nodiscard]] double noted_late(const SiteScript& site) const {
    const bool any = std::ranges::any_of(world_.scenario().mailings, [&](const Mailing& mailing) {
      return mailing.at_most_once && std::ranges::any_of(mailing.domains, [&](const auto& domain) {
               return std::ranges::count(site.domains, domain) > 0;
             });
    });
    return any ? site.connections_max : 0;
  }

  // In every window of w seconds at most pace x w mails, and the burst that a block may be. The
  // check over all windows in one pass: i - pace x t may grow by no more than the burst from any
  // mail to any later one.
  void check_pace(const SiteScript& site, const Caller& caller, std::vector<SteadyInstant> begun) {
    std::ranges::sort(begun);
    const double pace = site.messages_per_second;
    // A mail that follows a refused one waits for the answer to RSET after its permission.
    const Microseconds reset =
        site.latency + (site.slow_answers > 0 ? site.slow_by : Microseconds(0));
    const double late = std::chrono::duration<double>(reset).count();
    const double burst = 1.0 + pace * (0.010 + late) + held_back(site) + noted_late(site);
    double least = 0;
    for (std::size_t i = 0; i < begun.size(); ++i) {
      const double seconds = std::chrono::duration<double>(begun[i] - begun[0]).count();
      const double lead = static_cast<double>(i) - pace * seconds;
      least = std::min(least, lead);
      if (lead - least + 1.0 > burst + 1e-6) {
        broken("{} got more than {} mails a second from {} in run {}: {:.2f} ahead at mail {}",
               site.name, pace, caller.source, caller.run, lead - least + 1.0 - burst, i);
        return;
      }
    }
  }

  // Mails that have their permission and cannot go at once, because the disk is behind or the first
  // host does not serve, go later than they were counted: one for each connection.
  [[nodiscard]] double held_back(const SiteScript& site) const {
    const Scenario& scenario = world_.scenario();
    const bool disk_waits = scenario.store.failing > 0 || scenario.options.unrecorded_max < 64 ||
                            std::ranges::any_of(
                                scenario.incidents,
                                [](const Incident& incident) {
                                  return std::holds_alternative<DiskFull>(incident.what) ||
                                         std::holds_alternative<DiskSlow>(incident.what);
                                });
    const bool host_fails = !site.outages.empty() ||
                            (site.hosts > 1 && site.breaks_reading + site.breaks_answering > 0);
    return disk_waits || host_fails ? site.connections_max : 0;
  }

  const World& world_;
  const Takes takes_;
  const Refusals refused_;
  std::set<std::string> missing_;
  std::map<unsigned, std::set<std::string>> repeats_;  // addresses, by the run whose news was lost
  std::map<unsigned, std::set<std::string>> lost_news_;
  Findings findings_;
};

}  // namespace

Figures& Figures::operator+=(const Figures& other) {
  recipients += other.recipients;
  taken += other.taken;
  crashes += other.crashes;
  lapses += other.lapses;
  repeats_after_lapse += other.repeats_after_lapse;
  repeats_in_doubt += other.repeats_in_doubt;
  repeats_after_crash += other.repeats_after_crash;
  crash_allowance += other.crash_allowance;
  delivered += other.delivered;
  bounced += other.bounced;
  expired += other.expired;
  unknown += other.unknown;
  reigns += other.reigns;
  ownerships += other.ownerships;
  return *this;
}

Findings check_promises(const World& world) {
  return Checker(world).run();
}

}  // namespace todoku::sim
