// SPDX-License-Identifier: Apache-2.0
// How long `explain` takes in stores of growing size: for a bulk, a receiver's last day, and an
// address, which are asked for again and again; and what counting outcomes costs beside recording
// them. Prints name, value and unit, tab-separated. SQLite, without its disk's sync.
//
//   todoku_explain_bench [--quick] [--recipients=N]
//
// Nine in a hundred do not arrive, at twelve receivers, of nine causes. What an answer reads is
// printed besides its time: the rows of counts, which do not grow with the recipients.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <stdlib.h>

#include "async/runtime.h"
#include "base/check.h"
#include "operate/operations.h"
#include "store/sqlite/sqlite_store.h"
#include "support/measure.h"

namespace {

using namespace todoku;
using namespace todoku::store;

constexpr std::int64_t kGroup = 1'000;
constexpr int kAsked = 200;
constexpr std::int64_t kReceivers = 12;

void print(const std::string& name, double value, std::string_view unit) {
  fmt::print("{}\t{:.{}f}\t{}\n", name, value, value < 100 ? 2 : 0, unit);
  std::fflush(stdout);
}

template <class T>
T run(Task<T> task) {
  std::optional<T> value;
  struct Waiter {
    static Task<void> wait(Task<T> inner, std::optional<T>& into) {
      into.emplace(co_await std::move(inner));
    }
  };
  async::run_to_completion(Waiter::wait(std::move(task), value));
  return std::move(*value);
}

std::string domain_of_receiver(std::int64_t number) {
  return fmt::format("receiver{}.example", number);
}

class Measured {
  template <class Work>
  auto write(Work work) {
    return store_->write_and_wait(WritePriority::accept, std::move(work));
  }

