// SPDX-License-Identifier: Apache-2.0
// What questions and changes cost does not grow with what is stored: each is put to a small store
// and to one ten times as large, and the steps of SQLite's machine are counted. No clock decides.
#include <array>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/sqlite/address_index.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

// A closed store's file, opened by the test itself so that it can count.
class Counted {
 public:
  explicit Counted(const std::filesystem::path& path)
      : db_(must(Connection::open({.path = path.string(), .vfs = {}}))),
        transaction_(*db_, figures_, must(AddressHash::load(*db_))) {
    must(transaction_.load_figures());
    sqlite3_progress_handler(db_->raw(), 1, &Counted::count, this);
  }

  // Steps of SQLite's machine that `work` takes.
  std::int64_t steps(const std::function<void(WriteTransaction&)>& work) {
    must(db_->execute("BEGIN IMMEDIATE"));
    steps_ = 0;
    work(transaction_);
    const std::int64_t taken = steps_;
    must(transaction_.store_figures());
    must(db_->execute("COMMIT"));
    transaction_.committed();
    return taken;
  }

 private:
  static int count(void* self) {
    ++static_cast<Counted*>(self)->steps_;
    return 0;
  }

  std::unique_ptr<Connection> db_;
  LiveFigures figures_;
  SqliteWriteTransaction transaction_;
  std::int64_t steps_ = 0;
};

class GrowthTest : public ::testing::Test {
 protected:
  // What a store of size 1 or 10 holds, and what the questions are about.
  struct World {
    explicit World(std::int64_t its_size) : size(its_size) {}
    std::int64_t size;
    TemporaryDirectory directory;
    AccountKey account{};
    AccountKey other{};
    Delivery large;   // sending, size x 8,000 recipients of one domain, none claimed
    Delivery doomed;  // sent or not, size x 1,000 recipients, to be deleted
    Delivery last;    // the newest draft
    LeasedBatch claimed;
    std::unique_ptr<Counted> counted;
  };

  [[nodiscard]] Instant now() const { return clock_.now(); }

  static NewDelivery about(AccountKey account, bool bulk) {
    NewDelivery made{.account = account,
                     .type = bulk ? DeliveryType::bulk : DeliveryType::transaction,
                     .traffic = bulk ? TrafficClass::bulk : TrafficClass::transactional,
                     .content = {}};
    made.content.from = {"news@example.com", ""};
    made.content.subject = "hello";
    made.content.text_part = std::string(200, 'x');
    return made;
  }

