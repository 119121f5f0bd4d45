// SPDX-License-Identifier: Apache-2.0
// The second half of a pass: which batches are chosen, and the bells for them.
#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "delivery/policy/pools.h"
#include "delivery/scheduler/dispatcher.h"

namespace todoku::delivery::scheduler {
namespace {

// What keeps one pass short; what it leaves is the next one's.
constexpr std::int64_t kPagesPerSource = 4;
constexpr std::size_t kBatchesPerPass = 1'000;
// Domains whose ways are remembered, and a window's besides.
constexpr std::size_t kWaysMax = 10'000;
// One turn of one delivery.
constexpr std::int64_t kTurnRecipients = 2'000;
// Of a delivery that has a pace, from one batch to the next; the store knows better after this.
constexpr std::chrono::seconds kShareMost{10};

}  // namespace

// What was chosen before the store failed is rung for all the same, on its own class's channels.
Task<Result<void>> Dispatcher::offer_urgent() {
  const auto chosen = co_await choose_urgent();
  const auto rung = co_await ring(TrafficClass::transactional);
  co_return chosen ? rung : chosen;
}

Task<Result<void>> Dispatcher::choose_urgent() {
  while (chosen_.size() < kBatchesPerPass) {
    const auto found = co_await find_serviceable(std::nullopt);
    if (!found) co_return fail(found.error());
    if (!*found) break;
    const auto served = co_await serve(std::nullopt);
    if (!served) co_return fail(served.error());
  }
  co_return Result<void>{};
}

Task<Result<void>> Dispatcher::offer_bulk() {
  const auto chosen = co_await choose_bulk();
  const auto rung = co_await ring(TrafficClass::bulk);
  co_return chosen ? rung : chosen;
}

Task<Result<void>> Dispatcher::choose_bulk() {
  // From where the last pass ran out of pages, so that it is everybody's turn some time, however
  // many there are.
  std::vector<store::DeliveryKey> keys;
  for (const auto& [key, origin] : sending_) keys.push_back(key);
  if (const auto first = std::exchange(out_of_pages_at_, std::nullopt)) {
    std::ranges::rotate(keys, std::ranges::lower_bound(keys, *first));
  }
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
  co_return Result<void>{};
}

Task<Result<bool>> Dispatcher::find_serviceable(store::Workload workload) {
  for (std::int64_t pages = 0;; ++pages) {
    if (ways_.size() > kWaysMax) ways_.clear();
    Origin* const origin = origin_of(workload);
    if (origin == nullptr || waits(*origin)) co_return false;
    DueWindow& window = origin->window;
    const auto serviceable = [&](const DueWindow::Domain& domain) {
      return is_serviceable(workload, domain);
    };
    if (window.next(serviceable) != nullptr) co_return true;
    window.pass_by();
    if (!window.wants_page()) co_return false;
    if (pages == kPagesPerSource) co_return false;
    if (pages_left_ == 0) {
      news_ = true;
      if (workload && !out_of_pages_at_) out_of_pages_at_ = *workload;
      co_return false;
    }
    --pages_left_;
    store::Due due{
        .workload = workload, .after = window.begin_page(), .limit = DueWindow::kDomains};
    auto page = co_await store_.perform(std::move(due));
    Origin* again = origin_of(workload);
    if (again == nullptr) co_return false;
    if (!page) {
      again->window.stale();
      co_return fail(page.error());
    }
    const auto learnt = co_await learn_pools(*page);
    again = origin_of(workload);
    if (again == nullptr) co_return false;
    if (!learnt) {
      again->window.stale();
      co_return fail(learnt.error());
    }
    again->window.add(std::move(*page), clock_.steady_now());
  }
}

Task<Result<std::int64_t>> Dispatcher::serve(store::Workload workload) {
  Origin* origin = origin_of(workload);
  DueWindow::Domain* domain = origin->window.next(
      [&](const DueWindow::Domain& candidate) { return is_serviceable(workload, candidate); });
  if (domain == nullptr) co_return 0;
  const std::string name = domain->name;
  std::int64_t recipients = choose_known(workload, *domain, kTurnRecipients);
  if (recipients < kTurnRecipients && domain->more && !waits(*origin)) {
    // What has been offered is due until a courier has claimed it, and what waits for its lane
    // stays due: read past both.
    const auto offered = offered_of_.find({workload, name});
    const std::int64_t passed = static_cast<std::int64_t>(domain->batches.size()) +
                                (offered == offered_of_.end() ? 0 : offered->second);
    const std::int64_t limit = std::min(passed * 2 + kBatchesPerRead, kBatchesLookedAt);
    store::Due due{.workload = workload, .only = name, .limit = limit};
    auto found = co_await store_.perform(std::move(due));
    const auto learnt = found ? co_await learn_pools(*found) : Result<void>{};
    origin = origin_of(workload);
    domain = origin == nullptr ? nullptr : origin->window.find(name);
    if (!found) co_return fail(found.error());
    if (!learnt) co_return fail(learnt.error());
    if (domain == nullptr) co_return recipients;
    domain->batches.clear();
    domain->more = false;
    for (store::DueDomain& known : found->domains) {
      std::ranges::move(known.batches, std::back_inserter(domain->batches));
      domain->more = known.more && limit < kBatchesLookedAt;
    }
    recipients += choose_known(workload, *domain, kTurnRecipients - recipients);
  }
  if (domain->batches.empty() && !domain->more) {
    origin->window.finish(name);
  } else if (recipients == 0) {
    domain->blocked = true;
  }
  co_return recipients;
}

std::int64_t Dispatcher::choose_known(const store::Workload& workload, DueWindow::Domain& domain,
                                      std::int64_t budget) {
  const Ways& ways = ways_of(domain.name);
  std::vector<std::int64_t> credits;  // by source; asked for once
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    credits.push_back(credit(workload, domain.name, ways, i));
  }
  const auto canary = canary_left(workload, domain.name, ways);
  if (canary) budget = std::min(budget, *canary);
  std::int64_t recipients = 0;
  std::deque<store::DueBatch> waiting;
  Origin& origin = *origin_of(workload);
  while (recipients < budget && !domain.batches.empty() && !waits(origin)) {
    store::DueBatch batch = std::move(domain.batches.front());
    domain.batches.pop_front();
    if (offered_.contains(batch.key)) continue;
    const std::optional<std::size_t> source = source_for(workload, batch.key, ways);
    if (!source || credits[*source] <= 0) {
      waiting.push_back(std::move(batch));
      continue;
    }
    credits[*source] -= batch.recipients;
    recipients += batch.recipients;
    choose(workload, batch, *source);
    if (!origin.pace) continue;
    // The next one when this one's share of the pace is over; what of it is begun, its courier
    // takes.
    const std::int64_t share = std::min<std::int64_t>(batch.recipients, block_of(*origin.pace));
    const Microseconds taken =
        std::min<Microseconds>(share * interval_of(*origin.pace), kShareMost);
    origin.paced_until = clock_.steady_now() + taken;
  }
  waiting.insert(waiting.end(), std::make_move_iterator(domain.batches.begin()),
                 std::make_move_iterator(domain.batches.end()));
  domain.batches = std::move(waiting);
  if (canary) origin_of(workload)->canaries[ways.receiver] += recipients;
  return recipients;
}

