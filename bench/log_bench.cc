// SPDX-License-Identifier: Apache-2.0
// What a search of the log costs in a large store of which nothing is in memory: the rows are made
// by SQL, the file leaves the page cache before each search. Prints name, value and unit,
// tab-separated.
//
//   todoku_log_bench [--postgres] [--recipients=N] [--searches=N] [--directory=DIR] [--keep]
//                    [--only=NAME]
//
// With --keep the file stays, and the next run with --keep begins with it. --only: one question.
// With --postgres what was made is carried to a server that keeps next to nothing in memory, and
// searched there.
//
// Nine tenths are bulk, in deliveries of 900,000, a tenth are transactions between them; one in a
// hundred bounced with 550, one in a million was dropped. An hour lies between one million and the
// next. Whoever gets transactions has 200 of them, over the whole store.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/random.h"
#include "mail/attempt.h"
#include "store/carry.h"
#include "store/log_search.h"
#include "store/postgres/carry_target.h"
#include "store/postgres/postgres_store.h"
#include "store/records.h"
#include "store/sqlite/carry_source.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sqlite_store.h"
#include "store/walks.h"
#include "support/measure.h"
#include "support/postgres/server.h"

namespace {

using namespace todoku;
using namespace todoku::store;

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kBeginMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z

void print(std::string_view name, double value, std::string_view unit) {
  fmt::print("{}\t{:.{}f}\t{}\n", name, value, value < 100 ? 2 : 0, unit);
  std::fflush(stdout);
}

std::string hex(std::string_view octets) {
  std::string out;
  for (const char c : octets) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

// A story of one attempt, as progress.history has it.
std::string history(RecipientState state, int code, std::string_view text) {
  NoDictionary none;
  std::string packed;
  const Outcome outcome{
      .state = state, .stage = Stage::rcpt_to, .reply = {code, std::string(text)}};
  const Path path{.mx_host = "mx.d.example", .remote_ip = "192.0.2.1", .egress_source = "default"};
  must(append_history(none,
                      {.at = from_epoch_ms(kBeginMs),
                       .duration = Milliseconds(80),
                       .state = state,
                       .outcome = outcome,
                       .path = path},
                      packed));
  return hex(packed);
}

// How many there are in `millions` who get transactions.
constexpr std::int64_t buyers(std::int64_t millions) {
  return millions * 100'000 / 200;
}

// Of email ids from `n * 1,000,000 + 1`: a bulk of 900,000, then 100,000 transactions. Numbers are
// ten times as far apart.
std::string million(std::int64_t n, std::int64_t millions) {
  const std::string state = "CASE WHEN i % 1000000 = 777 THEN 4 WHEN i % 100 = 7 THEN 3 ELSE 2 END";
  const std::string story = fmt::format(
      "CASE WHEN i % 1000000 = 777 THEN x'{}' WHEN i % 100 = 7 THEN x'{}' ELSE x'{}' END",
      history(RecipientState::dropped, 0, "suppressed"),
      history(RecipientState::bounced, 550, "5.1.1 no such user"),
      history(RecipientState::delivered, 250, "2.0.0 Ok: queued as 4F2C1"));
  return fmt::format(
      R"sql(
BEGIN;
INSERT INTO deliveries(key, account, id, type, traffic, status, deleted, at_most_once, created,
  updated, started, expires, finished, total, delivered, bounced, dropped, expired, cancelled,
  unknown, deferred, signing, failure_reason)
  VALUES({base} + 1, 1, {n} * 100001 + 1, 2, 1, 6, 0, 0, {at}, {at}, {at}, {at}, {at}, 900000,
  891000, 9000, 0, 0, 0, 0, 0, '', '');
INSERT INTO contents(delivery, from_address, from_name, encode, unsubscribe_mailto,
  unsubscribe_url, attachments, subject, text_part, html_part)
  VALUES({base} + 1, 'news@example.com', 'News', 0, '', '', 0, 'News', 'text', '');
INSERT INTO sections(id, delivery, state, open_batch) VALUES({base} + 1, {base} + 1, 1, NULL);
WITH RECURSIVE c(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM c WHERE k < 1799)
  INSERT INTO batches(number, delivery, account, section, traffic, domain, first_email_id,
  capacity, size, removed, open, created, token, holder)
  SELECT {base} + 2 + k, {base} + 1, 1, {base} + 1, 1, 'd.example', {n} * 1000000 + 1 + k * 500,
  500, 500, 0, 0, {at}, 1, 0 FROM c;
WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 899999)
  INSERT INTO recipients(id, address, codes, created, updated)
  SELECT (({base} + 2 + i / 500) << 9) | (i % 500),
  'user' || ({n} * 1000000 + i) || '@', NULL, NULL, NULL FROM c;
WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 899999)
  INSERT INTO progress(id, info, due, history)
  SELECT (({base} + 2 + i / 500) << 9) | (i % 500), 8 | {state}, NULL, {story} FROM c;
WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 99999)
  INSERT INTO deliveries(key, account, id, type, traffic, status, deleted, at_most_once, created,
  updated, started, expires, finished, total, delivered, bounced, dropped, expired, cancelled,
  unknown, deferred, signing, failure_reason)
  SELECT {base} + 2000 + i, 1, {n} * 100001 + 2 + i, 1, 0, 6, 0, 0, {at} + i * 36, {at} + i * 36,
  {at} + i * 36, {at}, {at}, 1, 1, 0, 0, 0, 0, 0, 0, '', '' FROM c;
WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 99999)
  INSERT INTO contents(delivery, from_address, from_name, encode, unsubscribe_mailto,
  unsubscribe_url, attachments, subject, text_part, html_part)
  SELECT {base} + 2000 + i, 'shop@example.com', 'Shop', 0, '', '', 0, 'Your order',
  'Thank you for your order', '' FROM c;
WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 99999)
  INSERT INTO batches(number, delivery, account, section, traffic, domain, first_email_id, capacity,
  size, removed, open, created, token, holder)
  SELECT {base} + 2000 + i, {base} + 2000 + i, 1, NULL, 0, 'd.example', {n} * 1000000 + 900001 + i,
  1, 1, 0, 0, {at} + i * 36, 1, 0 FROM c;
WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 99999)
  INSERT INTO recipients(id, address, codes, created, updated) SELECT ({base} + 2000 + i) << 9,
  'buyer' || (({n} * 100000 + i) % {buyers}) || '@', NULL, NULL, NULL FROM c;
WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 99999)
  INSERT INTO progress(id, info, due, history)
  SELECT ({base} + 2000 + i) << 9, 10, NULL, x'{sent}' FROM c;
WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 899999)
  INSERT INTO not_sent SELECT 1, {state}, {n} * 1000000 + 1 + i,
  CASE WHEN i % 1000000 = 777 THEN 554 ELSE 550 END FROM c WHERE {state} <> 2;
COMMIT;
)sql",
      fmt::arg("n", n), fmt::arg("buyers", buyers(millions)),
      fmt::arg("base", (n + 1) * 10 * kMillion), fmt::arg("state", state), fmt::arg("story", story),
      fmt::arg("at", kBeginMs + n * kHourMs),
      fmt::arg("sent", history(RecipientState::delivered, 250, "2.0.0 Ok: queued as 4F2C1")));
}

// What this process has read (proc(5), /proc/pid/io).
struct Reads {
  std::int64_t calls = 0;
  std::int64_t octets = 0;  // from the disk
};
Reads reads_so_far() {
  std::ifstream file("/proc/self/io");
  std::string word;
  Reads reads;
  while (file >> word) {
    if (word == "syscr:") file >> reads.calls;
    if (word == "read_bytes:") file >> reads.octets;
  }
  return reads;
}

// A store that was just opened looks after its index first.
void wait_for_rest() {
  using namespace std::chrono_literals;
  // Looking costs calls itself, always as many.
  const auto a_look = [] {
    const std::int64_t before = reads_so_far().calls;
    return reads_so_far().calls - before;
  }();
  for (int quiet = 0; quiet < 3;) {
    const std::int64_t before = reads_so_far().calls;
    std::this_thread::sleep_for(20ms);
    quiet = reads_so_far().calls - before <= a_look ? quiet + 1 : 0;
  }
}

class Bench {
 public:
  struct Options {
    std::filesystem::path directory = std::filesystem::temp_directory_path();
    std::int64_t recipients = kMillion;
    int searches = 40;
    bool keep = false;
    std::string only;
  };
  explicit Bench(Options options)
      : options_(std::move(options)),
        path_(options_.directory / "log_bench.db"),
        millions_(std::max<std::int64_t>(options_.recipients / kMillion, 1)) {
    if (!options_.keep) std::filesystem::remove(path_);
  }
  ~Bench() {
    if (options_.keep) return;
    for (const char* end : {"", "-wal", "-shm", ".lock"}) {
      std::filesystem::remove(path_.string() + end);
    }
  }

