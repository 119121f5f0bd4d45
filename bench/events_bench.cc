// SPDX-License-Identifier: Apache-2.0
// What events cost (docs/adr/0014): processor time and octets a mail of a transaction, which has
// three (accepted, sent, finished), where groups of so many are committed together; and how fast
// they are read, also those of an account that has ten beside one that has ten million. One figure
// per line: name<TAB>value<TAB>unit. PostgreSQL's needs its server.
//
//   todoku_events_bench [--quick]
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "store/postgres/postgres_store.h"
#include "store/sqlite/address_index.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/transactions.h"
#include "support/measure.h"
#include "support/postgres/server.h"

namespace todoku::store {
namespace {

Accept some_accept(AccountKey account, NodeKey node, std::int64_t number) {
  Accept accept;
  accept.delivery.account = account;
  accept.delivery.content.from = {"sender@example.com", "Sender"};
  accept.delivery.content.subject = "Your order";
  accept.delivery.content.text_part = std::string(2'000, 'x');
  accept.recipients = {{fmt::format("user{}@example.jp", number), "example.jp", {}}};
  accept.signing = "example.com/s1";
  accept.life_time = std::chrono::hours(24);
  accept.holder = node;
  return accept;
}

OutcomeRecord some_outcome(const LeasedBatch& lease) {
  OutcomeRecord record;
  record.key = {lease.key.delivery, lease.key.batch, 0};
  record.age = Milliseconds(3);
  record.duration = Milliseconds(120);
  record.outcome.state = RecipientState::delivered;
  record.outcome.stage = Stage::accepted;
  record.outcome.reply = {250, "2.0.0 Ok: queued as 4Zx8Qk1jT2z9vN"};
  record.path = {"mx1.example.com", "192.0.2.25", "default", TlsUse::verified, "TLSv1.3"};
  return record;
}

// What a group brings together.
struct Told {
  std::vector<OutcomeRecord> outcomes;
  std::vector<BatchRelease> releases;
  void add(const Accepted& accepted) {
    const LeasedBatch& lease = accepted.batches.at(0);
    outcomes.push_back(some_outcome(lease));
    releases.push_back({.held = lease.held()});
  }
};

// The embedded store's transactions in this thread, without its disk.
class Sqlite {
 public:
  explicit Sqlite(const std::filesystem::path& folder)
      : db_(must(sqlite::Connection::open({.path = (folder / "bench.db").string(),
                                           .vfs = {},
                                           .create = true,
                                           .cache_kib = 65'536,
                                           .synchronous = "OFF"}))) {
    must(sqlite::prepare_schema(*db_));
    transaction_ = std::make_unique<sqlite::SqliteWriteTransaction>(
        *db_, figures_, must(sqlite::load_address_hash(*db_)));
    commit([&] {
      account_ = must(transaction_->create_account("bench", false)).key;
      node_ = must(transaction_->enter_node({.name = "bench", .roles = "", .version = ""}));
    });
  }

  void run(std::int64_t mails, std::int64_t group) {
    double all = 0;
    double events = 0;
    for (std::int64_t done = 0; done < mails; done += group) {
      Told told;
      all += cpu_us([&] {
        events += commit([&] {
          must(transaction_->renew_node(node_));
          for (std::int64_t i = 0; i < group; ++i) {
            told.add(must(transaction_->perform_one(some_accept(account_, node_, done + i))));
          }
        });
        events += commit([&] {
          (void)must(transaction_->perform_one(
              Settle{.outcomes = told.outcomes, .releases = told.releases}));
        });
      });
    }
    const auto octets =
        must(db_->integer("SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'event_sheets%'"));
    print("sqlite_store_cpu", group, all / static_cast<double>(mails), "us/mail");
    print("sqlite_events_cpu", group, events / static_cast<double>(mails), "us/mail");
    print("sqlite_events_octets", group, static_cast<double>(octets) / static_cast<double>(mails),
          "octets/mail");
    must(db_->execute("DELETE FROM event_sheets; VACUUM"));
  }

  // What all ten events of an account take to be read, before and after another has `many`, a
  // commit each, which lie between them.
  void read_few_beside(std::int64_t many) {
    constexpr std::int64_t kFew = 10;
    AccountKey few{};
    commit([&] { few = must(transaction_->create_account("few", false)).key; });
    for (std::int64_t i = 0; i < kFew; ++i) {
      commit([&] {
        must(transaction_->renew_node(node_));
        must(transaction_->perform_one(some_accept(few, node_, i)));
      });
    }
    must(db_->execute(fmt::format("UPDATE event_sheets SET place = place + {} * (SELECT count(*)"
                                  " FROM event_sheets o WHERE o.place < event_sheets.place)",
                                  many / kFew)
                          .c_str()));
    const double alone = read_all(few, kFew);
    must(db_->execute(
        fmt::format("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < {})"
                    " INSERT OR IGNORE INTO event_sheets SELECT s.place + i, {}, s.at, s.entries"
                    " FROM (SELECT * FROM event_sheets ORDER BY place LIMIT 1) s CROSS JOIN c",
                    many, static_cast<std::int64_t>(account_))
            .c_str()));
    const double beside = read_all(few, kFew);
    print("sqlite_ten_alone", kFew, alone, "us");
    print("sqlite_ten_beside", many, beside, "us");
    print("sqlite_ten_beside_to_alone", many, beside / alone, "ratio");
  }

  static void print(std::string_view name, std::int64_t group, double value,
                    std::string_view unit) {
    fmt::print("{}_{}\t{:.2f}\t{}\n", name, group, value, unit);
    std::fflush(stdout);
  }

 private:
  // The median of many times.
  double read_all(AccountKey account, std::int64_t events) {
    std::vector<double> took(2'001);
    for (double& us : took) {
      const auto began = std::chrono::steady_clock::now();
      const EventPage page =
          must(transaction_->read().events({.account = account, .limit = 1'000}));
      us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began)
               .count();
      check(std::ssize(page.events) == events, "every event is read");
    }
    std::ranges::sort(took);
    return took[took.size() / 2];
  }

  // What its events took.
  double commit(const std::function<void()>& work) {
    must(db_->execute("BEGIN IMMEDIATE"));
    transaction_->set_now(clock_.now());
    work();
    const double events = cpu_us([&] { must(transaction_->write_events()); });
    must(db_->execute("COMMIT"));
    transaction_->committed();
    return events;
  }

  SystemClock clock_;
  sqlite::LiveFigures figures_;
  std::unique_ptr<sqlite::Connection> db_;
  std::unique_ptr<sqlite::SqliteWriteTransaction> transaction_;
  AccountKey account_{};
  NodeKey node_{};
};

// Noting and packing alone, which both back ends do.
void packing(std::int64_t rounds) {
  constexpr std::int64_t kGroup = 64;
  std::size_t octets = 0;
  const double took = cpu_us([&] {
    for (std::int64_t round = 0; round < rounds; ++round) {
      CommitEvents events;
      for (std::int64_t i = 0; i < kGroup; ++i) {
        events.add(AccountKey{1}, {.kind = EventKind::sent,
                                   .delivery = DeliveryKey{12'000'000 + i},
                                   .attempt = 1,
                                   .code = 250});
      }
      octets += events.sheets(Instant{}).front().second.size();
    }
  });
  const auto entries = static_cast<double>(rounds * kGroup);
  Sqlite::print("packing_cpu", kGroup, took / entries, "us/event");
  Sqlite::print("entry_octets", kGroup, static_cast<double>(octets) / entries, "octets/event");
}

void on_a_server(std::int64_t mails, std::int64_t group) {
  PostgresDatabase database;
  const auto store = must(PostgresStore::open(
      {.dial = {.address = database.address(), .password = {}}, .must_keep = true}));
  const AccountKey account =
      must(store->write_and_wait(WritePriority::accept, [](WriteTransaction& t) {
        return t.create_account("bench");
      })).key;
  const NodeKey node = must(store->write_and_wait(WritePriority::claims, [](WriteTransaction& t) {
    return t.enter_node({.name = "bench", .roles = "", .version = ""});
  }));
  for (std::int64_t done = 0; done < mails; done += group) {
    must(store->write_and_wait(WritePriority::claims,
                               [&](WriteTransaction& t) { return t.renew_node(node); }));
    std::vector<std::future<Result<Accepted>>> answers;
    for (std::int64_t i = 0; i < group; ++i) {
      answers.push_back(store->perform_soon(some_accept(account, node, done + i)));
    }
    Told told;
    for (auto& answer : answers) told.add(must(answer.get()));
    (void)must(
        store->perform_and_wait(Settle{.outcomes = told.outcomes, .releases = told.releases}));
  }
  database.execute("VACUUM event_sheets");
  const double octets = std::stod(database.ask("SELECT pg_total_relation_size('event_sheets')"));
  Sqlite::print("postgres_events_octets", group, octets / static_cast<double>(mails),
                "octets/mail");
  const double sheets = std::stod(database.ask("SELECT count(*) FROM event_sheets"));
  Sqlite::print("postgres_sheets", group, sheets / static_cast<double>(mails), "sheets/mail");
  std::int64_t read = 0;
  EventQuestion question{.account = account, .limit = 1'000};
  const auto began = std::chrono::steady_clock::now();
  for (bool more = true; more;) {
    const EventPage page =
        must(store->read_and_wait([&](ReadTransaction& t) { return t.events(question); }));
    read += std::ssize(page.events);
    question.after = page.next;
    more = page.more;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  check(read == mails * 3, "every event is read");
  Sqlite::print("postgres_read", group, static_cast<double>(read) / took.count(), "events/s");
}

}  // namespace
}  // namespace todoku::store

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  const std::int64_t mails = quick ? 6'400 : 64'000;
  std::string folder = std::filesystem::temp_directory_path() / "todoku-events-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  todoku::store::packing(mails / 10);
  {
    todoku::store::Sqlite sqlite(folder);
    for (const std::int64_t group : {1, 64}) sqlite.run(mails, group);
    sqlite.read_few_beside(quick ? 100'000 : 10'000'000);
  }
  std::filesystem::remove_all(folder);
  todoku::PostgresServer::make_durable();
  for (const std::int64_t group : {1, 64}) {
    todoku::store::on_a_server(group == 1 ? mails / 32 : mails, group);
  }
  return 0;
}
