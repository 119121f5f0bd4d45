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
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/random.h"
#include "store/sqlite/sqlite_store.h"
#include "store/walks.h"

namespace {

using namespace todoku;
using namespace todoku::store;

constexpr Holder kHolder = 1;
constexpr std::size_t kRowsPerWork = 1'000;

using Seconds = std::chrono::duration<double>;

void print(std::string_view name, double value, std::string_view unit) {
  fmt::print("{}\t{:.{}f}\t{}\n", name, value, value < 100 ? 2 : 0, unit);
  std::fflush(stdout);
}

template <class T>
T must(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "{}: {}\n", to_string(result.error().kind), result.error().detail);
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double seconds_of(const std::function<void()>& run) {
  const auto began = std::chrono::steady_clock::now();
  run();
  return Seconds(std::chrono::steady_clock::now() - began).count();
}

// Lets at most `limit` pieces of work wait at once, as a producer with a bounded queue does.
class Window {
 public:
  explicit Window(std::size_t limit) : limit_(limit) {}

  template <class Work>
  void submit(Store& store, WritePriority priority, Work work) {
    {
      std::unique_lock lock(mutex_);
      freed_.wait(lock, [&] { return open_ < limit_; });
      ++open_;
    }
    store.submit_write(priority, std::move(work), [this](Result<void> result) {
      must(std::move(result));
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
                 return t.create_account("bench", now());
               })).key;
  }

  void import() {
    const Delivery draft =
        must(store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
          return t.create_draft(new_delivery(account_, DeliveryType::bulk), now());
        }));
    key_ = draft.key;
    const ImportJob job =
        must(store_->write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
          return t.create_import(key_, false, false, "bench.csv", now());
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
        window.submit(*store_, WritePriority::import,
                      [&, rows = std::move(rows)](WriteTransaction& t) {
                        return t.append_staged(job.id, account_, rows, 50, now());
                      });
      }
      window.wait();
    });
    print("import_rows", static_cast<double>(recipients_) / took, "rows/s");
    print("import_making_rows", static_cast<double>(recipients_) / making, "rows/s");
    const double visible = seconds_of([&] {
      must(store_->write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
        return t.end_import(job.id, account_, {}, now());
      }));
    });
    print("end_import", visible * 1e3, "ms");
    const double start = seconds_of([&] {
      must(store_->write_and_wait(WritePriority::claims, [&](WriteTransaction& t) -> Result<void> {
        auto done = t.commit_draft(key_, std::nullopt, now());
        if (!done) return done;
        return t.start_delivery(key_, "sel", now());
      }));
    });
    print("commit_and_start", start * 1e3, "ms");
  }

  void claim() {
    std::vector<DueDomain> domains;
    const double look = seconds_of([&] {
      domains = must(store_->read_and_wait([&](ReadTransaction& t) {
                  return t.due_domains(key_, now(), std::nullopt, 256);
                })).domains;
    });
    print("due_domains", look * 1e3, "ms");
    std::size_t rows = 0;
    const double took = seconds_of([&] {
      for (const DueDomain& domain : domains) {
        for (;;) {
          const auto due = must(store_->read_and_wait(
              [&](ReadTransaction& t) { return t.due_batches(key_, domain.domain, now(), 16); }));
          if (due.empty()) break;
          std::vector<BatchKey> keys;
          for (const DueBatch& batch : due) keys.push_back(batch.key);
          auto leases =
              must(store_->write_and_wait(WritePriority::claims, [&](WriteTransaction& t) {
                return t.claim_batches(keys, kHolder, now() + std::chrono::hours(1), now());
              }));
          for (LeasedBatch& lease : leases) {
            rows += lease.recipients.size();
            leases_.push_back({lease.key, lease.recipients.size()});
          }
        }
      }
    });
    print("claim_rows", static_cast<double>(rows) / took, "rows/s");
    print("claim_rows_per_batch", static_cast<double>(rows) / static_cast<double>(leases_.size()),
          "rows");
  }

  void outcomes() {
    Window window(4);
    std::uint64_t made = 0;
    std::vector<OutcomeRecord> batch;
    const double took = seconds_of([&] {
      for (const auto& [key, size] : leases_) {
        for (std::uint32_t seq = 0; seq < size; ++seq) {
          OutcomeRecord& record = batch.emplace_back();
          record.key = {key.delivery, key.batch, seq};
          record.at = now();
          record.duration = Milliseconds(140);
          record.outcome.state = RecipientState::delivered;
          record.outcome.stage = Stage::accepted;
          record.outcome.reply = {250, fmt::format("2.0.0 Ok: queued as {:012X}", ++made * 7919)};
          record.path = {"mx.example.jp", "192.0.2.1", "default", TlsUse::verified,
                         "TLSv1.3 TLS_AES_256_GCM_SHA384"};
        }
        if (batch.size() >= kRowsPerWork) record_all(window, batch);
      }
      record_all(window, batch);
      window.wait();
    });
    print("outcomes", static_cast<double>(made) / took, "rows/s");
    const Delivery sent =
        must(store_->read_and_wait([&](ReadTransaction& t) { return t.delivery(key_); }));
    if (sent.status != DeliveryStatus::sent) std::exit(1);
  }

  void accept(double seconds, std::size_t submitters) {
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
          const std::vector<NewRecipient> to{Addresses::recipient(index++)};
          const NewDelivery delivery = new_delivery(account_, DeliveryType::transaction);
          own.push_back(seconds_of([&] {
            must(store_->write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
              return t.accept_transaction(delivery, to, "sel", kHolder,
                                          now() + std::chrono::minutes(5), now());
            }));
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
  [[nodiscard]] Instant now() const { return clock_.now(); }

  void open() {
    SqliteStore::Options options;
    options.path = path();
    options.clock = &clock_;
    store_ = must(SqliteStore::open(options));
  }

  void record_all(Window& window, std::vector<OutcomeRecord>& batch) {
    if (batch.empty()) return;
    window.submit(*store_, WritePriority::outcomes,
                  [records = std::exchange(batch, {})](WriteTransaction& t) -> Result<void> {
                    const auto recorded = t.record_outcomes(records);
                    if (!recorded) return fail(recorded.error());
                    return {};
                  });
  }

  struct Lease {
    BatchKey key;
    std::size_t size;
  };

  SystemClock clock_;
  std::filesystem::path directory_;
  std::uint64_t recipients_;
  std::unique_ptr<SqliteStore> store_;
  AccountKey account_{};
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
