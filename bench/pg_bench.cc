// SPDX-License-Identifier: Apache-2.0
// The store on PostgreSQL, through its interface: mails accepted, outcomes settled, batches
// claimed, rows of an import and pages of what is due, each second, with networks of several round
// trips between. Starts a server of its own (fsync and synchronous_commit on, autovacuum off). One
// figure per line: name<TAB>value<TAB>unit. `--quick` measures for a shorter time; `--pairs` what
// distance costs where 64 wait, in pairs of runs; `--bells` the queue on the store alone.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "async/run_blocking.h"
#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/check.h"
#include "base/metrics.h"
#include "queue/store/store_queue.h"
#include "store/postgres/postgres_store.h"
#include "support/measure.h"
#include "support/postgres/proxy.h"
#include "support/postgres/server.h"

namespace todoku::store {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct Bench {
  PostgresDatabase database;
  std::unique_ptr<PostgresProxy> proxy;
  std::vector<std::unique_ptr<PostgresStore>> stores;  // as in so many processes
  int latency_us = 0;
  double seconds = 0;
  AccountKey account{};
  NodeKey node{};

  template <class Work>
  auto write(Work work) {
    return stores[0]->write_and_wait(WritePriority::accept, std::move(work));
  }
  Bench(int latency, std::size_t processes, bool quick, std::size_t writers = 2)
      : proxy(std::make_unique<PostgresProxy>(PostgresServer::running().socket(),
                                              std::chrono::microseconds(latency))),
        latency_us(latency),
        seconds(quick ? 0.5 : 3) {
    for (std::size_t i = 0; i < processes; ++i) {
      stores.push_back(must(
          PostgresStore::open({.dial = {.address = proxy->address(database.name()), .password = {}},
                               .writers = writers})));
    }
    account = must(write([](WriteTransaction& t) { return t.create_account("acme"); })).key;
    node = must(write([](WriteTransaction& t) {
      return t.enter_node({.name = "bench", .roles = "", .version = ""});
    }));
  }
  void renew() {
    must(write([&](WriteTransaction& t) { return t.renew_node(node); }));
  }
  void print(std::string_view name, double items, double took, std::string_view unit,
             std::uint64_t trips) const {
    fmt::print("{}_{}us\t{:.0f}\t{}\n{}_{}us_round_trips\t{:.4g}\tfor one\n", name, latency_us,
               items / took, unit, name, latency_us, static_cast<double>(trips) / items);
    std::fflush(stdout);
  }
};

std::vector<NewRecipient> some_recipients(std::size_t count, std::size_t from = 0) {
  std::vector<NewRecipient> recipients;
  for (std::size_t i = from; i < from + count; ++i) {
    // Two in five have one of four large domains.
    const std::string domain = i % 5 < 2 ? fmt::format("large{}.example", i % 4)
                                         : fmt::format("site{}.example", i * 7919 % 100);
    recipients.push_back({fmt::format("user{}@{}", i, domain), domain, {{"__name__", "Alice"}}});
  }
  return recipients;
}

Accept some_accept(const Bench& bench) {
  Accept accept;
  accept.delivery.account = bench.account;
  accept.delivery.content.from = {"sender@example.com", "Sender"};
  accept.delivery.content.subject = "Your order";
  accept.delivery.content.text_part = std::string(2'000, 'x');
  accept.recipients = some_recipients(1);
  accept.signing = "example.com/s1";
  accept.life_time = std::chrono::hours(24);
  accept.holder = bench.node;
  return accept;
}

// `callers` wait for one mail each, as connections of an API do.
double accepts(int latency, int callers, bool quick, std::size_t writers = 2) {
  Bench bench(latency, 1, quick, writers);
  std::atomic<std::int64_t> done{0};
  std::atomic<int> running{callers};
  const auto trips = bench.proxy->round_trips();
  const auto began = SteadyClock::now();
  const auto end = began + Seconds(bench.seconds);
  std::function<void()> next = [&] {
    bench.stores[0]->submit(some_accept(bench), [&](Result<Accepted> accepted) {
      check(accepted.has_value(), "a mail was refused");
      ++done;
      if (SteadyClock::now() < end) {
        next();
      } else if (--running == 0) {
        running.notify_all();
      }
    });
  };
  for (int i = 0; i < callers; ++i) next();
  for (int left = running; left != 0; left = running) running.wait(left);
  const double took = Seconds(SteadyClock::now() - began).count();
  const std::string name = writers == 2 ? fmt::format("accept_{}", callers)
                                        : fmt::format("accept_{}_by_{}", callers, writers);
  bench.print(name, static_cast<double>(done), took, "mails/s", bench.proxy->round_trips() - trips);
  return static_cast<double>(done) / took;
}

// What a network of 2 ms a round trip leaves of the rate, in runs that follow each other: with so
// many flights at once as there are writers.
void pairs(int count, bool quick) {
  constexpr int kCallers = 64;
  constexpr int kFar = 2'000;
  for (int i = 0; i < count; ++i) {
    for (const std::size_t writers : {1U, 2U, 3U}) {
      const double near = accepts(0, kCallers, quick, writers);
      fmt::print("accept_{}_by_{}_share_of_rate\t{:.2f}\tof 1\n", kCallers, writers,
                 accepts(kFar, kCallers, quick, writers) / near);
    }
  }
}

OutcomeRecord some_outcome(const LeasedBatch& lease, std::uint32_t seq) {
  OutcomeRecord record;
  record.key = {lease.key.delivery, lease.key.batch, seq};
  record.age = Milliseconds(3);
  record.duration = Milliseconds(120);
  record.outcome.state = RecipientState::delivered;
  record.outcome.stage = Stage::accepted;
  record.outcome.reply = {250, "2.0.0 Ok: queued as 4Zx8Qk1jT2z9vN"};
  record.path = {"mx1.example.com", "192.0.2.25", "default", TlsUse::verified,
                 "TLSv1.3 TLS_AES_256_GCM_SHA384"};
  return record;
}

// One bulk delivery: staged, started, claimed, and settled by three processes in groups of 128.
void bulk(int latency, bool quick) {
  constexpr std::size_t kRows = 10'000;
  constexpr std::size_t kGroup = 128;
  Bench bench(latency, 3, quick);
  NewDelivery draft;
  draft.account = bench.account;
  draft.type = DeliveryType::bulk;
  draft.traffic = TrafficClass::bulk;
  draft.content.from = {"news@example.com", "News"};
  draft.content.subject = "News";
  const DeliveryKey key =
      must(bench.write([&](WriteTransaction& t) { return t.create_draft(draft, 10); })).key;
  const ImportJob job = must(bench.write(
      [&](WriteTransaction& t) { return t.create_import(key, NewImport{}, bench.node); }));
  const std::size_t calls = quick ? 4 : 20;
  std::vector<std::vector<NewRecipient>> rows;
  for (std::size_t i = 0; i < calls; ++i) rows.push_back(some_recipients(kRows, i * kRows));
  auto trips = bench.proxy->round_trips();
  auto began = SteadyClock::now();
  for (auto& some : rows) {
    must(bench.stores[0]->perform_and_wait(StageRows{.job = job.id,
                                                     .account = bench.account,
                                                     .node = bench.node,
                                                     .recipients = std::move(some)}));
  }
  bench.print("stage_10000", static_cast<double>(calls * kRows),
              Seconds(SteadyClock::now() - began).count(), "rows/s",
              bench.proxy->round_trips() - trips);
  must(bench.write([&](WriteTransaction& t) {
    return t.end_import(job.id, bench.account, ImportEnd{}, bench.node);
  }));
  must(bench.write([&](WriteTransaction& t) -> Result<void> {
    auto done = t.commit_draft(key, std::nullopt, {});
    return done ? t.start_delivery(key, "", std::chrono::hours(24)) : done;
  }));
  bench.database.execute("ANALYZE");

  bench.renew();
  constexpr std::int64_t kPage = 32;
  constexpr int kWalks = 20;
  trips = bench.proxy->round_trips();
  began = SteadyClock::now();
  std::vector<std::string> domains;
  std::int64_t pages = 0;
  for (int walk = 0; walk < kWalks; ++walk) {
    domains.clear();
    std::optional<std::string> after;
    do {
      const auto due = must(
          bench.stores[0]->perform_and_wait(Due{.workload = key, .after = after, .limit = kPage}));
      for (const DueDomain& found : due.domains) domains.push_back(found.domain);
      ++pages;
      after = due.next;
    } while (after);
  }
  bench.print("due_pages", static_cast<double>(pages), Seconds(SteadyClock::now() - began).count(),
              "pages/s", bench.proxy->round_trips() - trips);
  std::vector<BatchKey> keys;
  for (const std::string& domain : domains) {
    const auto due = must(bench.stores[0]->perform_and_wait(
        Due{.workload = key, .only = domain, .limit = 1'000'000}));
    for (const DueDomain& found : due.domains) {
      for (const DueBatch& batch : found.batches) keys.push_back(batch.key);
    }
  }
  trips = bench.proxy->round_trips();
  began = SteadyClock::now();
  std::vector<LeasedBatch> leases;
  for (std::size_t at = 0; at < keys.size(); at += 8) {
    const std::vector<BatchKey> some(
        keys.begin() + static_cast<std::ptrdiff_t>(at),
        keys.begin() + static_cast<std::ptrdiff_t>(std::min(at + 8, keys.size())));
    for (auto& lease :
         must(bench.stores[0]->perform_and_wait(Claim{.node = bench.node, .batches = some}))
             .batches) {
      leases.push_back(must(std::move(lease)));
    }
    if (at % 256 == 0) bench.renew();
  }
  bench.print("claim_8", static_cast<double>(leases.size()),
              Seconds(SteadyClock::now() - began).count(), "batches/s",
              bench.proxy->round_trips() - trips);

  std::vector<std::vector<OutcomeRecord>> groups(1);
  for (const LeasedBatch& lease : leases) {
    for (const LeasedRecipient& to : lease.recipients) {
      if (groups.back().size() == kGroup) groups.emplace_back();
      groups.back().push_back(some_outcome(lease, to.seq));
    }
  }
  trips = bench.proxy->round_trips();
  began = SteadyClock::now();
  std::atomic<std::size_t> next{0};
  std::atomic<std::int64_t> settled{0};
  std::vector<std::thread> threads;
  for (const auto& store : bench.stores) {
    threads.emplace_back([&, its = store.get()] {
      for (std::size_t i = next++; i < groups.size(); i = next++) {
        must(its->perform_and_wait(Settle{.outcomes = groups[i], .releases = {}}));
        settled += static_cast<std::int64_t>(groups[i].size());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  bench.print("settle_128_3_processes", static_cast<double>(settled),
              Seconds(SteadyClock::now() - began).count(), "outcomes/s",
              bench.proxy->round_trips() - trips);
}

// ---- bells: one process rings, another one hears ------------------------------------------------

class Bells {
 public:
  Bells(int latency, bool quick)
      : bench_(latency, 2, quick),
        ringing_(queue::StoreQueues::Options{}, *bench_.stores[0], clock_, metrics_,
                 runtime_.executor(0)),
        hearing_(
            queue::StoreQueues::Options{
                .visibility = std::chrono::seconds(30), .pace = {}, .seed = 1},
            *bench_.stores[1], clock_, metrics_, runtime_.executor(1)),
        tasks_(runtime_.executor(1)) {
    runtime_.start();
  }
  void run() {
    async::run_blocking(runtime_.executor(1), measure());
    runtime_.join();
    const std::string hot = bench_.database.ask(
        "SELECT round(100.0 * n_tup_hot_upd / greatest(n_tup_upd, 1))"
        " FROM pg_stat_user_tables WHERE relname = 'bells'");
    const std::string size = bench_.database.ask("SELECT pg_total_relation_size('bells') / 1024");
    fmt::print("bells_{0}us_changed_in_place\t{1}\t%\nbells_{0}us_table\t{2}\tKiB\n",
               bench_.latency_us, hot.substr(0, hot.find('\n')), size.substr(0, size.find('\n')));
  }

 private:
  static constexpr std::int64_t kOutstanding = 1'000;
  static constexpr std::uint32_t kTogether = 50;
  static constexpr int kReceivers = 4;

  Task<bool> measure() {
    const auto trips = bench_.proxy->round_trips();
    const auto began = SteadyClock::now();
    end_ = began + std::chrono::duration_cast<SteadyClock::duration>(Seconds(bench_.seconds));
    for (int i = 0; i < kReceivers; ++i) tasks_.spawn("receiver", hear());
    tasks_.spawn("ringer", ring());
    co_await tasks_.wait_empty();
    const double took = Seconds(SteadyClock::now() - began).count();
    bench_.print("bells", static_cast<double>(heard_), took, "bells/s",
                 bench_.proxy->round_trips() - trips);
    co_await ringing_.stop();
    co_await hearing_.stop();
    co_return true;
  }
  Task<void> ring() {
    const auto queue = ringing_.get({"main", TrafficClass::bulk});
    std::int64_t rung = 0;
    while (SteadyClock::now() < end_) {
      if (rung - heard_ > kOutstanding) {
        (void)co_await async::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      std::vector<queue::Bell> bells;
      for (std::uint32_t i = 0; i < kTogether; ++i) bells.push_back({++rung * 100, i});
      const auto sent = co_await queue->send(std::move(bells));
      check(sent.has_value(), "bells were refused");
    }
    rings_ = false;
  }
  Task<void> hear() {
    const auto queue = hearing_.get({"main", TrafficClass::bulk});
    while (true) {
      const auto bells = co_await queue->receive(10, std::chrono::milliseconds(500));
      check(bells.has_value(), "bells were not heard");
      if (bells->empty() && !rings_) co_return;
      std::vector<queue::Receipt> receipts;
      for (const auto& one : *bells) receipts.push_back(one.receipt);
      heard_ += static_cast<std::int64_t>(bells->size());
      const auto done = co_await queue->acknowledge(std::move(receipts));
      check(done.has_value(), "bells were not acknowledged");
    }
  }

  Bench bench_;
  SystemClock clock_;
  Metrics metrics_;
  async::Runtime runtime_{2};
  queue::StoreQueues ringing_;
  queue::StoreQueues hearing_;
  SteadyClock::time_point end_{};
  std::int64_t heard_ = 0;
  bool rings_ = true;
  async::TaskGroup tasks_;
};

}  // namespace
}  // namespace todoku::store

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  todoku::PostgresServer::make_durable();
  if (argc > 1 && std::string_view(argv[1]) == "--pairs") {
    constexpr int kPairs = 5;
    todoku::store::pairs(kPairs, argc > 2);
    return 0;
  }
  if (argc > 1 && std::string_view(argv[1]) == "--bells") {
    for (const int latency : {0, 500, 2'000}) todoku::store::Bells(latency, argc > 2).run();
    return 0;
  }
  for (const int latency : quick ? std::vector{0, 2'000} : std::vector{0, 500, 2'000}) {
    for (const int callers : {64, 256}) todoku::store::accepts(latency, callers, quick);
    todoku::store::bulk(latency, quick);
  }
  return 0;
}
