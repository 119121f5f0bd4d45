// SPDX-License-Identifier: Apache-2.0
// What questions and changes cost does not grow with what is stored: each is put to a small store
// and to one ten times as large, and the steps of SQLite's machine are counted; so are the
// statements of the hot operations (docs/ARCHITECTURE.md has the table). No clock decides.
#include <array>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"
#include "store/numbers.h"
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
        transaction_(*db_, figures_, must(load_address_hash(*db_))) {
    must(transaction_.load_figures());
    sqlite3_progress_handler(db_->raw(), 1, &Counted::count, this);
    sqlite3_trace_v2(db_->raw(), SQLITE_TRACE_STMT, &Counted::begun, this);
  }

  struct Cost {
    std::int64_t steps = 0;       // of SQLite's machine
    std::int64_t statements = 0;  // begun
  };
  Cost cost(Instant now, const std::function<void(SqliteWriteTransaction&)>& work) {
    must(db_->execute("BEGIN IMMEDIATE"));
    transaction_.set_now(now);
    cost_ = {};
    work(transaction_);
    const Cost taken = cost_;
    must(transaction_.write_events());
    must(db_->execute("COMMIT"));
    transaction_.committed();
    return taken;
  }

 private:
  static int count(void* self) {
    ++static_cast<Counted*>(self)->cost_.steps;
    return 0;
  }
  static int begun(unsigned, void* self, void*, void*) {
    ++static_cast<Counted*>(self)->cost_.statements;
    return 0;
  }

  std::unique_ptr<Connection> db_;
  LiveFigures figures_;
  SqliteWriteTransaction transaction_;
  Cost cost_;
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
    Delivery small;
    LeasedBatch claimed;
    NodeKey node{};
    NodeKey dead{};
    std::unique_ptr<Counted> counted;
  };

  [[nodiscard]] Instant now() const { return clock_.now(); }

  // Messages on their way in, and what was removed of others.
  static void messages(WriteTransaction& t, NodeKey node, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const RelayedKey key = must(t.begin_relayed(node));
      must(t.add_relayed_piece(key, 0, "a message"));
      if (i % 2 == 0) must(t.drop_relayed(key));
    }
  }

  // Of the account's other deliveries, and the more hours of its own.
  static void rates(WriteTransaction& t, const World& world) {
    const OutcomeCounts counts{.answered = 10, .delivered = 9, .hard = 1};
    std::vector<RateIncrement> increments;
    const auto add = [&](RateScope scope, DeliveryKey delivery, std::string name, RateHour hour) {
      increments.push_back({{world.account, scope, delivery, std::move(name)}, hour, counts});
    };
    for (RateHour hour = 0; hour < 24; ++hour) {
      for (std::int64_t i = 0; i < 20 * world.size; ++i) {
        add(RateScope::delivery, DeliveryKey{1'000'000 + i}, "", hour);
        add(RateScope::delivery_at_receiver, DeliveryKey{1'000'000 + i}, "docomo", hour);
      }
      add(RateScope::delivery, world.large.key, "", hour);
      add(RateScope::delivery_at_receiver, world.large.key, "docomo", hour);
    }
    for (RateHour hour = 0; hour < 24 * world.size; ++hour) {
      add(RateScope::account, {}, "", hour);
      add(RateScope::receiver, {}, "docomo", hour);
    }
    must(t.count_rates(increments));
    must(t.put_rate_state({.subject = {.account = world.account, .name = {}}, .level = 1}));
  }

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
    const Delivery made = must(t.create_draft(about(account, true), kDraftsMax));
    std::vector<NewRecipient> to;
    for (std::int64_t i = 0; i < recipients; ++i) {
      to.push_back({fmt::format("user{}@large.example", i), "large.example", {}});
      if (to.size() < 1'000) continue;
      must(t.append_recipients(made.key, to));
      to.clear();
    }
    must(t.append_recipients(made.key, to));
    if (start) {
      must(t.commit_draft(made.key, std::nullopt, {}));
      must(t.start_delivery(made.key, "", kLifeTime));
    }
    return must(t.read().delivery(made.key));
  }

  // Transactions that went out, and some that are deferred: what a busy account has most of.
  void transactions(Store& store, AccountKey account, std::int64_t count, bool deferred) {
    for (std::int64_t i = 0; i < count; ++i) {
      const auto accepted = must(store.perform_and_wait(acceptance(account, i)));
      OutcomeRecord record{.key = {accepted.delivery.key, 0, 0}};
      record.outcome.state = deferred ? RecipientState::deferred : RecipientState::delivered;
      if (deferred) record.wait = std::chrono::minutes(15);
      must(store.perform_and_wait(Settle{.outcomes = std::span(&record, 1), .releases = {}}));
      clock_.advance(Milliseconds(10));
    }
  }

  static Accept acceptance(AccountKey account, std::int64_t number) {
    return {.delivery = about(account, false),
            .recipients = {{fmt::format("one{}@example.jp", number), "example.jp", {}}},
            .signing = "",
            .life_time = kLifeTime};
  }

  static LeasedBatch claim(Store& store, NodeKey node, DeliveryKey delivery) {
    const auto due = must(store.perform_and_wait(Due{.workload = delivery, .limit = 10}));
    auto claimed = must(store.perform_and_wait(
        Claim{.node = node, .batches = {due.domains.at(0).batches.at(0).key}}));
    return must(std::move(claimed.batches.at(0)));
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
      world.account = must(t.create_account("acme")).key;
      world.other = must(t.create_account("other")).key;
    });
    transactions(*store, world.account, 100 * world.size, true);
    transactions(*store, world.account, 400 * world.size, false);
    write([&](WriteTransaction& t) {
      // Drafts of recipients that nobody has started, then what goes out.
      for (std::int64_t i = 0; i < 20 * world.size; ++i) bulk(t, world.other, 60, false);
      world.large = bulk(t, world.account, 8'000 * world.size, true);
      world.doomed = bulk(t, world.account, 1'000 * world.size, true);
      world.last = bulk(t, world.account, 10, false);
      world.small = bulk(t, world.account, 500, true);
      world.node = must(t.enter_node({.name = "one", .roles = "", .version = ""}));
      world.dead = must(t.enter_node({.name = "two", .roles = "", .version = ""}));
      messages(t, world.node, 50 * world.size);
      rates(t, world);
    });
    world.claimed = claim(*store, world.node, world.small.key);
    for (int i = 0; i < 2; ++i) claim(*store, world.dead, world.doomed.key);
    write([&](WriteTransaction& t) { must(t.leave_node(world.dead)); });
    store->close();
    world.counted = std::make_unique<Counted>(options.path);
  }

  using Work = std::function<void(SqliteWriteTransaction&, World&)>;
  static constexpr PublicId kIdMax = std::int64_t{1} << 53U;

  // Every question and change whose cost must not grow, by name.
  std::vector<std::pair<std::string, Work>> all_work() {
    const auto list = [this](DeliveryFilter filter, DeliveryOrder order) {
      return [this, filter, order](SqliteWriteTransaction& t, World& world) {
        DeliveryFilter own = filter;
        own.account = world.account;
        if (own.delivery_start) own.delivery_start = now() - std::chrono::milliseconds(200);
        must(t.read().match_deliveries(own, order, std::nullopt, 10));
      };
    };
    using enum DeliveryOrder;
    return {
        {"count drafts",
         [](auto& t, auto& w) { must(t.read().count_drafts(w.account, DeliveryType::bulk, 100)); }},
        {"list: newest", list({}, newest_first)},
        {"list: drafts", list({.statuses = {DeliveryStatus::edit}}, newest_first)},
        {"list: bulk", list({.types = {DeliveryType::bulk}}, newest_first)},
        {"list: by start", list({}, start_ascending)},
        {"list: span of time", list({.delivery_start = Instant{}}, start_descending)},
        {"delivery", [](auto& t, auto& w) { must(t.read().delivery(w.account, w.large.id)); }},
        {"recipient", [](auto& t, auto& w) { must(t.read().recipient(w.account, 3)); }},
        {"log: newest batches",
         [](auto& t, auto& w) {
           const auto batches = must(t.read().log_batches(w.account, {1, kIdMax}, 10));
           must(t.read().log_hits(batches, 10));
         }},
        {"log: not sent",
         [](auto& t, auto& w) {
           must(t.read().not_sent(w.account, {LogKey::By::state, 3}, {1, kIdMax}, 10));
           must(t.read().not_sent(w.account, {LogKey::By::code, 550}, {1, kIdMax}, 10));
         }},
        {"log: since", [this](auto& t, auto& w) { must(t.read().log_id_since(w.account, now())); }},
        {"log: late starts",
         [this](auto& t, auto& w) { must(t.read().late_starts(w.account, now(), now(), 10)); }},
        {"log: stories",
         [](auto& t, auto& w) {
           const PublicId id = 3;
           must(t.read().log_stories(w.account, std::span(&id, 1)));
         }},
        {"usages", [](auto& t, auto& w) { must(t.read().usages(w.account, 197001, 999912)); }},
        {"outcomes by cause",
         [this](auto& t, auto& w) {
           must(t.read().outcomes_of(w.large.key, std::nullopt, 100));
           const HourNumber hour = hour_of(now());
           must(t.read().outcomes_within(
               {.account = w.account, .first = hour - 24, .end = hour + 1, .site = {}}, 100));
         }},
        {"start and reservations",
         [](auto& t, auto&) {
           must(t.read().deliveries_to_start(100));
           must(t.read().next_reservation());
           must(t.read().reserved_work());
         }},
        {"due: transactional", [](auto& t, auto&) { must(t.due({.limit = 16})); }},
        {"due: one of a large bulk",
         [](auto& t, auto& w) {
           must(t.due({.workload = w.large.key, .only = "large.example", .limit = 16}));
         }},
        {"due: domains of a large bulk",
         [](auto& t, auto& w) { must(t.due({.workload = w.large.key, .after = "a.example"})); }},
        {"queue figures", [](auto& t, auto&) { must(t.read().queue_figures()); }},
        {"nodes", [](auto& t, auto&) { must(t.read().nodes()); }},
        {"accept", [](auto& t, auto& w) { must(t.perform_one(acceptance(w.account, -1))); }},
        {"claim",
         [](auto& t, auto& w) {
           const auto due =
               must(t.due({.workload = w.large.key, .only = "large.example", .limit = 1}));
           must(t.renew_node(w.node));
           must(t.perform_one(
               Claim{.node = w.node, .batches = {due.domains.at(0).batches.at(0).key}}));
         }},
        {"outcomes",
         [](auto& t, auto& w) {
           OutcomeRecord record{.key = {w.claimed.key.delivery, w.claimed.key.batch, 0}};
           record.outcome.state = RecipientState::delivered;
           must(t.perform_one(Settle{.outcomes = std::span(&record, 1), .releases = {}}));
         }},
        {"append",
         [](auto& t, auto& w) {
           const std::vector<NewRecipient> to{{"late@example.jp", "example.jp", {}}};
           must(t.append_recipients(w.last.key, to));
         }},
        {"what a dead node held", [](auto& t, auto& w) { must(t.offer_again(w.dead, 1'000)); }},
        {"delete", [](auto& t, auto& w) { must(t.delete_delivery(w.doomed.key)); }},
        {"relayed: a piece",
         [](auto& t, auto& w) {
           const RelayedKey key = must(t.begin_relayed(w.node));
           must(t.add_relayed_piece(key, 0, "a message"));
         }},
        {"rates: of a delivery",
         [](auto& t, auto& w) {
           must(t.read().rate_subjects(
               {.account = w.account, .delivery = w.large.key, .from = RateHour{0}}));
         }},
        {"rates: those with a state",
         [](auto& t, auto& w) {
           must(t.read().rate_subjects({.account = w.account}));
           must(t.read().rate_subjects({.account = w.account, .delivery = w.large.key}));
         }},
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
    const auto of_small =
        small.counted->cost(now(), [&](SqliteWriteTransaction& t) { work(t, small); });
    const auto of_large =
        large.counted->cost(now(), [&](SqliteWriteTransaction& t) { work(t, large); });
    fmt::print("{:32}{:>12}{:>12}\n", name, of_small.steps, of_large.steps);
    EXPECT_LE(of_large.steps, of_small.steps + of_small.steps / 2 + 200) << name;
  }
}

// docs/ARCHITECTURE.md, "Statements of the hot operations": what it says is held here.
TEST_F(GrowthTest, HotOperationsTakeAsManyStatementsAsTheTableSays) {
  World world(1);
  fill(world);
  Counted& counted = *world.counted;
  const auto statements = [&](const std::function<void(SqliteWriteTransaction&)>& work) {
    return counted.cost(now(), work).statements;
  };
  // The first of a kind learns what later ones know: ids are reserved, the dictionary is read.
  const auto accept = [&](std::size_t recipients) {
    return [&, recipients](SqliteWriteTransaction& t) {
      Accept one = acceptance(world.account, 1);
      for (std::size_t i = 1; i < recipients; ++i) one.recipients.push_back(one.recipients[0]);
      must(t.perform_one(std::move(one)));
    };
  };
  statements(accept(1));
  EXPECT_EQ(statements(accept(1)), 7);
  EXPECT_EQ(statements(accept(21)), 5 + 2 * 21);
  EXPECT_EQ(statements([&](SqliteWriteTransaction& t) {
              Accept one = acceptance(world.account, 1);
              one.idempotency = {.key = {world.account, KeyedRoute::transaction, sha256("key")}};
              must(t.perform_one(std::move(one)));
            }),
            8)
      << "with an idempotency key";

  std::vector<OutcomeRecord> outcomes(100);
  const auto settle = [&](RecipientState state, std::size_t count, std::uint32_t from,
                          bool release) {
    for (std::size_t i = 0; i < count; ++i) {
      outcomes[i].key = {world.claimed.key.delivery, world.claimed.key.batch,
                         from + static_cast<std::uint32_t>(i)};
      outcomes[i].outcome.state = state;
      outcomes[i].wait.reset();
      if (state == RecipientState::deferred) outcomes[i].wait = Milliseconds(60'000);
    }
    const std::vector<BatchRelease> releases(release ? 1 : 0, {.held = world.claimed.held()});
    return statements([&, releases](SqliteWriteTransaction& t) {
      must(t.perform_one(
          Settle{.outcomes = std::span(outcomes).first(count), .releases = releases}));
    });
  };
  // A kind of outcome is counted thrice: of its delivery, of its account, of all.
  constexpr int kKind = 3;
  settle(RecipientState::delivered, 1, 0, false);
  EXPECT_EQ(settle(RecipientState::delivered, 100, 1, false), 3 + kKind + 100);
  EXPECT_EQ(settle(RecipientState::deferred, 100, 101, false), 2 + kKind + 2 * 100)
      << "no batch ends";
  EXPECT_EQ(settle(RecipientState::delivered, 100, 101, false), 3 + kKind + 4 * 100)
      << "tried before";
  const auto says_begun = [&](std::uint32_t seq, std::size_t with_outcomes) {
    const std::vector marks{BegunMark{world.claimed.held(), begun_bit(seq)}};
    return statements([&](SqliteWriteTransaction& t) {
      must(t.perform_one(Settle{
          .outcomes = std::span(outcomes).first(with_outcomes), .releases = {}, .marks = marks}));
    });
  };
  EXPECT_EQ(says_begun(0, 0), 2);
  EXPECT_EQ(says_begun(0, 0), 1) << "it is known";
  outcomes[0].key.seq = 301;
  EXPECT_EQ(says_begun(8, 1), 3 + kKind + 1) << "none besides";
  EXPECT_EQ(settle(RecipientState::delivered, 100, 201, true), 4 + kKind + 100);

  const auto due = must([&] {
    Result<DueDomains> found;
    statements([&](SqliteWriteTransaction& t) {
      found = t.due({.workload = world.large.key, .only = "large.example", .limit = 8});
    });
    return found;
  }());
  std::vector<BatchKey> keys;
  for (const DueBatch& batch : due.domains.at(0).batches) keys.push_back(batch.key);
  ASSERT_THAT(keys, ::testing::SizeIs(8));
  EXPECT_EQ(statements([&](SqliteWriteTransaction& t) {
              must(t.renew_node(world.node));
              must(t.perform_one(Claim{.node = world.node, .batches = keys}));
            }),
            1 + 1 + 3 * 8 + kBatchRecipientsMax * 8 + 1)
      << "each recipient is asked about";

  EXPECT_EQ(
      statements([&](SqliteWriteTransaction& t) { must(t.due({.workload = world.large.key})); }), 2)
      << "few enough";
  EXPECT_EQ(statements([&](SqliteWriteTransaction& t) {
              must(t.due({.workload = world.large.key, .limit = 2}));
            }),
            3)
      << "by domain";
  EXPECT_EQ(statements([&](SqliteWriteTransaction& t) { must(t.due({.limit = 2})); }), 3);
}

}  // namespace
}  // namespace todoku::store::sqlite
