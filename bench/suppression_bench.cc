// SPDX-License-Identifier: Apache-2.0
// What it costs to ask whether an address is stopped (docs/adr/0021), with a list of so many
// entries: processor time of a look-up, and of a claim's and an accept's mails beside an empty
// list. One figure per line: name<TAB>value<TAB>unit. SQLite, without its disk.
//
//   todoku_suppression_bench [--quick] [--entries=N]
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "base/random.h"
#include "store/sqlite/address_index.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/stop_filter.h"
#include "store/sqlite/transactions.h"
#include "support/measure.h"

namespace todoku::store::sqlite {
namespace {

constexpr std::int64_t kGroup = 1'000;

void print(std::string_view name, double value, std::string_view unit) {
  fmt::print("{}\t{:.2f}\t{}\n", name, value, unit);
  std::fflush(stdout);
}

std::string subject(std::int64_t number) {
  return fmt::format("reader{}@example{}.jp", number, number % 1'000);
}

class Listed {
 public:
  explicit Listed(const std::filesystem::path& folder)
      : db_(must(Connection::open({.path = (folder / "bench.db").string(),
                                   .vfs = {},
                                   .create = true,
                                   .cache_kib = 65'536,
                                   .synchronous = "OFF"}))) {
    must(prepare_schema(*db_));
    const AddressHash hash = must(load_address_hash(*db_));
    transaction_ = std::make_unique<SqliteWriteTransaction>(*db_, figures_, hash);
    queries_ = std::make_unique<Queries>(*db_, figures_, hash);
    commit([&] {
      account_ = must(transaction_->create_account("bench", false)).key;
      node_ = must(transaction_->enter_node({.name = "bench", .roles = "", .version = ""}));
    });
  }

  // Entries in the order of their places, and their indices afterwards: what else fills a page at a
  // time would take hours with so many.
  void fill(std::int64_t entries) {
    std::vector<std::pair<std::int64_t, std::int64_t>> places;
    places.reserve(static_cast<std::size_t>(entries));
    for (std::int64_t i = 0; i < entries; ++i) {
      places.emplace_back(queries_->suppression_place(account_, subject(i)), i);
    }
    std::ranges::sort(places);
    std::vector<std::string> indices;
    {
      auto query = db_->query(
          "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'suppressions'"
          " AND sql IS NOT NULL");
      while (query.next()) indices.emplace_back(query.text(0));
    }
    must(
        db_->execute("DROP INDEX suppressions_created; DROP INDEX suppressions_errors;"
                     "DROP INDEX suppressions_updated; DROP INDEX suppressions_expires;"
                     "BEGIN IMMEDIATE"));
    std::int64_t before = -1;
    for (const auto& [place, number] : places) {
      before = std::max(place, before + 1);  // two of one place: the next seat
      must(db_->query("INSERT INTO suppressions VALUES(?1, ?2, ?3, 1, '', 1, 1, 2, '', 550,"
                      " '5.1.1 no such user here', ?4, 1, ?4, NULL, ?4, ?4)")
               .bind(before, account_, std::string_view(subject(number)), number)
               .run());
    }
    must(db_->execute("COMMIT"));
    for (const std::string& sql : indices) must(db_->execute(sql.c_str()));
  }

  // As a store does when it is opened, on a thread of its own.
  void make_filter() {
    StopFilterMaker maker(*db_, figures_.stops,
                          [this](const StopFilterMaker::Change& change) { return change(*db_); });
    const double took = cpu_us([&] {
      while (must(maker.step())) {
      }
    });
    print("make_filter_cpu", took / 1e6, "s");
  }

  // Of addresses that are on the list, or are not: those next to them.
  void look(std::string_view name, std::int64_t from, std::int64_t entries, std::int64_t mails) {
    SeededRandom random(7);
    std::int64_t stopped = 0;
    queries_->set_now(clock_.now());
    must(db_->execute("BEGIN"));
    const double took = cpu_us([&] {
      for (std::int64_t i = 0; i < mails; ++i) {
        const auto which =
            from + static_cast<std::int64_t>(random.next() % static_cast<std::uint64_t>(entries));
        stopped +=
            must(queries_->stopped(account_, subject(which), Purpose::advertisement, "")) ? 1 : 0;
      }
    });
    must(db_->execute("COMMIT"));
    check(stopped == (from == 0 ? mails : 0), "each is known");
    print(name, took / static_cast<double>(mails), "us/mail");
  }

  // Of a bulk to addresses that are not on the list, claimed batch by batch.
  void claim(std::string_view name, std::int64_t mails) {
    DeliveryKey key{};
    commit([&] {
      NewDelivery wanted{.account = account_,
                         .type = DeliveryType::bulk,
                         .traffic = TrafficClass::bulk,
                         .content = {}};
      wanted.content.from = {"sender@example.com", "Sender"};
      wanted.content.subject = "News";
      wanted.content.text_part = "x";
      key = must(transaction_->create_draft(wanted, 1'000)).key;
      for (std::int64_t done = 0; done < mails; done += kGroup) {
        std::vector<NewRecipient> recipients;
        for (std::int64_t i = 0; i < kGroup; ++i) {
          recipients.push_back({fmt::format("other{}@example.org", done + i), "example.org", {}});
        }
        must(transaction_->append_recipients(key, recipients));
      }
      must(transaction_->commit_draft(key, std::nullopt, {}));
      must(transaction_->start_delivery(key, "", kLifeTime));
    });
    double took = 0;
    std::int64_t claimed = 0;
    while (claimed < mails) {
      commit([&] {
        must(transaction_->renew_node(node_));
        const auto due = must(transaction_->due({.workload = key, .only = "example.org"}));
        std::vector<BatchKey> keys;
        for (const DueBatch& batch : due.domains.at(0).batches) keys.push_back(batch.key);
        took += cpu_us([&] {
          const auto answer =
              must(transaction_->perform_one(Claim{.node = node_, .batches = keys}));
          for (const auto& batch : answer.batches) {
            if (batch) claimed += std::ssize(batch->recipients);
          }
        });
      });
    }
    print(name, took / static_cast<double>(mails), "us/mail");
  }

 private:
  static constexpr Milliseconds kLifeTime = std::chrono::hours(24);

  void commit(const std::function<void()>& work) {
    must(db_->execute("BEGIN IMMEDIATE"));
    transaction_->set_now(clock_.now());
    work();
    must(transaction_->write_events());
    must(db_->execute("COMMIT"));
    transaction_->committed();
  }

  SystemClock clock_;
  LiveFigures figures_;
  std::unique_ptr<Connection> db_;
  std::unique_ptr<SqliteWriteTransaction> transaction_;
  std::unique_ptr<Queries> queries_;
  AccountKey account_{};
  NodeKey node_{};
};

}  // namespace
}  // namespace todoku::store::sqlite

int main(int argc, char** argv) {
  std::int64_t entries = 10'000'000;
  std::int64_t mails = 500'000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    constexpr std::string_view kEntries = "--entries=";
    if (option == "--quick") {
      entries = 100'000;
      mails = 50'000;
    } else if (option.starts_with(kEntries)) {
      std::from_chars(option.data() + kEntries.size(), option.data() + option.size(), entries);
    }
  }
  std::string folder = std::filesystem::temp_directory_path() / "todoku-suppression-bench-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  {
    todoku::store::sqlite::Listed listed(folder);
    listed.claim("claim_cpu_empty", mails);
    listed.look("look_cpu_empty", entries, entries, mails);
    listed.fill(entries);
    listed.make_filter();
    listed.look("look_cpu_absent", entries, entries, mails);
    listed.look("look_cpu_listed", 0, entries, mails);
    listed.claim("claim_cpu_full", mails);
  }
  std::filesystem::remove_all(folder);
  return 0;
}