  void fill() {
    if (std::filesystem::exists(path_)) return;
    const auto began = std::chrono::steady_clock::now();
    {
      const auto store = open();
      must(store->write_and_wait(WritePriority::accept,
                                 [](WriteTransaction& t) { return t.create_account("acme"); }));
    }
    const auto db = must(sqlite::Connection::open(
        {.path = path_.string(), .vfs = {}, .cache_kib = 262'144, .synchronous = "OFF"}));
    for (std::int64_t n = 0; n < millions_; ++n) {
      must(db->execute(million(n, millions_).c_str()));
      must(db->execute("PRAGMA wal_checkpoint(TRUNCATE)"));  // else all is on the disk twice
    }
    must(db->execute(fmt::format("UPDATE accounts SET next_email_id = {0}, next_delivery_id = {0};"
                                 "UPDATE meta SET value = {1} WHERE name = 'next_number'; ANALYZE;"
                                 "PRAGMA wal_checkpoint(TRUNCATE)",
                                 millions_ * kMillion + 1, (millions_ + 2) * 10 * kMillion)
                         .c_str()));
    print("log_fill", seconds_since(began), "s");
  }

  // The look-up by address is made in the background.
  void wait_for_index() {
    const auto began = std::chrono::steady_clock::now();
    const auto store = open();
    const auto db = must(sqlite::Connection::open(
        {.path = path_.string(), .vfs = {}, .access = sqlite::Connection::Access::reads}));
    const std::int64_t last = must(db->integer("SELECT max(id) FROM recipients"));
    constexpr std::int64_t kTail = std::int64_t{16'384}
                                   << 9U;  // SqliteStore::Options::unindexed_max
    while (must(db->integer("SELECT value FROM meta WHERE name = 'address_indexed'")) <
           last - kTail) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    // Then its runs are merged, one merge after the other.
    constexpr int kQuietLooks = 20;
    for (int quiet = 0; quiet < kQuietLooks; ++quiet) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (must(db->integer("SELECT count(*) FROM address_runs WHERE state <> 2")) > 0) quiet = 0;
    }
    print("log_index_runs",
          static_cast<double>(must(db->integer("SELECT count(*) FROM address_runs"))), "runs");
    print("log_index", seconds_since(began), "s");
    print("log_octets_a_recipient",
          static_cast<double>(std::filesystem::file_size(path_)) /
              static_cast<double>(millions_ * kMillion),
          "octets");
  }

  // From here on everything is asked of a server.
  void carry_to_server() {
    const auto began = std::chrono::steady_clock::now();
    server_ = std::make_unique<PostgresServer>(
        std::vector<std::string>{"shared_buffers=1MB", "max_wal_size=4GB", "fsync=off"});
    database_ = server_->make_database();
    {
      const auto source = must(SqliteCarrySource::open(
          {.path = path_, .clock = &clock_, .lock_wait = {}, .to = "bench"}));
      const auto target = must(postgres::CarryTarget::open(
          {.address = server_->address(database_), .password = {}}, true));
      (void)must(carry_store(*source, *target, [](const CarryStep&) {}));
    }
    server_->execute(database_, "VACUUM ANALYZE");
    server_->execute(database_, "CHECKPOINT");
    print("log_carry", seconds_since(began), "s");
    const std::string size = server_->ask(database_, "SELECT pg_database_size(current_database())");
    print("log_octets_a_recipient", std::stod(size) / static_cast<double>(millions_ * kMillion),
          "octets");
  }

  // The p95 of searches that begin with nothing in memory.
  void search(std::string_view name, const std::function<LogFilter(SeededRandom&)>& filter) {
    if (!options_.only.empty() && options_.only != name) return;
    const int searches = options_.searches;
    SeededRandom random(7);
    std::vector<double> took;
    std::size_t rows = 0;
    Reads reads;
    for (int i = 0; i < searches; ++i) {
      const auto store = store_to_search();
      wait_for_rest();
      forget();
      LogSearch log(filter(random));
      const Reads before = reads_so_far();
      const auto began = std::chrono::steady_clock::now();
      must(walk_and_wait(*store, log));
      took.push_back(seconds_since(began) * 1'000);
      const Reads after = reads_so_far();
      reads.calls += after.calls - before.calls;
      reads.octets += after.octets - before.octets;
      rows += log.take().size();
    }
    std::ranges::sort(took);
    print(fmt::format("log_{}_median", name), took[took.size() / 2], "ms");
    print(fmt::format("log_{}_p95", name), took[took.size() * 95 / 100], "ms");
    print(fmt::format("log_{}_rows", name),
          static_cast<double>(rows) / static_cast<double>(searches), "rows");
    if (server_) return;  // it is another process that reads
    print(fmt::format("log_{}_reads", name),
          static_cast<double>(reads.calls) / static_cast<double>(searches), "calls");
    print(fmt::format("log_{}_from_disk", name),
          static_cast<double>(reads.octets) / 4'096 / static_cast<double>(searches), "pages");
  }

  [[nodiscard]] std::int64_t any_million(SeededRandom& random) const {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(millions_)));
  }
  [[nodiscard]] std::int64_t any_buyer(SeededRandom& random) const {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(buyers(millions_))));
  }

 private:
  static double seconds_since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
  [[nodiscard]] std::unique_ptr<Store> store_to_search() const {
    if (!server_) return open();
    return must(PostgresStore::open(
        {.dial = {.address = server_->address(database_), .password = {}}, .must_keep = true}));
  }
  [[nodiscard]] std::unique_ptr<SqliteStore> open() const {
    SqliteStore::Options options;
    options.path = path_;
    options.clock = &clock_;
    options.question_max = Milliseconds(10'000);  // it is timed, not given up
    return must(SqliteStore::open(options));
  }
  void forget() const {
    if (!server_) return forget(path_);
    std::error_code gone;  // the server removes files of its own
    const std::filesystem::path folder = server_->socket().parent_path();
    for (auto it = std::filesystem::recursive_directory_iterator(folder, gone);
         it != std::filesystem::recursive_directory_iterator(); it.increment(gone)) {
      if (it->is_regular_file(gone)) forget(it->path());
    }
  }
  static void forget(const std::filesystem::path& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    (void)::fdatasync(file);
    (void)::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
  }

  SystemClock clock_;
  std::unique_ptr<PostgresServer> server_;  // nullptr: SQLite is searched
  std::string database_;
  const Options options_;
  const std::filesystem::path path_;
  const std::int64_t millions_;
};

std::int64_t number_in(std::string_view argument) {
  const std::string_view text = argument.substr(argument.find('=') + 1);
  std::int64_t value = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  Bench::Options options;
  bool on_server = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--postgres") on_server = true;
    if (argument == "--keep") options.keep = true;
    if (argument.starts_with("--recipients=")) options.recipients = number_in(argument);
    if (argument.starts_with("--searches=")) {
      options.searches = static_cast<int>(number_in(argument));
    }
    if (argument.starts_with("--directory=")) options.directory = argument.substr(12);
    if (argument.starts_with("--only=")) options.only = argument.substr(7);
  }
  Bench bench(std::move(options));
  bench.fill();
  if (on_server) {
    bench.carry_to_server();
  } else {
    bench.wait_for_index();
  }
  const AccountKey owner{1};
  bench.search("newest_first", [&](SeededRandom& random) {
    return LogFilter{.account = owner,
                     .below = (bench.any_million(random) + 1) * kMillion - 50'000};
  });
  bench.search("bulk_newest_first", [&](SeededRandom& random) {
    return LogFilter{.account = owner, .below = bench.any_million(random) * kMillion + 600'000};
  });
  bench.search("address", [&](SeededRandom& random) {
    return LogFilter{.account = owner,
                     .address = fmt::format("buyer{}@d.example", bench.any_buyer(random))};
  });
  bench.search("delivery_and_status", [&](SeededRandom& random) {
    return LogFilter{.account = owner,
                     .delivery = bench.any_million(random) * 100'001 + 1,
                     .states = {RecipientState::bounced}};
  });
  bench.search("code_within_a_day", [&](SeededRandom& random) {
    const Instant from = from_epoch_ms(kBeginMs + bench.any_million(random) * kHourMs);
    return LogFilter{.account = owner,
                     .codes = {550},
                     .start_from = from,
                     .start_to = from + std::chrono::hours(24)};
  });
  bench.search("one_in_a_million", [&](SeededRandom& random) {
    return LogFilter{.account = owner,
                     .below = (bench.any_million(random) + 1) * kMillion,
                     .limit = 1,
                     .states = {RecipientState::dropped}};
  });
  bench.search("sent_within_a_day", [&](SeededRandom& random) {
    const Instant from = from_epoch_ms(kBeginMs + bench.any_million(random) * kHourMs);
    return LogFilter{.account = owner,
                     .states = {RecipientState::delivered},
                     .start_from = from,
                     .start_to = from + std::chrono::hours(24)};
  });
  return 0;
}
