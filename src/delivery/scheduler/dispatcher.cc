// SPDX-License-Identifier: Apache-2.0
#include "delivery/scheduler/dispatcher.h"

#include <algorithm>

namespace todoku::delivery::scheduler {
namespace {

// Batches shared by small domains have no site of their own; they are limited as if they had one.
constexpr std::string_view kSharedSite = "(shared)";
constexpr std::string_view kPool = "default";
// The store is looked through anew this often, should news have been lost.
constexpr std::chrono::seconds kRefreshEvery{5};
constexpr std::chrono::seconds kSweepEvery{1};
// What keeps one pass short; what it leaves is the next one's.
constexpr std::int64_t kPagesPerPass = 16;
constexpr std::int64_t kPagesPerSource = 4;
constexpr std::size_t kBatchesPerPass = 1'000;
// One turn of one delivery.
constexpr std::int64_t kTurnRecipients = 2'000;
constexpr std::int64_t kBatchesPerRead = 64;

policy::CreditOptions share_of(policy::CreditOptions options, TrafficClass traffic) {
  const std::int64_t urgent = options.total / 4;
  options.total = traffic == TrafficClass::transactional ? urgent : options.total - urgent;
  return options;
}

std::int64_t number(store::DeliveryKey key) {
  return static_cast<std::int64_t>(key);
}

}  // namespace

Dispatcher::Dispatcher(store::Store& store, queue::Queues& queues, const Clock& clock,
                       const Options& options, Metrics& metrics, SiteOf site_of)
    : store_(store),
      queues_(queues),
      clock_(clock),
      options_(options),
      site_of_(std::move(site_of)),
      credit_{policy::CreditLedger(share_of(options.credit, TrafficClass::transactional)),
              policy::CreditLedger(share_of(options.credit, TrafficClass::bulk))},
      outstanding_gauge_(metrics.gauge("todoku_outstanding_recipients",
                                       "Recipients handed to couriers and not yet settled.")),
      bells_total_(metrics.counter("todoku_bells_total", "Batches offered to couriers.")) {}

// ---- news --------------------------------------------------------------------------------------

void Dispatcher::look_again() {
  sending_known_ = false;
  urgent_.window.stale();
  news_ = true;
}

void Dispatcher::site_rests(std::string_view site, SteadyInstant until) {
  for (policy::CreditLedger& ledger : credit_) ledger.rest_until(site, until);
}

void Dispatcher::take(const BatchProgress& progress) {
  const auto found = offered_.find(progress.key);
  const auto sending = sending_.find(progress.key.delivery);
  Source& source = sending == sending_.end() ? urgent_ : sending->second;
  if (progress.released && progress.released->next) {
    source.window.due_at(*progress.released->next);
  }
  if (found == offered_.end()) return;  // handed over in memory, never offered
  Offered& offered = found->second;
  const std::string site = offered.site;
  policy::CreditLedger& ledger = credit_of(offered.workload);
  const std::int64_t done = std::min(progress.settled, offered.open);
  const std::int64_t tried = std::max<std::int64_t>(done - progress.parked, 0);
  offered.since = clock_.steady_now();
  if (tried > 0) ledger.settle(site, tried, offered.since);
  ledger.give_back(site, done - tried);
  offered.open -= done;
  if (progress.released) forget(found);
  if (!news_ && blocked_sites_.contains(site)) {
    news_ = ledger.available(site, clock_.steady_now()) > 0;
  }
}

void Dispatcher::forget(std::map<store::BatchKey, Offered>::iterator offered) {
  const Offered& gone = offered->second;
  credit_of(gone.workload).give_back(gone.site, gone.open);
  const auto count = offered_of_.find({gone.workload, gone.domain});
  if (count != offered_of_.end() && --count->second == 0) offered_of_.erase(count);
  offered_.erase(offered);
}

// A bell may be lost with whoever had it. After two leases without news the batch may be offered
// again: the store says whether it is free.
void Dispatcher::forget_lost_bells() {
  const SteadyInstant now = clock_.steady_now();
  if (now - swept_ < kSweepEvery) return;
  swept_ = now;
  const SteadyInstant oldest = now - 2 * options_.lease;
  for (auto it = offered_.begin(); it != offered_.end();) {
    const auto offered = it++;
    if (offered->second.since >= oldest) continue;
    if (Source* source = source_of(offered->second.workload)) source->window.stale();
    forget(offered);
  }
}

std::optional<Instant> Dispatcher::upcoming() const {
  std::optional<Instant> earliest = urgent_.window.upcoming();
  for (const auto& [key, source] : sending_) {
    const auto when = source.window.upcoming();
    if (when && (!earliest || *when < *earliest)) earliest = when;
  }
  return earliest;
}

// ---- a pass ------------------------------------------------------------------------------------

Task<void> Dispatcher::pass() {
  news_ = false;
  pages_left_ = kPagesPerPass;
  blocked_sites_.clear();
  forget_lost_bells();
  const auto refreshed = co_await refresh();
  steps_.report("read deliveries", refreshed);
  mark_due();
  const auto urgent = co_await offer_urgent();
  steps_.report("offer transactional batches", urgent);
  const auto bulk = co_await offer_bulk();
  steps_.report("offer bulk batches", bulk);
  outstanding_gauge_.set(
      static_cast<double>(credit_[0].outstanding_total() + credit_[1].outstanding_total()));
}

Task<Result<void>> Dispatcher::refresh() {
  const SteadyInstant steady = clock_.steady_now();
  if (sending_known_ && steady - refreshed_ < kRefreshEvery) co_return Result<void>{};
  using Fresh = std::vector<std::pair<store::Delivery, std::uint32_t>>;
  auto fresh = co_await store_.read([](store::ReadTransaction& reader) -> Result<Fresh> {
    auto deliveries = reader.sending_bulk();
    if (!deliveries) return fail(std::move(deliveries.error()));
    Fresh all;
    std::map<store::AccountKey, std::uint32_t> weights;
    for (store::Delivery& delivery : *deliveries) {
      const auto [place, unknown] = weights.try_emplace(delivery.account, 1);
      if (unknown) {
        const auto account = reader.account(delivery.account);
        if (!account) return fail(account.error());
        place->second = account->weight;
      }
      all.emplace_back(std::move(delivery), place->second);
    }
    return all;
  });
  if (!fresh) co_return fail(fresh.error());
  std::map<store::DeliveryKey, Source> sources;
  for (auto& [delivery, weight] : *fresh) {
    const store::DeliveryKey key = delivery.key;
    turns_.join(static_cast<std::int64_t>(delivery.account), weight, number(key));
    Source source;
    if (const auto known = sending_.extract(key)) source = std::move(known.mapped());
    source.delivery = std::move(delivery);
    source.weight = weight;
    source.window.stale();
    sources.emplace(key, std::move(source));
  }
  for (const auto& [key, gone] : sending_) turns_.leave(number(key));
  sending_ = std::move(sources);
  urgent_.window.stale();
  sending_known_ = true;
  refreshed_ = steady;
  co_return Result<void>{};
}

void Dispatcher::mark_due() {
  const Instant now = clock_.now();
  const auto mark = [&](DueWindow& window) {
    if (!window.upcoming() || *window.upcoming() > now) return;
    window.forget_upcoming();
    window.stale();
  };
  mark(urgent_.window);
  for (auto& [key, source] : sending_) mark(source.window);
}

Task<Result<void>> Dispatcher::offer_urgent() {
  while (chosen_.size() < kBatchesPerPass) {
    const auto found = co_await find_serviceable(std::nullopt);
    if (!found) co_return fail(found.error());
    if (!*found) break;
    const auto served = co_await serve(std::nullopt);
    if (!served) co_return fail(served.error());
  }
  co_return co_await ring(TrafficClass::transactional);
}

Task<Result<void>> Dispatcher::offer_bulk() {
  std::vector<store::DeliveryKey> keys;
  for (const auto& [key, source] : sending_) keys.push_back(key);
  turns_.clear_ready();
  for (const store::DeliveryKey key : keys) {
    const auto found = co_await find_serviceable(key);
    if (!found) co_return fail(found.error());
    if (*found) turns_.ready(number(key));
  }
  while (const auto turn = turns_.next()) {
    const store::DeliveryKey key{*turn};
    const auto served = co_await serve(key);
    if (!served) co_return fail(served.error());
    turns_.served(*turn, *served);
    if (chosen_.size() >= kBatchesPerPass) {
      news_ = true;
      break;
    }
    const auto found = co_await find_serviceable(key);
    if (!found) co_return fail(found.error());
    if (*found) turns_.ready(*turn);
  }
  co_return co_await ring(TrafficClass::bulk);
}

Task<Result<bool>> Dispatcher::find_serviceable(store::Workload workload) {
  for (std::int64_t pages = 0;; ++pages) {
    Source* const source = source_of(workload);
    if (source == nullptr) co_return false;
    DueWindow& window = source->window;
    const auto serviceable = [&](std::string_view domain) { return credit(workload, domain) > 0; };
    if (window.next(serviceable) != nullptr) co_return true;
    window.pass_by();
    if (!window.wants_page()) co_return false;
    if (pages == kPagesPerSource || pages_left_ == 0) co_return false;
    --pages_left_;
    const Instant now = clock_.now();
    auto page = co_await store_.read(
        [workload, now, after = window.begin_page()](store::ReadTransaction& reader) {
          return reader.due_domains(workload, now, after, DueWindow::kDomains);
        });
    Source* const again = source_of(workload);
    if (again == nullptr) co_return false;
    if (!page) {
      again->window.stale();
      // Sent or deleted since it was read: nothing is left to be offered.
      if (page.error().kind == ErrorKind::not_found) co_return false;
      co_return fail(page.error());
    }
    again->window.add(std::move(*page));
  }
}

Task<Result<std::int64_t>> Dispatcher::serve(store::Workload workload) {
  Source* source = source_of(workload);
  const auto serviceable = [&](std::string_view domain) { return credit(workload, domain) > 0; };
  DueWindow::Domain* domain = source->window.next(serviceable);
  if (domain == nullptr) co_return 0;
  const std::string name = domain->name;
  const std::int64_t budget = std::min(credit(workload, name), kTurnRecipients);
  std::int64_t recipients = 0;
  const auto take_known = [&] {
    while (recipients < budget && !domain->batches.empty()) {
      recipients += choose(workload, domain->batches.front());
      domain->batches.pop_front();
    }
  };
  take_known();
  if (recipients < budget && domain->more) {
    const Instant now = clock_.now();
    // What has been offered is due until a courier has claimed it: read past it.
    const auto offered = offered_of_.find({workload, name});
    const std::int64_t limit =
        kBatchesPerRead + (offered == offered_of_.end() ? 0 : offered->second);
    auto batches =
        co_await store_.read([workload, name, now, limit](store::ReadTransaction& reader) {
          return reader.due_batches(workload, name, now, limit);
        });
    source = source_of(workload);
    domain = source == nullptr ? nullptr : source->window.find(name);
    if (!batches) co_return fail(batches.error());
    if (domain == nullptr) co_return recipients;
    domain->more = static_cast<std::int64_t>(batches->size()) == limit;
    for (store::DueBatch& batch : *batches) {
      if (!offered_.contains(batch.key)) domain->batches.push_back(std::move(batch));
    }
    take_known();
  }
  if (domain->batches.empty() && !domain->more) source->window.finish(name);
  co_return recipients;
}

std::int64_t Dispatcher::choose(const store::Workload& workload, const store::DueBatch& batch) {
  if (offered_.contains(batch.key)) return 0;
  Offered offered{workload, batch.domain, site_for(batch.domain), batch.recipients,
                  clock_.steady_now()};
  credit_of(workload).hand_out(offered.site, offered.open);
  ++offered_of_[{workload, batch.domain}];
  offered_.emplace(batch.key, std::move(offered));
  chosen_.push_back({batch.key, workload});
  return batch.recipients;
}

Task<Result<void>> Dispatcher::ring(TrafficClass traffic) {
  const std::vector<Chosen> chosen = std::exchange(chosen_, {});
  if (chosen.empty()) co_return Result<void>{};
  auto queue = co_await queues_.open({std::string(kPool), traffic});
  if (!queue) {
    take_back(chosen);
    co_return fail(queue.error());
  }
  std::vector<queue::Bell> bells;
  bells.reserve(chosen.size());
  for (const Chosen& batch : chosen)
    bells.push_back({number(batch.key.delivery), batch.key.batch, 0});
  const auto sent = co_await (*queue)->send(std::move(bells));
  if (!sent) {
    take_back(chosen);
    co_return fail(sent.error());
  }
  bells_total_.add(chosen.size());
  co_return Result<void>{};
}

void Dispatcher::take_back(const std::vector<Chosen>& chosen) {
  for (const Chosen& batch : chosen) {
    const auto offered = offered_.find(batch.key);
    if (offered != offered_.end()) forget(offered);
    if (Source* source = source_of(batch.workload)) source->window.stale();
  }
}

// ---- what it goes by ---------------------------------------------------------------------------

Dispatcher::Source* Dispatcher::source_of(const store::Workload& workload) {
  if (!workload) return &urgent_;
  const auto found = sending_.find(*workload);
  return found == sending_.end() ? nullptr : &found->second;
}

std::string Dispatcher::site_for(std::string_view domain) const {
  return domain.empty() ? std::string(kSharedSite) : site_of_(domain);
}

bool Dispatcher::life_over(const store::Delivery& delivery) const {
  return policy::life_time_over(options_.retry_of(delivery.traffic),
                                delivery.started.value_or(clock_.now()), clock_.now());
}

std::int64_t Dispatcher::credit(const store::Workload& workload, std::string_view domain) {
  const std::string site = site_for(domain);
  const std::int64_t available = credit_of(workload).available(site, clock_.steady_now());
  if (available > 0) return available;
  // What is to be given up needs no credit of a site that will not see it.
  const Source* const source = workload ? source_of(workload) : nullptr;
  if (source != nullptr && life_over(source->delivery)) return options_.credit.minimum;
  blocked_sites_.insert(site);
  return 0;
}

}  // namespace todoku::delivery::scheduler