void Dispatcher::choose(const store::Workload& workload, const store::DueBatch& batch,
                        std::size_t source) {
  const SteadyInstant now = clock_.steady_now();
  Offered offered{.workload = workload,
                  .domain = batch.domain,
                  .source = sources_[source],
                  .lane = ways_of(batch.domain).lanes[source],
                  .open = batch.recipients,
                  .since = now,
                  .looked = now};
  credit_of(workload).hand_out(offered.lane, offered.open);
  ++offered_of_[{workload, batch.domain}];
  offered_.emplace(batch.key, std::move(offered));
  chosen_.push_back({batch.key, workload, source});
}

Task<Result<void>> Dispatcher::ring(TrafficClass traffic) {
  std::vector<std::vector<Chosen>> by_source(sources_.size());
  for (const Chosen& batch : std::exchange(chosen_, {})) by_source[batch.source].push_back(batch);
  Result<void> rung;
  for (std::size_t i = 0; i < by_source.size(); ++i) {
    if (by_source[i].empty()) continue;
    auto done = co_await ring(i, traffic, by_source[i]);
    if (!done) rung = std::move(done);
  }
  co_return rung;
}

Task<Result<void>> Dispatcher::ring(std::size_t source, TrafficClass traffic,
                                    const std::vector<Chosen>& chosen) {
  auto queue = co_await queues_.open({sources_[source], traffic});
  if (!queue) {
    take_back(chosen);
    co_return fail(queue.error());
  }
  std::vector<queue::Bell> bells;
  bells.reserve(chosen.size());
  for (const Chosen& batch : chosen) bells.push_back({number(batch.key.delivery), batch.key.batch});
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
    if (Origin* const origin = origin_of(batch.workload)) origin->window.stale();
  }
}

}  // namespace todoku::delivery::scheduler