 public:
  Measured() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "todoku-explain-XXXXXX").string();
    check(::mkdtemp(pattern.data()) != nullptr, "there is room for a folder");
    folder_ = pattern;
    SqliteStore::Options options;
    options.path = (folder_ / "todoku.db").string();
    options.clock = &clock_;
    options.synchronous = SqliteStore::Synchronous::off;
    store_ = must(SqliteStore::open(options));
    operations_ =
        std::make_unique<operate::Operations>(*store_, clock_, operate::Operations::Options{});
    account_ = must(write([](WriteTransaction& t) { return t.create_account("bench"); })).key;
    node_ = must(write([](WriteTransaction& t) {
      return t.enter_node({.name = "bench", .roles = "", .version = ""});
    }));
  }
  ~Measured() {
    operations_.reset();
    store_->close();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Measured(const Measured&) = delete;
  Measured& operator=(const Measured&) = delete;

  // One more bulk, of so many, whose outcomes are all told.
  void grow(std::int64_t recipients) {
    NewDelivery wanted{.account = account_,
                       .type = DeliveryType::bulk,
                       .traffic = TrafficClass::bulk,
                       .content = {}};
    wanted.content.from = {"sender@example.com", "Sender"};
    wanted.content.subject = "News";
    wanted.content.text_part = "x";
    const Delivery draft =
        must(write([&](WriteTransaction& t) { return t.create_draft(wanted, 1'000); }));
    for (std::int64_t done = 0; done < recipients; done += kGroup) {
      std::vector<NewRecipient> some;
      for (std::int64_t i = 0; i < kGroup; ++i) {
        const std::string domain = domain_of_receiver((done / kGroup) % kReceivers);
        some.push_back({fmt::format("r{}@{}", total_ + done + i, domain), domain, {}});
      }
      must(write([&](WriteTransaction& t) { return t.append_recipients(draft.key, some); }));
    }
    must(write([&](WriteTransaction& t) { return t.commit_draft(draft.key, std::nullopt, {}); }));
    must(write([&](WriteTransaction& t) {
      return t.start_delivery(draft.key, "", std::chrono::hours(24));
    }));
    deliver(draft.key);
    total_ += recipients;
    newest_ = must(store_->read_and_wait([&](ReadTransaction& t) {
                return t.delivery_head(draft.key);
              })).id;
  }

  void ask(std::string_view size) {
    const auto measure = [&](std::string_view what, const std::function<void()>& question) {
      std::vector<double> took;
      for (int i = 0; i < kAsked; ++i) {
        const auto began = std::chrono::steady_clock::now();
        question();
        took.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began)
                .count());
      }
      std::ranges::sort(took);
      print(fmt::format("{}_{}_p50", what, size), took[took.size() / 2], "ms");
      print(fmt::format("{}_{}_p95", what, size), took[took.size() * 95 / 100], "ms");
    };
    std::size_t kinds = 0;
    measure("delivery", [&] {
      const auto told = must(run(operations_->explain_causes({.delivery = newest_})));
      kinds = told.causes.lines.size();
    });
    print(fmt::format("delivery_{}_causes", size), static_cast<double>(kinds), "lines");
    measure("receiver_day",
            [&] { (void)must(run(operations_->explain_causes({.site = "receiver3"}))); });
    measure("all_62_days", [&] {
      (void)must(
          run(operations_->explain_causes({.since = clock_.now() - std::chrono::hours(24 * 61)})));
    });
    std::int64_t turn = 0;
    measure("address", [&] {
      turn = (turn + 7'919) % (total_ / kGroup);
      const std::string address =
          fmt::format("r{}@{}", turn * kGroup, domain_of_receiver(turn % kReceivers));
      (void)must(run(operations_->explain({.address = address})));
    });
    const auto rows = must(store_->read_and_wait([&](ReadTransaction& t) {
      return t.outcomes_within({.first = 0, .end = hour_of(clock_.now()) + 1}, 100'000);
    }));
    print(fmt::format("kinds_{}", size), static_cast<double>(rows.size()), "rows");
  }

  [[nodiscard]] std::int64_t total() const { return total_; }
  [[nodiscard]] double settling_us() const {
    return outcomes_ == 0 ? 0 : settling_us_ / static_cast<double>(outcomes_);
  }

 private:
  static Outcome outcome_of(std::int64_t number) {
    constexpr std::array kFailures = {Cause::mailbox, Cause::mailbox_full, Cause::policy,
                                      Cause::spf,     Cause::reputation,   Cause::content,
                                      Cause::unclear, Cause::size,         Cause::dmarc};
    const auto which = static_cast<std::size_t>(number % 100);
    if (which >= kFailures.size()) {
      return {.state = RecipientState::delivered,
              .stage = Stage::accepted,
              .reply = {250, "2.0.0 Ok: queued"}};
    }
    return {.state = RecipientState::bounced,
            .stage = Stage::rcpt_to,
            .reply = {550, "5.7.1 refused, as a receiver says in a sentence like this"},
            .cause = kFailures.at(which)};
  }

  void deliver(DeliveryKey key) {
    while (true) {
      must(write([&](WriteTransaction& t) { return t.renew_node(node_); }));
      const auto due = must(store_->perform_and_wait(Due{.workload = key}));
      std::vector<BatchKey> batches;
      for (const DueDomain& domain : due.domains) {
        for (const DueBatch& batch : domain.batches) batches.push_back(batch.key);
      }
      if (batches.empty()) return;
      const auto claimed = must(store_->perform_and_wait(Claim{.node = node_, .batches = batches}));
      for (const auto& lease : claimed.batches) {
        if (lease) settle(*lease);
      }
    }
  }

  void settle(const LeasedBatch& batch) {
    std::vector<OutcomeRecord> records;
    for (const LeasedRecipient& recipient : batch.recipients) {
      OutcomeRecord record{.key = {batch.key.delivery, batch.key.batch, recipient.seq},
                           .outcome = outcome_of(outcomes_++)};
      record.path.mx_host = "mx." + batch.domain;
      record.site = batch.domain.substr(0, batch.domain.find('.'));
      records.push_back(std::move(record));
    }
    const std::vector<BatchRelease> releases = {{.held = batch.held()}};
    const auto began = std::chrono::steady_clock::now();
    (void)must(store_->perform_and_wait(Settle{.outcomes = records, .releases = releases}));
    settling_us_ +=
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began).count();
  }

  std::filesystem::path folder_;
  SystemClock clock_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<operate::Operations> operations_;
  AccountKey account_{};
  NodeKey node_{};
  PublicId newest_ = 0;
  std::int64_t total_ = 0;
  std::int64_t outcomes_ = 0;
  double settling_us_ = 0;
};

std::int64_t number_after(std::string_view argument, std::string_view name, std::int64_t standard) {
  if (!argument.starts_with(name)) return standard;
  std::int64_t number = standard;
  argument.remove_prefix(name.size());
  (void)std::from_chars(argument.data(), argument.data() + argument.size(), number);
  return number;
}

}  // namespace

int main(int count, char** arguments) {
  std::int64_t recipients = 1'000'000;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--quick") recipients = 50'000;
    recipients = number_after(argument, "--recipients=", recipients);
  }
  Measured measured;
  for (const std::int64_t size : {recipients / 100, recipients / 10, recipients}) {
    const std::int64_t rounded = std::max(size / kGroup, std::int64_t{1}) * kGroup;
    measured.grow(rounded);
    measured.ask(fmt::format("{}", measured.total()));
  }
  print("settle", measured.settling_us(), "us/outcome");
  return 0;
}
