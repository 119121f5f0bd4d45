// SPDX-License-Identifier: Apache-2.0
// Whether the tables of the store on PostgreSQL keep their size: rounds of an import that is sent,
// deferred, sent again, deleted and purged, with mails and bells besides, and nothing but
// autovacuum to clean up; during the third round somebody keeps an old snapshot open. Before each
// purge the size of every table and of its indices is printed, at the end how much the later rounds
// differ and what share of the updates stayed in their page (HOT). One figure per line:
// name<TAB>value<TAB>unit. 6 rounds of 20,000 recipients, of N with `--recipients=N`; with
// `--whole` 10 rounds of 2,000,000.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "store/postgres/postgres_store.h"
#include "support/measure.h"
#include "support/postgres/server.h"
#include "support/shared_clock.h"

namespace todoku::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Size {
  std::int64_t table = 0;
  std::int64_t indices = 0;
};

class Bloat {
 public:
  Bloat(int rounds, std::size_t recipients)
      : rounds_(rounds),
        recipients_(recipients),
        server_({"autovacuum=on", "autovacuum_naptime=1s", "autovacuum_max_workers=3"}),
        database_(server_.make_database()),
        store_(must(PostgresStore::open(
            {.dial = {.address = server_.address(database_), .password = {}}, .clock = &clock_}))) {
    account_ = must(write([](WriteTransaction& t) { return t.create_account("acme"); })).key;
    node_ = must(write([](WriteTransaction& t) {
      return t.enter_node({.name = "bench", .roles = "", .version = ""});
    }));
  }

  void run() {
    for (int round = 1; round <= rounds_; ++round) {
      renew();
      std::unique_ptr<postgres::Link> reader;
      if (round == 3) reader = old_snapshot();
      const DeliveryKey bulk = import();
      send(bulk);
      const std::vector<DeliveryKey> mails = accept();
      ring();
      measure(round);
      remove(bulk, mails);
      reader.reset();
      // As tokens of transactions and old mail do, everything of this round grows old.
      clock_.advance(std::chrono::hours(2));
      renew();
      purge();
      wait_for_autovacuum();
    }
    conclude();
  }

 private:
  template <class Work>
  std::invoke_result_t<Work&, WriteTransaction&> write(Work work) {
    return store_->write_and_wait(WritePriority::accept, std::move(work));
  }
  void renew() {
    must(write([&](WriteTransaction& t) { return t.renew_node(node_); }));
  }

  [[nodiscard]] std::unique_ptr<postgres::Link> old_snapshot() {
    postgres::Dialer dialer({.address = server_.address(database_), .password = {}});
    auto link = must(dialer.dial());
    const postgres::Sql begin{postgres::Sql::Once{}, "begin",
                              "BEGIN ISOLATION LEVEL REPEATABLE READ"};
    const postgres::Sql look{postgres::Sql::Once{}, "look", "SELECT count(*) FROM accounts"};
    must(link->add(begin).add(look).fly(std::chrono::seconds(5)));
    return link;
  }

  [[nodiscard]] std::vector<NewRecipient> some(std::size_t from, std::size_t count) const {
    std::vector<NewRecipient> made;
    for (std::size_t i = from; i < from + count; ++i) {
      const std::string domain = i % 5 < 2 ? fmt::format("large{}.example", i % 4)
                                           : fmt::format("site{}.example", i * 7919 % 100);
      made.push_back({fmt::format("user{}@{}", i, domain), domain, {{"__name__", "Alice"}}});
    }
    return made;
  }

  DeliveryKey import() {
    constexpr std::size_t kRows = 10'000;
    NewDelivery draft;
    draft.account = account_;
    draft.type = DeliveryType::bulk;
    draft.traffic = TrafficClass::bulk;
    draft.content.from = {"news@example.com", "News"};
    const DeliveryKey key =
        must(write([&](WriteTransaction& t) { return t.create_draft(draft, 10); })).key;
    const ImportJob job =
        must(write([&](WriteTransaction& t) { return t.create_import(key, NewImport{}, node_); }));
    for (std::size_t at = 0; at < recipients_; at += kRows) {
      must(store_->perform_and_wait(
          StageRows{.job = job.id,
                    .account = account_,
                    .node = node_,
                    .recipients = some(at, std::min(kRows, recipients_ - at))}));
    }
    must(write(
        [&](WriteTransaction& t) { return t.end_import(job.id, account_, ImportEnd{}, node_); }));
    must(write([&](WriteTransaction& t) -> Result<void> {
      auto done = t.commit_draft(key, std::nullopt, {});
      return done ? t.start_delivery(key, "", std::chrono::hours(24)) : done;
    }));
    return key;
  }

