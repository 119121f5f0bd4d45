// SPDX-License-Identifier: Apache-2.0
// What the store costs: rows in, claims, outcomes and transactions per second, bytes a recipient,
// look-up by address. Prints name, value and unit, tab-separated.
//
//   todoku_store_bench [--quick] [--recipients=N] [--directory=DIR]
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/random.h"
#include "store/sqlite/sqlite_store.h"
#include "store/walks.h"
#include "support/measure.h"

namespace {

using namespace todoku;
using namespace todoku::store;

constexpr std::size_t kRowsPerWork = 1'000;
constexpr std::int64_t kBatchesPerClaim = 16;
constexpr std::int64_t kDomainsPerPage = 256;
constexpr Milliseconds kLifeTime = std::chrono::hours(24);

using Seconds = std::chrono::duration<double>;

void print(std::string_view name, double value, std::string_view unit) {
  fmt::print("{}\t{:.{}f}\t{}\n", name, value, value < 100 ? 2 : 0, unit);
  std::fflush(stdout);
}

double seconds_of(const std::function<void()>& run) {
  const auto began = std::chrono::steady_clock::now();
  run();
  return Seconds(std::chrono::steady_clock::now() - began).count();
}

void expect(bool holds, std::string_view what) {
  if (holds) return;
  fmt::print(stderr, "wrong: {}\n", what);
  std::exit(1);
}

// Lets at most `limit` operations wait at once, as a producer with a bounded queue does.
class Window {
 public:
  explicit Window(std::size_t limit) : limit_(limit) {}

  // `look` is given the answer, on a thread of the store.
  template <class Op, class Look>
  void submit(Store& store, Op op, Look look) {
    {
      std::unique_lock lock(mutex_);
      freed_.wait(lock, [&] { return open_ < limit_; });
      ++open_;
    }
    store.submit(std::move(op), [this, look = std::move(look)](Result<typename Op::Answer> answer) {
      look(must(std::move(answer)));
      const std::lock_guard lock(mutex_);
      --open_;
      freed_.notify_all();
    });
  }
  void wait() {
    std::unique_lock lock(mutex_);
    freed_.wait(lock, [&] { return open_ == 0; });
  }

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::size_t open_ = 0;
};

// Addresses as a large Japanese list has them: a few giants, some large, a long tail.
struct Addresses {
  static constexpr std::string_view kLarge[] = {
      "gmail.com",  "docomo.ne.jp", "yahoo.co.jp", "ezweb.ne.jp",   "icloud.com",
      "outlook.jp", "hotmail.com",  "au.com",      "i.softbank.jp", "nifty.com"};
  static constexpr int kShare[] = {34, 14, 12, 8, 7, 4, 3, 3, 3, 2};

