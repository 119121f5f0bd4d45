// SPDX-License-Identifier: Apache-2.0
// How long it takes to carry a store of SQLite to PostgreSQL: recipients a second, with what is
// read back and compared, and the memory of this process. Half of the recipients have a story.
//
//   todoku_carry_bench [--quick]
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "store/carry.h"
#include "store/postgres/carry_target.h"
#include "store/sqlite/carry_source.h"
#include "store/sqlite/sqlite_store.h"
#include "support/measure.h"
#include "support/postgres/server.h"

namespace todoku::store {
namespace {

constexpr int kMany = 1'000'000;
constexpr int kFew = 50'000;
constexpr int kAtOnce = 1'000;
constexpr Milliseconds kLifeTime = std::chrono::hours(24);

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

void fill(const std::filesystem::path& path, const Clock& clock, int count) {
  SqliteStore::Options options;
  options.path = path;
  options.clock = &clock;
  options.synchronous = SqliteStore::Synchronous::off;
  const auto store = must(SqliteStore::open(options));
  const auto write = [&](auto work) {
    return must(store->write_and_wait(WritePriority::import, std::move(work)));
  };
  const Account account = write([](WriteTransaction& t) { return t.create_account("bench"); });
  NewDelivery bulk;
  bulk.account = account.key;
  bulk.type = DeliveryType::bulk;
  bulk.traffic = TrafficClass::bulk;
  bulk.content.from = {"news@example.com", "News"};
  bulk.content.subject = "News";
  bulk.content.text_part = "Good morning";
  const Delivery made = write([&](WriteTransaction& t) { return t.create_draft(bulk, 10); });
  for (int first = 0; first < count; first += kAtOnce) {
    std::vector<NewRecipient> recipients;
    for (int i = first; i < first + kAtOnce; ++i) {
      const std::string domain = fmt::format("d{}.example", i % 7);
      recipients.push_back({fmt::format("taro.yamada{}@{}", i, domain),
                            domain,
                            {{"__name__", fmt::format("N{:09}", i)}}});
    }
    write([&](WriteTransaction& t) { return t.append_recipients(made.key, recipients); });
  }
  write([&](WriteTransaction& t) { return t.commit_draft(made.key, std::nullopt, {}); });
  write([&](WriteTransaction& t) { return t.start_delivery(made.key, "s1", kLifeTime); });
  std::int64_t from = 0;
  for (int settled = 0; settled < count / 2;) {
    const auto open =
        must(store->read_and_wait([&](ReadTransaction& t) { return t.open_recipients(from, 8); }));
    std::vector<OutcomeRecord> outcomes;
    for (const RecipientKey& key : open.recipients) {
      OutcomeRecord record;
      record.key = key;
      record.duration = Milliseconds(150);
      record.outcome.state = RecipientState::delivered;
      record.outcome.stage = Stage::accepted;
      record.outcome.reply = {250, fmt::format("2.0.0 Ok: queued as {:08X}", key.seq * 7919U)};
      record.path = {"mx1.example.jp", "192.0.2.25", "main", TlsUse::verified, "TLSv1.3"};
      outcomes.push_back(record);
    }
    settled += static_cast<int>(outcomes.size());
    (void)must(store->perform_and_wait(Settle{.outcomes = outcomes}));
    if (!open.next) break;
    from = *open.next;
  }
}

void measure(int count) {
  const SystemClock clock;
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("todoku-carry-bench-{}", ::getpid());
  std::filesystem::create_directories(folder);
  const auto path = folder / "todoku.db";
  const auto filled = SteadyClock::now();
  fill(path, clock, count);
  fmt::print("fill\t{:.1f}\ts\n", seconds_since(filled));
  const PostgresDatabase database;
  const auto began = SteadyClock::now();
  double compared = 0;
  {
    const auto source = must(
        SqliteCarrySource::open({.path = path, .clock = &clock, .lock_wait = {}, .to = "bench"}));
    const auto target =
        must(postgres::CarryTarget::open({.address = database.address(), .password = {}}, true));
    (void)must(carry_store(*source, *target, [&](const CarryStep& step) {
      if (step.comparing && compared == 0) compared = seconds_since(began);
    }));
  }
  const double whole = seconds_since(began);
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  fmt::print("carry\t{:.0f}\trecipients/s\n", count / compared);
  fmt::print("compare\t{:.0f}\trecipients/s\n", count / (whole - compared));
  fmt::print("carry_and_compare\t{:.0f}\trecipients/s\n", count / whole);
  fmt::print("memory_most\t{:.0f}\tMiB\n", static_cast<double>(used.ru_maxrss) / 1024);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace todoku::store

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  todoku::PostgresServer::make_durable();
  todoku::store::measure(quick ? todoku::store::kFew : todoku::store::kMany);
  return 0;
}