  // Every fifth is deferred first.
  [[nodiscard]] static OutcomeRecord outcome(const LeasedBatch& lease, const LeasedRecipient& to) {
    OutcomeRecord record;
    record.key = {lease.key.delivery, lease.key.batch, to.seq};
    record.outcome.stage = Stage::accepted;
    record.outcome.reply = {250, "2.0.0 Ok: queued as 4Zx8Qk1jT2z9vN"};
    record.outcome.state = RecipientState::delivered;
    record.path = {"mx1.example.com", "192.0.2.25", "default", TlsUse::verified, "TLSv1.3"};
    if (to.attempts == 0 && to.seq % 5 == 0) {
      record.outcome.state = RecipientState::deferred;
      record.outcome.reply = {451, "4.7.1 Greylisted, try again"};
      record.wait = Milliseconds(0);
    }
    return record;
  }

  void settle(const std::vector<LeasedBatch>& leases) {
    constexpr std::size_t kGroup = 128;
    std::vector<OutcomeRecord> outcomes;
    std::vector<BatchRelease> releases;
    const auto flush = [&] {
      must(store_->perform_and_wait(Settle{.outcomes = outcomes, .releases = releases}));
      outcomes.clear();
      releases.clear();
    };
    for (const LeasedBatch& lease : leases) {
      for (const LeasedRecipient& to : lease.recipients) {
        outcomes.push_back(outcome(lease, to));
        if (outcomes.size() == kGroup) flush();
      }
      releases.push_back({.held = lease.held(), .not_before = {}});
    }
    flush();
  }

  void send(DeliveryKey key) {
    constexpr std::int64_t kPage = 32;
    while (true) {
      std::vector<BatchKey> batches;
      const auto due = must(store_->perform_and_wait(Due{.workload = key, .limit = kPage}));
      for (const DueDomain& domain : due.domains) {
        for (const DueBatch& batch : domain.batches) batches.push_back(batch.key);
      }
      if (batches.empty()) return;
      std::vector<LeasedBatch> leases;
      for (auto& lease :
           must(store_->perform_and_wait(Claim{.node = node_, .batches = batches})).batches) {
        if (lease) leases.push_back(std::move(*lease));
      }
      settle(leases);
    }
  }