  Delivery bulk(WriteTransaction& t, AccountKey account, std::int64_t recipients, bool start) {
    const Delivery made = must(t.create_draft(about(account, true), now()));
    std::vector<NewRecipient> to;
    for (std::int64_t i = 0; i < recipients; ++i) {
      to.push_back({fmt::format("user{}@large.example", i), "large.example", {}});
      if (to.size() < 1'000) continue;
      must(t.append_recipients(made.key, to, now()));
      to.clear();
    }
    must(t.append_recipients(made.key, to, now()));
    if (start) {
      must(t.commit_draft(made.key, std::nullopt, now()));
      must(t.start_delivery(made.key, "", now()));
    }
    return must(t.delivery(made.key));
  }

  // Transactions that went out, and some that are deferred: what a busy account has most of.
  void transactions(WriteTransaction& t, AccountKey account, std::int64_t count, bool deferred) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::vector<NewRecipient> to{{fmt::format("one{}@example.jp", i), "example.jp", {}}};
      const auto accepted =
          must(t.accept_transaction(about(account, false), to, "", kMe, now() + lease_, now()));
      const LeasedBatch& batch = accepted.batches[0];
      OutcomeRecord record{.key = {batch.key.delivery, batch.key.batch, 0}, .at = now()};
      record.outcome.state = deferred ? RecipientState::deferred : RecipientState::delivered;
      if (deferred) record.due = now() + std::chrono::minutes(15);
      must(t.record_outcomes(std::span(&record, 1)));
      if (deferred) must(t.release_batch(batch.key, batch.token, now(), now()));
      clock_.advance(Milliseconds(10));
    }
  }

  void fill(World& world) {
    SqliteStore::Options options;
    options.path = world.directory.path() / "store.db";
    options.clock = &clock_;
    auto store = must(SqliteStore::open(options));
    const auto write = [&](auto work) {
      must(store->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) -> Result<void> {
        work(t);
        return {};
      }));
    };
    write([&](WriteTransaction& t) {
      world.account = must(t.create_account("acme", now())).key;
      world.other = must(t.create_account("other", now())).key;
    });
    write([&](WriteTransaction& t) { transactions(t, world.account, 100 * world.size, true); });
    write([&](WriteTransaction& t) { transactions(t, world.account, 400 * world.size, false); });
    write([&](WriteTransaction& t) {
      // Drafts of recipients that nobody has started, then what goes out.
      for (std::int64_t i = 0; i < 20 * world.size; ++i) bulk(t, world.other, 60, false);
      world.large = bulk(t, world.account, 8'000 * world.size, true);
      world.doomed = bulk(t, world.account, 1'000 * world.size, true);
      world.last = bulk(t, world.account, 10, false);
      const Delivery small = bulk(t, world.account, 500, true);
      const auto due = must(t.due_domains(small.key, now(), std::nullopt, 10));
      const std::vector keys{due.domains.at(0).batches.at(0).key};
      world.claimed = must(t.claim_batches(keys, kMe, now() + lease_, now())).at(0);
    });
    store->close();
    world.counted = std::make_unique<Counted>(options.path);
  }

  using Work = std::function<void(WriteTransaction&, World&)>;

  // Every question and change whose cost must not grow, by name.
  std::vector<std::pair<std::string, Work>> all_work() {
    const auto list = [this](DeliveryFilter filter, DeliveryOrder order) {
      return [this, filter, order](WriteTransaction& t, World& world) {
        DeliveryFilter own = filter;
        own.account = world.account;
        if (own.delivery_start) own.delivery_start = now() - std::chrono::milliseconds(200);
        must(t.match_deliveries(own, order, std::nullopt, 10));
      };
    };
    using enum DeliveryOrder;
    return {
        {"count drafts",
         [](auto& t, auto& w) { must(t.count_drafts(w.account, DeliveryType::bulk, 100)); }},
        {"list: newest", list({}, newest_first)},
        {"list: drafts", list({.statuses = {DeliveryStatus::edit}}, newest_first)},
        {"list: bulk", list({.types = {DeliveryType::bulk}}, newest_first)},
        {"list: by start", list({}, start_ascending)},
        {"list: span of time", list({.delivery_start = Instant{}}, start_descending)},
        {"delivery", [](auto& t, auto& w) { must(t.delivery(w.account, w.large.id)); }},
        {"recipient", [](auto& t, auto& w) { must(t.recipient(w.account, 3)); }},
        {"start and reservations",
         [this](auto& t, auto&) {
           must(t.deliveries_to_start(now(), 100));
           must(t.next_reservation(now()));
         }},
        {"due: transactional", [this](auto& t, auto&) { must(t.due_domains({}, now(), {}, 256)); }},
        {"due: one of a large bulk",
         [this](auto& t, auto& w) {
           must(t.due_batches(w.large.key, "large.example", now(), 16));
         }},
        {"due: domains of a large bulk",
         [this](auto& t, auto& w) { must(t.due_domains(w.large.key, now(), "a.example", 256)); }},
        {"queue figures", [this](auto& t, auto&) { must(t.queue_figures(now())); }},
        {"accept",
         [this](auto& t, auto& w) {
           const std::vector<NewRecipient> to{{"new@example.jp", "example.jp", {}}};
           must(t.accept_transaction(about(w.account, false), to, "", kMe, now() + lease_, now()));
         }},
        {"claim",
         [this](auto& t, auto& w) {
           const auto due = must(t.due_batches(w.large.key, "large.example", now(), 1));
           const std::vector keys{due.at(0).key};
           must(t.claim_batches(keys, kMe, now() + lease_, now()));
         }},
        {"outcomes",
         [this](auto& t, auto& w) {
           OutcomeRecord record{.key = {w.claimed.key.delivery, w.claimed.key.batch, 0}};
           record.at = now();
           record.outcome.state = RecipientState::delivered;
           must(t.record_outcomes(std::span(&record, 1)));
         }},
        {"append",
         [this](auto& t, auto& w) {
           const std::vector<NewRecipient> to{{"late@example.jp", "example.jp", {}}};
           must(t.append_recipients(w.last.key, to, now()));
         }},
        {"recovery of leases",
         [this](auto& t, auto&) { must(t.release_leases_of_others(kOther, now(), 1'000)); }},
        {"delete", [this](auto& t, auto& w) { must(t.delete_delivery(w.doomed.key, now())); }},
        {"purge a slice", [](auto& t, auto&) { must(t.purge_deleted(1'000)); }},
    };
  }

  SharedClock clock_;
  const Milliseconds lease_{std::chrono::minutes(5)};
};

TEST_F(GrowthTest, NoQuestionAndNoChangeCostsMoreBecauseMoreIsStored) {
  World small(1);
  World large(10);
  fill(small);
  fill(large);
  fmt::print("{:32}{:>12}{:>12}\n", "steps in a store of", "1", "10");
  for (const auto& [name, work] : all_work()) {
    const std::int64_t of_small =
        small.counted->steps([&](WriteTransaction& t) { work(t, small); });
    const std::int64_t of_large =
        large.counted->steps([&](WriteTransaction& t) { work(t, large); });
    fmt::print("{:32}{:>12}{:>12}\n", name, of_small, of_large);
    EXPECT_LE(of_large, of_small + of_small / 2 + 200) << name;
  }
}

}  // namespace
}  // namespace todoku::store::sqlite
