// SPDX-License-Identifier: Apache-2.0
#include "delivery/scheduler/dispatcher.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "delivery/policy/pools.h"
#include "mail/labels.h"
#include "store/account_name.h"

namespace todoku::delivery::scheduler {
namespace {

policy::SharedMoves::Batch named(const store::BatchKey& key) {
  return {static_cast<std::int64_t>(key.delivery), key.batch};
}

// The store is looked through anew this often, should news have been lost: for transactional mail
// and new deliveries; and for so many of the others, each of which costs a page, that it is each
// one's turn within a minute.
constexpr std::chrono::seconds kRefreshEvery{5};
constexpr std::size_t kLookedThroughMin = 64;
constexpr std::size_t kRefreshesOfAll = 12;
constexpr std::chrono::seconds kSweepEvery{1};
// What more is held back at receivers goes on: the newest are.
constexpr std::int64_t kHeldReceiversMax = 10'000;
// Deliveries whose canaries are read by one question: whoever begins anew has seen none of them.
constexpr std::size_t kCanariesPerRead = 256;
// Deliveries whose senders are read by one question, and whose pools are remembered.
constexpr std::size_t kPoolsPerRead = 256;
constexpr std::size_t kPoolsMax = 50'000;
// Accounts whose names are remembered; beyond, they are read again.
constexpr std::size_t kAccountNamesMax = 100'000;
// What keeps one pass short; what it leaves is the next one's.
constexpr std::int64_t kPagesPerPass = 16;
// A batch that is still due so long after its bell has not been claimed: the bell was lost.
constexpr std::chrono::seconds kBellLost{30};
// Domains whose bells are looked after in one pass.
constexpr std::size_t kDomainsLookedAt = 16;
// What nobody has said anything of for so long is not waited for.
constexpr std::chrono::minutes kForgotten{15};
// Lanes whose source the site does not want, kept at once.
constexpr std::size_t kUnwantedMax = 10'000;

policy::CreditOptions share_of(policy::CreditOptions options, TrafficClass traffic) {
  const std::int64_t urgent = options.total / 4;
  options.total = traffic == TrafficClass::transactional ? urgent : options.total - urgent;
  return options;
}

}  // namespace

Dispatcher::Dispatcher(store::Store& store, queue::Queues& queues, const Feedback& feedback,
                       const LiveSources& live, const Clock& clock, const Options& options,
                       Metrics& metrics)
    : store_(store),
      queues_(queues),
      clock_(clock),
      options_(options),
      feedback_(feedback),
      live_(live),
      credit_{policy::CreditLedger(share_of(options.credit, TrafficClass::transactional)),
              policy::CreditLedger(share_of(options.credit, TrafficClass::bulk))},
      outstanding_gauge_(metrics.gauge("todoku_outstanding_recipients",
                                       "Recipients handed to couriers and not yet settled.")),
      bells_total_(metrics.counter("todoku_bells_total", "Batches offered to couriers.")),
      settled_total_(metrics.counter("todoku_settled_recipients_total",
                                     "Recipients that couriers have tried, as the scheduler was "
                                     "told.")) {
  for (const EgressSource& source : options.sources) {
    if (source.smarthost) smarthosts_.emplace(source.name, source.smarthost->route_name());
  }
}

void Dispatcher::begin_anew() {
  for (const TrafficClass traffic : {TrafficClass::transactional, TrafficClass::bulk}) {
    credit_[static_cast<std::size_t>(traffic)] =
        policy::CreditLedger(share_of(options_.credit, traffic));
  }
  offered_.clear();
  offered_of_.clear();
  urgent_ = Origin();
  for (const auto& [key, gone] : sending_) turns_.leave(number(key));
  sending_.clear();
  out_of_pages_at_.reset();
  look_again();
}

// ---- news --------------------------------------------------------------------------------------

void Dispatcher::look_again() {
  sending_known_ = false;
  urgent_.window.stale();
  news_ = true;
}

void Dispatcher::rests(const LaneRest& rest) {
  const std::string lane = policy::lane_name(rest.site, rest.source);
  const SteadyInstant until = clock_.steady_now() + rest.rest;
  for (policy::CreditLedger& ledger : credit_) ledger.rest_until(lane, until);
  if (rest.elsewhere) shared_moves_.unwanted(rest.source, until);
  if (!rest.elsewhere || unwanted_.size() >= kUnwantedMax) return;
  unwanted_[lane] = until;
  ways_.clear();
  look_again();
}

void Dispatcher::take(const BatchProgress& progress) {
  const SteadyInstant now = clock_.steady_now();
  const std::int64_t came = std::max<std::int64_t>(progress.settled - progress.parked, 0);
  settled_total_.add(static_cast<std::uint64_t>(came));
  const auto found = offered_.find(progress.key);
  const auto sending = sending_.find(progress.key.delivery);
  Origin& origin = sending == sending_.end() ? urgent_ : sending->second;
  if (progress.released && progress.released->next) {
    origin.window.due_at(now + *progress.released->next);
    // A suspect's next recipient is due at once; so is what was given back.
    if (*progress.released->next <= Milliseconds(0)) {
      origin.window.stale();
      news_ = true;
    }
  }
  if (found == offered_.end()) return;  // handed over in memory, never offered
  Offered& offered = found->second;
  const std::string lane = offered.lane;
  policy::CreditLedger& ledger = credit_of(offered.workload);
  const std::int64_t done = std::min(progress.settled, offered.open);
  const std::int64_t tried = std::max<std::int64_t>(done - progress.parked, 0);
  offered.since = offered.looked = now;
  if (tried > 0) ledger.settle(lane, tried, now);
  ledger.give_back(lane, done - tried);
  offered.open -= done;
  offered.tried += tried;
  if (progress.released) {
    note_way(progress.key, offered, !progress.released->next);
    forget(found);
  }
  if (!news_ && blocked_lanes_.contains(lane)) news_ = ledger.available(lane, now) > 0;
}

void Dispatcher::note_way(const store::BatchKey& key, const Offered& offered, bool is_over) {
  if (!offered.domain.empty()) return;
  if (offered.tried > 0 || is_over) {
    shared_moves_.went(named(key));
  } else {
    shared_moves_.came_back(named(key), offered.source);
  }
}

void Dispatcher::forget(std::map<store::BatchKey, Offered>::iterator offered) {
  const Offered& gone = offered->second;
  credit_of(gone.workload).give_back(gone.lane, gone.open);
  const auto count = offered_of_.find({gone.workload, gone.domain});
  if (count != offered_of_.end() && --count->second == 0) offered_of_.erase(count);
  offered_.erase(offered);
}

// A bell may be lost with whoever had it. What is held is not due for anybody, so the store is
// asked: a batch that is still due has not been claimed, and is offered as if for the first time.
Task<Result<void>> Dispatcher::look_for_lost_bells() {
  const SteadyInstant now = clock_.steady_now();
  if (now - swept_ < kSweepEvery) co_return Result<void>{};
  swept_ = now;
  std::set<std::pair<store::Workload, std::string>> silent;
  for (auto it = offered_.begin(); it != offered_.end();) {
    const auto offered = it++;
    Offered& batch = offered->second;
    if (now - batch.since >= kForgotten || origin_of(batch.workload) == nullptr) {
      if (now - batch.since >= kBellLost) forget(offered);
    } else if (now - batch.looked >= kBellLost && silent.size() < kDomainsLookedAt) {
      silent.emplace(batch.workload, batch.domain);
      batch.looked = now;
    }
  }
  for (const auto& [workload, domain] : silent) {
    const auto known = offered_of_.find({workload, domain});
    const std::int64_t offered = known == offered_of_.end() ? 0 : known->second;
    store::Due due{.workload = workload,
                   .only = domain,
                   .limit = std::min(offered * 2 + kBatchesPerRead, kBatchesLookedAt)};
    const auto found = co_await store_.perform(std::move(due));
    if (!found) co_return fail(found.error());
    for (const store::DueDomain& still : found->domains) {
      for (const store::DueBatch& batch : still.batches) {
        const auto lost = offered_.find(batch.key);
        if (lost != offered_.end() && now - lost->second.since >= kBellLost) forget(lost);
      }
    }
    if (Origin* const origin = origin_of(workload)) origin->window.stale();
  }
  co_return Result<void>{};
}

std::optional<SteadyInstant> Dispatcher::upcoming() const {
  std::optional<SteadyInstant> earliest = urgent_.window.upcoming();
  for (const auto& [key, origin] : sending_) {
    const auto when = origin.window.upcoming();
    if (when && (!earliest || *when < *earliest)) earliest = when;
    if (!waits(origin) || origin.not_before() <= clock_.steady_now()) continue;
    if (!earliest || origin.not_before() < *earliest) earliest = origin.not_before();
  }
  return earliest;
}

// ---- a pass ------------------------------------------------------------------------------------

// What was offered to a source that nobody sends from is offered to others, as far as it is still
// due: what its courier holds is not.
void Dispatcher::look_at_sources() {
  std::vector<std::string> live = live_.live();
  if (live == sources_) return;
  sources_ = std::move(live);
  sends_.assign(options_.pools.size(), {});
  for (policy::Pools::Place pool = 0; pool < sends_.size(); ++pool) {
    for (const TrafficClass traffic : {TrafficClass::transactional, TrafficClass::bulk}) {
      std::vector<bool>& sends = sends_[pool][static_cast<std::size_t>(traffic)];
      for (const std::string& source : sources_) {
        const auto chosen = options_.pools.choose(std::span(&source, 1), pool, traffic, 0, 0);
        sends.push_back(chosen.has_value());
      }
    }
  }
  const auto lives = [this](const std::string& source) {
    return std::ranges::find(sources_, source) != sources_.end();
  };
  for (auto it = offered_.begin(); it != offered_.end();) {
    const auto offered = it++;
    if (!lives(offered->second.source)) forget(offered);
  }
  look_again();
}

Task<void> Dispatcher::pass() {
  look_at_sources();
  news_ = false;
  std::erase_if(unwanted_,
                [now = clock_.steady_now()](const auto& each) { return each.second <= now; });
  shared_moves_.look(clock_.steady_now());
  pages_left_ = kPagesPerPass;
  ways_.clear();
  blocked_lanes_.clear();
  if (pools_of_.size() > kPoolsMax) {
    std::erase_if(pools_of_, [this](const auto& each) { return !sending_.contains(each.first); });
    urgent_.window = DueWindow();  // of what it knows the pools are read again with it
  }
  urgent_.window.unblock();
  for (auto& [key, origin] : sending_) origin.window.unblock();
  const auto looked = co_await look_for_lost_bells();
  steps_.report("look for lost bells", looked, clock_.steady_now());
  const auto refreshed = co_await refresh();
  steps_.report("read deliveries", refreshed, clock_.steady_now());
  mark_due();
  if (!sources_.empty()) {
    const auto urgent = co_await offer_urgent();
    steps_.report("offer transactional batches", urgent, clock_.steady_now());
    pages_left_ = kPagesPerPass;  // transactional mail comes first, but reads not for all
    const auto bulk = co_await offer_bulk();
    steps_.report("offer bulk batches", bulk, clock_.steady_now());
  }
  outstanding_gauge_.set(
      static_cast<double>(credit_[0].outstanding_total() + credit_[1].outstanding_total()));
}

Task<Result<void>> Dispatcher::refresh() {
  const SteadyInstant steady = clock_.steady_now();
  const bool closed = std::ranges::any_of(
      sending_, [steady](const auto& each) { return each.second.closes_at <= steady; });
  if (sending_known_ && !closed && steady - refreshed_ < kRefreshEvery) co_return Result<void>{};
  auto fresh = co_await read_sending();
  if (!fresh) co_return fail(fresh.error());
  held_at_ = {std::make_move_iterator(fresh->held.begin()),
              std::make_move_iterator(fresh->held.end())};
  std::vector<store::SendingDelivery> begun;
  for (const store::SendingDelivery& sending : fresh->sending) {
    if (!sending_.contains(sending.key)) begun.push_back(sending);
  }
  // Before any of them counts as known: what could not be read is read by the next pass.
  std::vector<store::DeliveryKey> keys;
  for (const store::SendingDelivery& sending : begun) keys.push_back(sending.key);
  const auto learnt = co_await learn_pools(std::move(keys));
  if (!learnt) co_return fail(learnt.error());
  const auto canaries = co_await read_canaries(begun);
  if (!canaries) co_return fail(canaries.error());
  const SteadyInstant canaries_read = clock_.steady_now();
  std::map<store::DeliveryKey, Origin> origins;
  for (const store::SendingDelivery& sending : fresh->sending) {
    const store::DeliveryKey key = sending.key;
    turns_.join(static_cast<std::int64_t>(sending.account), sending.weight, number(key));
    Origin origin;
    if (auto before = sending_.extract(key)) origin = std::move(before.mapped());
    if (const auto canary = canaries->find(key); canary != canaries->end()) {
      origin.canary = canary->second.first.recipients;
      origin.canary_ends = canaries_read + canary->second.second;
    }
    origin.life_ends = steady + sending.expires_in;
    note_steering(origin, sending, steady);
    origins.emplace(key, std::move(origin));
  }
  for (const auto& [key, gone] : sending_) {
    turns_.leave(number(key));
    pools_of_.erase(key);
  }
  sending_ = std::move(origins);
  look_through_some();
  urgent_.window.stale();
  sending_known_ = true;
  refreshed_ = steady;
  co_return Result<void>{};
}

Task<Result<Dispatcher::Fresh>> Dispatcher::read_sending() {
  const auto read = [](store::ReadTransaction& reader) -> Result<Fresh> {
    auto sending = reader.sending_bulk();
    if (!sending) return fail(std::move(sending.error()));
    auto held = reader.held_receivers(kHeldReceiversMax);
    if (!held) return fail(std::move(held.error()));
    return Fresh{std::move(*sending), std::move(*held)};
  };
  auto fresh = co_await store_.read(read);
  if (!fresh) co_return fail(std::move(fresh.error()));
  const bool any_closed = std::ranges::any_of(fresh->sending, [](const auto& each) {
    return each.open_for && *each.open_for <= Milliseconds(0);
  });
  if (!any_closed) co_return std::move(*fresh);
  const auto moved = co_await move_windows(fresh->sending);
  if (!moved) co_return fail(moved.error());
  co_return co_await store_.read(read);
}

Task<Result<void>> Dispatcher::move_windows(const std::vector<store::SendingDelivery>& sending) {
  std::vector<store::DeliveryKey> closed;
  for (const store::SendingDelivery& each : sending) {
    if (each.open_for && *each.open_for <= Milliseconds(0)) closed.push_back(each.key);
  }
  std::ranges::sort(closed);
  for (const store::DeliveryKey key : closed) {
    const auto moved = co_await store_.write(
        store::WritePriority::claims,
        [key](store::WriteTransaction& writer) { return writer.move_window(key); });
    if (!moved) co_return fail(moved.error());
  }
  co_return Result<void>{};
}

bool Dispatcher::waits(const Origin& origin) const {
  const SteadyInstant now = clock_.steady_now();
  // What is over is given up, whatever its sender says.
  if (now >= origin.life_ends) return false;
  return now < origin.not_before() || now >= origin.closes_at;
}

// `read`: not later than the store was asked.
void Dispatcher::note_steering(Origin& origin, const store::SendingDelivery& sending,
                               SteadyInstant read) {
  origin.waits_until = read + sending.waits;
  if (origin.pace != sending.pace) origin.paced_until = {};
  origin.pace = sending.pace;
  origin.closes_at = sending.open_for ? read + *sending.open_for : SteadyInstant::max();
}

Task<Result<void>> Dispatcher::learn_pools(std::vector<store::DeliveryKey> keys) {
  if (!options_.pools.asks_for_sender()) co_return Result<void>{};
  std::erase_if(keys, [this](store::DeliveryKey key) { return pools_of_.contains(key); });
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  const bool with_account = options_.pools.asks_for_account();
  struct Senders {
    std::vector<store::Delivery> heads;
    std::map<store::AccountKey, std::string> names;
  };
  for (std::size_t first = 0; first < keys.size(); first += kPoolsPerRead) {
    const auto some = std::span(keys).subspan(first, std::min(kPoolsPerRead, keys.size() - first));
    if (account_names_.size() >= kAccountNamesMax) account_names_.clear();
    const auto senders =
        co_await store_.read([&](store::ReadTransaction& reader) -> Result<Senders> {
          auto heads = reader.delivery_heads(some);
          if (!heads) return fail(std::move(heads.error()));
          Senders read{std::move(*heads), {}};
          for (const store::Delivery& head : read.heads) {
            if (!with_account || account_names_.contains(head.account)) continue;
            if (read.names.contains(head.account)) continue;
            auto name = store::read_account_name(reader, head.account);
            if (!name) return fail(std::move(name.error()));
            read.names.emplace(head.account, std::move(*name));
          }
          return read;
        });
    if (!senders) co_return fail(senders.error());
    for (const auto& [account, name] : senders->names) {
      if (!name.empty()) account_names_.emplace(account, name);
    }
    for (const store::Delivery& head : senders->heads) {
      const auto name = account_names_.find(head.account);
      const std::string from_domain = policy::sender_domain(head.content.from.address);
      pools_of_[head.key] = options_.pools.pool_of(
          {.account = name == account_names_.end() ? std::string_view() : name->second,
           .traffic = head.traffic,
           .purpose = purpose_of(head.labels.purpose, head.type),
           .from_domain = from_domain});
    }
  }
  co_return Result<void>{};
}

Task<Result<void>> Dispatcher::learn_pools(const store::DueDomains& due) {
  std::vector<store::DeliveryKey> keys;
  if (options_.pools.asks_for_sender()) {
    for (const store::DueDomain& domain : due.domains) {
      for (const store::DueBatch& batch : domain.batches) keys.push_back(batch.key.delivery);
    }
  }
  return learn_pools(std::move(keys));
}

// Who leads anew has seen none, and hands out another share of those whose time is not over.
Task<Result<Dispatcher::Canaries>> Dispatcher::read_canaries(
    const std::vector<store::SendingDelivery>& fresh) {
  Canaries canaries;
  std::map<store::AccountKey, std::optional<policy::Canary>> own;
  const auto look = [&](store::ReadTransaction& reader, std::size_t first,
                        Instant now) -> Result<void> {
    std::vector<store::DeliveryKey> keys;
    const std::size_t end = std::min(first + kCanariesPerRead, fresh.size());
    for (std::size_t i = first; i < end; ++i) {
      auto account = own.find(fresh[i].account);
      if (account == own.end()) {
        const auto kept = reader.setting(store::rate_limits_setting(fresh[i].account));
        if (!kept) return fail(kept.error());
        const auto overrides = policy::unpack_overrides(kept->value_or(std::string()));
        account =
            own.emplace(fresh[i].account, overrides ? canary_of(*overrides) : std::nullopt).first;
      }
      if (account->second) keys.push_back(fresh[i].key);
    }
    if (keys.empty()) return {};
    const auto heads = reader.delivery_heads(keys);
    if (!heads) return fail(heads.error());
    for (const store::Delivery& head : *heads) {
      const auto account = own.find(head.account);
      if (account == own.end() || !account->second || !head.started) continue;
      const policy::Canary& canary = *account->second;
      const Milliseconds left =
          std::chrono::duration_cast<Milliseconds>(*head.started + canary.lasts - now);
      if (left > Milliseconds(0)) canaries[head.key] = {canary, left};
    }
    return {};
  };
  for (std::size_t first = 0; first < fresh.size(); first += kCanariesPerRead) {
    const auto looked = co_await store_.read(
        [&look, first, now = store_.clock().now()](store::ReadTransaction& reader) -> Result<void> {
          return look(reader, first, now);
        });
    if (!looked) co_return fail(looked.error());
  }
  co_return canaries;
}

std::optional<std::int64_t> Dispatcher::canary_left(const store::Workload& workload,
                                                    std::string_view domain, const Ways& ways) {
  const Origin* const origin = workload ? origin_of(workload) : nullptr;
  if (origin == nullptr || origin->canary == 0) return std::nullopt;
  const SteadyInstant now = clock_.steady_now();
  if (now >= origin->canary_ends || now >= origin->life_ends) return std::nullopt;
  const auto used = [origin](std::string_view name) {
    const auto found = origin->canaries.find(name);
    return found == origin->canaries.end() ? 0 : found->second;
  };
  const std::string& receiver = ways.receiver;
  // What went before it was known whose the domain is was counted under its own name.
  return origin->canary - used(receiver) - (receiver == domain ? 0 : used(domain));
}

void Dispatcher::look_through_some() {
  const std::size_t some =
      std::min(sending_.size(), std::max(kLookedThroughMin, sending_.size() / kRefreshesOfAll + 1));
  auto next = sending_.upper_bound(looked_through_);
  for (std::size_t i = 0; i < some; ++i, ++next) {
    if (next == sending_.end()) next = sending_.begin();
    next->second.window.stale();
    looked_through_ = next->first;
  }
}

void Dispatcher::mark_due() {
  const SteadyInstant now = clock_.steady_now();
  const auto mark = [&](DueWindow& window) {
    if (!window.upcoming() || *window.upcoming() > now) return;
    window.forget_upcoming();
    window.stale();
  };
  mark(urgent_.window);
  for (auto& [key, origin] : sending_) {
    mark(origin.window);
    if (waits(origin)) {
      origin.has_waited = true;
    } else if (std::exchange(origin.has_waited, false)) {
      origin.window.stale();  // bells of its quiet hours said nothing
    }
  }
}

// ---- what it goes by ---------------------------------------------------------------------------

Dispatcher::Origin* Dispatcher::origin_of(const store::Workload& workload) {
  if (!workload) return &urgent_;
  const auto found = sending_.find(*workload);
  return found == sending_.end() ? nullptr : &found->second;
}

const Dispatcher::Ways& Dispatcher::ways_of(std::string_view domain) {
  if (const auto known = ways_.find(domain); known != ways_.end()) return known->second;
  Ways ways;
  ways.receiver = domain.empty() ? std::string(LaneRest::kSharedSite) : feedback_.site_of(domain);
  for (const std::string& source : sources_) {
    const auto smarthost = smarthosts_.find(source);
    ways.lanes.push_back(policy::lane_name(
        smarthost == smarthosts_.end() ? ways.receiver : feedback_.site_of(smarthost->second),
        source));
    const bool is_unwanted = unwanted_.contains(ways.lanes.back());
    ways.unwanted.push_back(is_unwanted);
    if (!is_unwanted) ways.wanted.push_back(source);
  }
  return ways_.emplace(domain, std::move(ways)).first->second;
}

std::optional<policy::Pools::Place> Dispatcher::pool_of(store::DeliveryKey key) const {
  if (!options_.pools.asks_for_sender()) return policy::Pools::kRest;
  const auto known = pools_of_.find(key);
  return known == pools_of_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<std::size_t> Dispatcher::source_for(const store::Workload& workload,
                                                  const store::BatchKey& key,
                                                  const Ways& ways) const {
  const TrafficClass traffic = workload ? TrafficClass::bulk : TrafficClass::transactional;
  const auto pool = pool_of(key.delivery);
  if (!pool) return std::nullopt;
  const auto chosen =
      options_.pools.choose(sources_, *pool, traffic, number(key.delivery), key.batch);
  const auto shuns = [&](const std::string& source) {
    return shared_moves_.shuns(named(key), source);
  };
  if (!chosen || (!ways.unwanted[*chosen] && !shuns(sources_[*chosen]))) return chosen;
  // Only what would go by it moves.
  std::vector<std::string> wanted = ways.wanted;
  std::erase_if(wanted, shuns);
  const auto other = options_.pools.choose(wanted, *pool, traffic, number(key.delivery), key.batch);
  if (!other) return chosen;
  const auto place = std::ranges::find(sources_, wanted[*other]);
  return static_cast<std::size_t>(place - sources_.begin());
}

bool Dispatcher::may_send(const store::Workload& workload, const Ways& ways,
                          std::size_t source) const {
  if (workload) {
    const auto pool = pool_of(*workload);
    return pool && may_send(TrafficClass::bulk, *pool, ways, source);
  }
  for (policy::Pools::Place pool = 0; pool < sends_.size(); ++pool) {
    if (may_send(TrafficClass::transactional, pool, ways, source)) return true;
  }
  return false;
}

bool Dispatcher::may_send(TrafficClass traffic, policy::Pools::Place pool, const Ways& ways,
                          std::size_t source) const {
  const std::vector<bool>& sends = sends_[pool][static_cast<std::size_t>(traffic)];
  if (!sends[source] || !ways.unwanted[source]) return sends[source];
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sends[i] && !ways.unwanted[i]) return false;
  }
  return true;  // none is wanted: it keeps its own
}