  std::vector<DeliveryKey> accept() {
    std::vector<std::future<Result<Accepted>>> answers;
    std::vector<DeliveryKey> keys;
    std::vector<LeasedBatch> leases;
    for (std::size_t i = 0; i < recipients_ / 10; ++i) {
      Accept mail;
      mail.delivery.account = account_;
      mail.delivery.content.from = {"sender@example.com", "Sender"};
      mail.delivery.content.text_part = std::string(2'000, 'x');
      mail.recipients = some(i, 1);
      mail.life_time = std::chrono::hours(24);
      mail.holder = node_;
      answers.push_back(store_->perform_soon(std::move(mail)));
      if (answers.size() < 256 && i + 1 < recipients_ / 10) continue;
      for (auto& answer : answers) {
        Accepted accepted = must(answer.get());
        keys.push_back(accepted.delivery.key);
        for (LeasedBatch& lease : accepted.batches) leases.push_back(std::move(lease));
      }
      answers.clear();
      settle(leases);
      leases.clear();
    }
    return keys;
  }

  // Bells that are rung, heard and acknowledged, as many as there are recipients.
  void ring() {
    constexpr std::size_t kTogether = 20;
    const BellChannel channel{"main", TrafficClass::bulk};
    std::vector<HeldBell> held;
    for (std::size_t rung = 0; rung < recipients_ || !held.empty();) {
      BellWork work{.rung = {},
                    .acknowledged = std::move(held),
                    .given_back = {},
                    .wanted = {{channel, kTogether}},
                    .visibility = std::chrono::seconds(30),
                    .reception = ++receptions_};
      for (std::size_t i = 0; i < kTogether && rung < recipients_; ++i, ++rung) {
        work.rung.push_back(
            {channel, {DeliveryKey{static_cast<std::int64_t>(++bells_ * 1'000)}, 0}});
      }
      held.clear();
      for (HeardBell& one : must(store_->perform_and_wait(std::move(work))).bells) {
        held.push_back({std::move(one.bell), receptions_});
      }
    }
  }

  void remove(DeliveryKey bulk, const std::vector<DeliveryKey>& mails) {
    must(write([&](WriteTransaction& t) { return t.delete_delivery(bulk); }));
    for (std::size_t at = 0; at < mails.size(); at += 100) {
      must(write([&](WriteTransaction& t) -> Result<void> {
        for (std::size_t i = at; i < std::min(at + 100, mails.size()); ++i) {
          auto done = t.delete_delivery(mails[i]);
          if (!done) return done;
        }
        return {};
      }));
    }
  }

  void purge() {
    constexpr std::int64_t kRows = 1'000;
    while (must(store_->write_and_wait(
        WritePriority::retention, [](WriteTransaction& t) { return t.purge_deleted(kRows); }))) {
    }
  }

  // Between two real rounds there are hours.
  void wait_for_autovacuum() {
    const auto end = SteadyClock::now() + std::chrono::seconds(30);
    while (SteadyClock::now() < end) {
      const std::string dead = server_.ask(
          database_,
          "SELECT count(*) FROM pg_stat_user_tables WHERE n_dead_tup > 1000 + 0.2 * n_live_tup");
      if (dead == "0\n") return;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    fmt::print("autovacuum_late\t1\trounds\n");
  }

  void measure(int round) {
    std::istringstream lines(server_.ask(
        database_,
        "SELECT relname || ' ' || pg_table_size(relid) || ' ' || pg_indexes_size(relid)"
        " FROM pg_stat_user_tables WHERE pg_table_size(relid) > 65536 ORDER BY relname"));
    std::string name;
    Size size;
    while (lines >> name >> size.table >> size.indices) {
      sizes_[name].push_back(size);
      fmt::print("round_{}_{}\t{}\tKB\nround_{}_{}_indices\t{}\tKB\n", round, name,
                 size.table / 1024, round, name, size.indices / 1024);
    }
    std::fflush(stdout);
  }

  void conclude() {
    for (const auto& [name, sizes] : sizes_) {
      const std::size_t half = static_cast<std::size_t>(rounds_) / 2;
      if (sizes.size() <= half) continue;
      const auto later = std::span(sizes).subspan(sizes.size() - half);
      const auto spread = [&](auto member) {
        const auto [least, most] = std::ranges::minmax_element(later, {}, member);
        return 100.0 * static_cast<double>((*most).*member - (*least).*member) /
               static_cast<double>(std::max<std::int64_t>((*least).*member, 1));
      };
      fmt::print("{}_later_rounds\t{:.1f}\t% apart\n{}_indices_later_rounds\t{:.1f}\t% apart\n",
                 name, spread(&Size::table), name, spread(&Size::indices));
    }
    std::istringstream shares(server_.ask(
        database_,
        "SELECT relname || ' ' || round(100.0 * n_tup_hot_upd / n_tup_upd, 1) || ' ' || n_tup_upd"
        " FROM pg_stat_user_tables WHERE n_tup_upd > 100 ORDER BY relname"));
    std::string name;
    double share = 0;
    std::int64_t updates = 0;
    while (shares >> name >> share >> updates) {
      fmt::print("{}_hot_updates\t{:.1f}\t% of {}\n", name, share, updates);
    }
  }

  const int rounds_;
  const std::size_t recipients_;
  SharedClock clock_{SharedClock::Goes::by_itself};
  PostgresServer server_;
  std::string database_;
  std::unique_ptr<PostgresStore> store_;
  AccountKey account_{};
  NodeKey node_{};
  std::uint64_t receptions_ = 0;
  std::uint64_t bells_ = 0;
  std::map<std::string, std::vector<Size>> sizes_;
};

}  // namespace
}  // namespace todoku::store

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "";
  const bool whole = how == "--whole";
  constexpr std::string_view kNamed = "--recipients=";
  std::size_t recipients = whole ? 2'000'000 : 20'000;
  if (how.starts_with(kNamed)) {
    std::from_chars(how.data() + kNamed.size(), how.data() + how.size(), recipients);
  }
  todoku::PostgresServer::make_durable();
  todoku::store::Bloat bloat(whole ? 10 : 6, recipients);
  bloat.run();
  return 0;
}
