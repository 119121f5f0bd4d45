// SPDX-License-Identifier: Apache-2.0
// A process that dies at any moment: what it acknowledged is there when the store is opened again.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::SizeIs;

// What the child says about itself once it is committed; small enough for an atomic pipe write.
struct Acknowledged {
  enum class What : std::int32_t { accepted, delivered, appended } what;
  std::int32_t round;
  std::int32_t thread;
  std::int32_t number;
  std::int64_t id;  // of the delivery, for accepted
};

std::string local_part(const Acknowledged& done) {
  return fmt::format("r{}t{}n{}", done.round, done.thread, done.number);
}

std::uint64_t seed_of_this_run() {
  const char* wanted = std::getenv("TODOKU_SEED");
  return wanted == nullptr ? std::random_device()() : std::strtoull(wanted, nullptr, 10);
}

// The life of the child: works until it is killed.
class Victim {
 public:
  Victim(Store& store, NodeKey node, AccountKey account, int round, int pipe)
      : store_(store), me_(node), account_(account), round_(round), pipe_(pipe) {}

  [[noreturn]] void live() {
    std::vector<std::thread> threads;
    for (int n = 0; n < 3; ++n) threads.emplace_back([this, n] { accept(n); });
    append(3);
    std::abort();
  }

 private:
  // Nothing was acknowledged: a store that has too much to do says so, and whoever asks goes on.
  template <class T>
  static bool is_refused(const Result<T>& result, int code) {
    if (result) return false;
    if (result.error().kind == ErrorKind::unavailable) return true;
    fmt::print(stderr, "the child ends: {}\n", result.error().detail);
    ::_exit(code);
  }

  void tell(Acknowledged done) {
    if (::write(pipe_, &done, sizeof done) != sizeof done) ::_exit(3);
  }

  void accept(int thread) {
    NewDelivery delivery;
    delivery.account = account_;
    for (int i = 0;; ++i) {
      Acknowledged done{Acknowledged::What::accepted, round_, thread, i, 0};
      const std::vector<NewRecipient> to{{local_part(done) + "@example.jp", "example.jp", {}}};
      const auto accepted = store_.perform_and_wait(Accept{.delivery = delivery,
                                                           .recipients = to,
                                                           .signing = "",
                                                           .life_time = kLifeTime,
                                                           .holder = me_});
      if (is_refused(accepted, 4)) continue;
      done.id = accepted->delivery.id;
      tell(done);
      OutcomeRecord record;
      record.key = {accepted->batches[0].key.delivery, accepted->batches[0].key.batch, 0};
      record.outcome.state = RecipientState::delivered;
      const Settle settle{.outcomes = std::span(&record, 1), .releases = {}};
      if (is_refused(store_.perform_and_wait(settle), 5)) continue;
      done.what = Acknowledged::What::delivered;
      tell(done);
    }
  }

  void append(int thread) {
    NewDelivery bulk;
    bulk.account = account_;
    bulk.type = DeliveryType::bulk;
    bulk.traffic = TrafficClass::bulk;
    auto draft = Result<Delivery>(fail(ErrorKind::unavailable, "not yet"));
    while (is_refused(draft, 6)) {
      draft = store_.write_and_wait(WritePriority::accept, [&](WriteTransaction& t) {
        return t.create_draft(bulk, kDraftsMax);
      });
    }
    for (int i = 0;; i += 300) {
      std::vector<NewRecipient> rows;
      Acknowledged last{Acknowledged::What::appended, round_, thread, i, 0};
      for (int k = 0; k < 300; ++k) {
        last.number = i + k;
        rows.push_back({local_part(last) + "@example.jp", "example.jp", {}});
      }
      const auto appended = store_.write_and_wait(WritePriority::import, [&](WriteTransaction& t) {
        return t.append_recipients(draft->key, rows);
      });
      if (!is_refused(appended, 7)) tell(last);
    }
  }

  Store& store_;
  const NodeKey me_;
  const AccountKey account_;
  const int round_;
  const int pipe_;
};

// Reads acknowledgements until `lifetime` is over, kills the child, reads what it still said.
std::vector<Acknowledged> watch(pid_t child, int pipe, std::chrono::milliseconds lifetime) {
  std::vector<Acknowledged> all;
  const auto end = std::chrono::steady_clock::now() + lifetime;
  bool killed = false;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (!killed && left.count() <= 0 && !all.empty()) {
      ::kill(child, SIGKILL);
      killed = true;
    }
    pollfd wait{pipe, POLLIN, 0};
    ::poll(&wait, 1, killed ? -1 : std::max(1, static_cast<int>(left.count())));
    if ((wait.revents & (POLLIN | POLLHUP)) == 0) continue;
    Acknowledged done{};
    if (::read(pipe, &done, sizeof done) != sizeof done) break;
    all.push_back(done);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
      << "the child ended by itself, status " << WEXITSTATUS(status);
  return all;
}

TEST_P(StoreSuite, WhatAKilledProcessAcknowledgedIsThere) {
  const std::uint64_t seed = seed_of_this_run();
  fmt::print("seed {} (repeat with TODOKU_SEED={})\n", seed, seed);
  SeededRandom random(seed);
  const Account acme = account();
  std::vector<Acknowledged> all;
  for (int round = 0; round < 5; ++round) {
    shut();  // a process with threads must not fork
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      reopen();
      Victim(*store_, me_, acme.key, round, pipe[1]).live();
    }
    ::close(pipe[1]);
    const auto lifetime = std::chrono::milliseconds(20 + random.below(250));
    const auto said = watch(child, pipe[0], lifetime);
    ::close(pipe[0]);
    all.insert(all.end(), said.begin(), said.end());
    reopen();

    // Of this round everything, of earlier ones a sample.
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Acknowledged& done = all[i];
      if (done.round != round && i % 17 != 0) continue;
      const auto told = stories(local_part(done) + "@example.jp");
      ASSERT_THAT(told, SizeIs(1)) << local_part(done) << ", seed " << seed;
      if (done.what == Acknowledged::What::accepted) {
        ASSERT_EQ(told[0].delivery_id, done.id);
      } else if (done.what == Acknowledged::What::delivered) {
        ASSERT_EQ(told[0].state, RecipientState::delivered) << "seed " << seed;
      }
    }
  }
  fmt::print("{} acknowledgements in 5 lives\n", all.size());
}

}  // namespace
}  // namespace todoku::store