  [[nodiscard]] static std::string domain(std::uint64_t index) {
    auto place = static_cast<int>(SeededRandom(index).below(100));
    for (std::size_t i = 0; i < std::size(kLarge); ++i) {
      place -= kShare[i];
      if (place < 0) return std::string(kLarge[i]);
    }
    return fmt::format("company{}.co.jp", SeededRandom(index * 31).below(40'000));
  }
  [[nodiscard]] static NewRecipient recipient(std::uint64_t index) {
    NewRecipient made;
    made.domain = domain(index);
    made.address = fmt::format("taro.yamada{}@{}", index, made.domain);
    made.insert_codes.push_back({"__name__", fmt::format("N{:09}", index % 1'000'000'000)});
    return made;
  }
};

NewDelivery new_delivery(AccountKey account, DeliveryType type) {
  NewDelivery delivery;
  delivery.account = account;
  delivery.type = type;
  delivery.traffic = type == DeliveryType::bulk ? TrafficClass::bulk : TrafficClass::transactional;
  delivery.content.from = {"news@example.com", "Example"};
  delivery.content.subject = "Your order __name__";
  delivery.content.text_part = std::string(1'500, 'x');
  return delivery;
}

// Synced appends of one 4 KB page each, one at a time: what a single commit must cost at least.
void disk(const std::filesystem::path& directory) {
  const std::string path = directory / "sync.probe";
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0600);
  const std::string page(4096, 'p');
  int done = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (std::chrono::steady_clock::now() < end) {
    if (::pwrite(file, page.data(), page.size(), static_cast<off_t>(page.size()) * done) < 0 ||
        ::fdatasync(file) != 0) {
      std::exit(1);
    }
    ++done;
  }
  ::close(file);
  std::filesystem::remove(path);
  print("fdatasync_single", done, "1/s");
}

class Bench {
 public:
  Bench(std::filesystem::path directory, std::uint64_t recipients)
      : directory_(std::move(directory)), recipients_(recipients) {
    open();
    account_ = must(store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
                 return t.create_account("bench");
               })).key;
    node_ = must(store_->write_and_wait(WritePriority::claims, [&](WriteTransaction& t) {
      return t.enter_node({.name = "bench", .roles = "bench", .version = "0"});
    }));
  }

  void import() {
    key_ = must(store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
             return t.create_draft(new_delivery(account_, DeliveryType::bulk), 1);
           })).key;
    const ImportJob job =
        must(store_->write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
          return t.create_import(key_, {.upload = "bench.csv"}, node_);
        }));
    Window window(8);
    double making = 0;
    const double took = seconds_of([&] {
      for (std::uint64_t at = 0; at < recipients_; at += kRowsPerWork) {
        std::vector<NewRecipient> rows;
        making += seconds_of([&] {
          for (std::uint64_t i = at; i < std::min(at + kRowsPerWork, recipients_); ++i) {
            rows.push_back(Addresses::recipient(i));
          }
        });
        window.submit(*store_,
                      StageRows{.job = job.id,
                                .account = account_,
                                .node = node_,
                                .recipients = std::move(rows),
                                .percentage = 50},
                      [](const Staged&) {});
      }
      window.wait();
    });
    print("import_rows", static_cast<double>(recipients_) / took, "rows/s");
    print("import_making_rows", static_cast<double>(recipients_) / making, "rows/s");
    const double visible = seconds_of([&] {
      must(store_->write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
        return t.end_import(job.id, account_, {}, node_);
      }));
    });
    print("end_import", visible * 1e3, "ms");
    const double start = seconds_of([&] {
      must(store_->write_and_wait(WritePriority::claims, [&](WriteTransaction& t) -> Result<void> {
        auto done = t.commit_draft(key_, std::nullopt, {});
        if (!done) return done;
        return t.start_delivery(key_, "sel", kLifeTime);
      }));
    });
    print("commit_and_start", start * 1e3, "ms");
  }

  void claim() {
    std::vector<std::string> domains;
    std::optional<std::string> after;
    double first_page = 0;
    do {
      DueDomains page;
      const double look = seconds_of([&] {
        page = must(store_->perform_and_wait(
            Due{.workload = key_, .after = after, .limit = kDomainsPerPage}));
      });
      if (!after) first_page = look;
      for (DueDomain& due : page.domains) domains.push_back(std::move(due.domain));
      after = page.next;
    } while (after);
    print("due_domains", first_page * 1e3, "ms");
    std::uint64_t rows = 0;
    const double took = seconds_of([&] {
      for (const std::string& domain : domains) {
        while (const auto leased = claim_of(domain)) rows += leased;
      }
    });
    expect(rows == recipients_, "not everything was leased");
    print("claim_rows", static_cast<double>(rows) / took, "rows/s");
    print("claim_rows_per_batch", static_cast<double>(rows) / static_cast<double>(leases_.size()),
          "rows");
  }

  // Each batch is released along with its outcomes.
  void outcomes() {
    Window window(4);
    std::uint64_t made = 0;
    Told told;
    const double took = seconds_of([&] {
      for (const auto& [held, size] : leases_) {
        for (std::uint32_t seq = 0; seq < size; ++seq) {
          OutcomeRecord& record = told.outcomes.emplace_back();
          record.key = {held.key.delivery, held.key.batch, seq};
          record.duration = Milliseconds(140);
          record.outcome.state = RecipientState::delivered;
          record.outcome.stage = Stage::accepted;
          record.outcome.reply = {250, fmt::format("2.0.0 Ok: queued as {:012X}", ++made * 7919)};
          record.path = {"mx.example.jp", "192.0.2.1", "default", TlsUse::verified,
                         "TLSv1.3 TLS_AES_256_GCM_SHA384"};
        }
        told.releases.push_back({.held = held});
        if (told.outcomes.size() >= kRowsPerWork) tell(window, std::exchange(told, {}));
      }
      tell(window, std::move(told));
      window.wait();
    });
    print("outcomes", static_cast<double>(made) / took, "rows/s");
    const Delivery sent =
        must(store_->read_and_wait([&](ReadTransaction& t) { return t.delivery(key_); }));
    expect(sent.status == DeliveryStatus::sent, "the delivery has not ended");
  }

  // For less than a node's lease: what is accepted is leased to it.
  void accept(double seconds, std::size_t submitters) {
    renew();
    std::atomic<std::uint64_t> accepted{0};
    std::mutex mutex;
    std::vector<double> latencies;
    const auto commits_before = store_->figures().commits;
    const auto end = std::chrono::steady_clock::now() + Seconds(seconds);
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < submitters; ++n) {
      threads.emplace_back([&, n] {
        std::vector<double> own;
        std::uint64_t index = 1'000'000'000ULL + n * 10'000'000ULL;
        while (std::chrono::steady_clock::now() < end) {
          Accept item{.delivery = new_delivery(account_, DeliveryType::transaction),
                      .recipients = {Addresses::recipient(index++)},
                      .signing = "sel",
                      .life_time = kLifeTime,
                      .holder = node_};
          own.push_back(seconds_of([&] {
            const auto answer = must(store_->perform_and_wait(std::move(item)));
            expect(!answer.batches.empty(), "what was accepted is not leased");
          }));
          ++accepted;
        }
        const std::lock_guard lock(mutex);
        latencies.insert(latencies.end(), own.begin(), own.end());
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::ranges::sort(latencies);
    const auto commits = static_cast<double>(store_->figures().commits - commits_before);
    print(fmt::format("accept_{}", submitters), static_cast<double>(accepted) / seconds, "1/s");
    print(fmt::format("accept_{}_p50", submitters), latencies[latencies.size() / 2] * 1e3, "ms");
    print(fmt::format("accept_{}_p99", submitters), latencies[latencies.size() * 99 / 100] * 1e3,
          "ms");
    print(fmt::format("accept_{}_group", submitters), static_cast<double>(accepted) / commits,
          "accepts/commit");
  }

  void size() {
    store_.reset();  // orderly, so that the log is in the file
    const auto bytes = static_cast<double>(std::filesystem::file_size(path()));
    print("bytes_per_recipient", bytes / static_cast<double>(recipients_), "bytes");
    open();
  }

  void look_up() {
    std::vector<double> latencies;
    SeededRandom random(42);
    for (int i = 0; i < 500; ++i) {
      const std::string address = Addresses::recipient(random.below(recipients_)).address;
      latencies.push_back(seconds_of([&] {
        StorySearch search(address, std::nullopt, 10);
        must(walk_and_wait(*store_, search));
        if (search.take().size() != 1) std::exit(1);
      }));
    }
    print("look_up_first", latencies.front() * 1e3, "ms");
    std::ranges::sort(latencies);
    print("look_up_p50", latencies[latencies.size() / 2] * 1e3, "ms");
    print("look_up_p99", latencies[latencies.size() * 99 / 100] * 1e3, "ms");
  }

 private:
  [[nodiscard]] std::filesystem::path path() const { return directory_ / "bench.db"; }

  void open() {
    SqliteStore::Options options;
    options.path = path();
    options.clock = &clock_;
    store_ = must(SqliteStore::open(options));
  }

  struct Lease {
    HeldBatch held;
    std::size_t size;
  };
  // What a Settle refers to.
  struct Told {
    std::vector<OutcomeRecord> outcomes;
    std::vector<BatchRelease> releases;
  };

  void renew() {
    must(store_->write_and_wait(WritePriority::claims,
                                [&](WriteTransaction& t) { return t.renew_node(node_); }));
    renewed_ = clock_.steady_now();
  }

  // Looks for batches of a domain and claims them; how many recipients they have.
  std::uint64_t claim_of(const std::string& domain) {
    if (clock_.steady_now() - renewed_ >= kRenewEvery) renew();
    const auto due = must(
        store_->perform_and_wait(Due{.workload = key_, .only = domain, .limit = kBatchesPerClaim}));
    if (due.domains.empty()) return 0;
    std::vector<BatchKey> keys;
    for (const DueBatch& batch : due.domains.front().batches) keys.push_back(batch.key);
    auto claimed = must(store_->perform_and_wait(Claim{.node = node_, .batches = std::move(keys)}));
    std::uint64_t rows = 0;
    for (auto& batch : claimed.batches) {
      const LeasedBatch lease = must(std::move(batch));
      rows += lease.recipients.size();
      leases_.push_back({lease.held(), lease.recipients.size()});
    }
    return rows;
  }

  void tell(Window& window, Told told) {
    if (told.outcomes.empty()) return;
    // It lives until the answer.
    const auto kept = std::make_shared<const Told>(std::move(told));
    window.submit(*store_, Settle{.outcomes = kept->outcomes, .releases = kept->releases},
                  [kept](const Settled& settled) {
                    for (const auto& outcome : settled.outcomes) {
                      expect(outcome && !outcome->superseded, "an outcome was not recorded");
                    }
                    for (const auto& release : settled.releases) {
                      expect(release && release->done, "a batch is not done");
                    }
                  });
  }

  SystemClock clock_;
  std::filesystem::path directory_;
  std::uint64_t recipients_;
  std::unique_ptr<SqliteStore> store_;
  AccountKey account_{};
  NodeKey node_ = kNobody;
  SteadyInstant renewed_{};
  DeliveryKey key_{};
  std::vector<Lease> leases_;
};

std::uint64_t number_after(std::string_view argument, std::string_view prefix) {
  std::uint64_t value = 0;
  argument.remove_prefix(prefix.size());
  std::from_chars(argument.data(), argument.data() + argument.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t recipients = 1'000'000;
  double seconds = 5;
  std::filesystem::path base = std::filesystem::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--quick") {
      recipients = 200'000;
      seconds = 1;
    } else if (argument.starts_with("--recipients=")) {
      recipients = number_after(argument, "--recipients=");
    } else if (argument.starts_with("--directory=")) {
      base = argument.substr(std::string_view("--directory=").size());
    }
  }
  std::string pattern = (base / "todoku-store-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return 1;
  const std::filesystem::path directory = pattern;
  disk(directory);
  {
    Bench bench(directory, recipients);
    bench.import();
    bench.claim();
    bench.outcomes();
    bench.size();
    bench.look_up();
    bench.accept(seconds, 1);
    bench.accept(seconds, 64);
    disk(directory);
  }
  std::filesystem::remove_all(directory);
  return 0;
}