bool Dispatcher::is_serviceable(const store::Workload& workload, const DueWindow::Domain& domain) {
  const Ways& ways = ways_of(domain.name);
  std::vector<bool> has_credit(sources_.size());
  bool any = false;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (!may_send(workload, ways, i)) continue;
    has_credit[i] = credit(workload, domain.name, ways, i) > 0;
    any = any || has_credit[i];
  }
  if (!any || domain.more) return any;
  return std::ranges::any_of(domain.batches, [&](const store::DueBatch& batch) {
    const auto source = source_for(workload, batch.key, ways);
    return source && has_credit[*source];
  });
}

std::int64_t Dispatcher::credit(const store::Workload& workload, std::string_view domain,
                                const Ways& ways, std::size_t source) {
  // Given up it is all the same, once its life is over.
  const bool is_held = workload && held_at_.contains({*workload, ways.receiver});
  if (is_held && origin_of(workload)->life_ends > clock_.steady_now()) return 0;
  if (canary_left(workload, domain, ways).value_or(1) <= 0) return 0;
  const std::string& lane = ways.lanes[source];
  const std::int64_t available = credit_of(workload).available(lane, clock_.steady_now());
  if (available > 0) return available;
  // What is to be given up needs no credit of a site that will not see it.
  const Origin* const origin = workload ? origin_of(workload) : nullptr;
  if (origin != nullptr && origin->life_ends <= clock_.steady_now()) return options_.credit.minimum;
  blocked_lanes_.insert(lane);
  return 0;
}

}  // namespace todoku::delivery::scheduler
