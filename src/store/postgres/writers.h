// SPDX-License-Identifier: Apache-2.0
// The threads that write, each over a connection that it borrows. What waits stands in lanes: one
// for each kind of hot operation, whose operations are performed merged and in the order given, by
// one thread at a time; and one for the functions of each priority. Whoever is free takes from the
// most urgent lane; every eighth turn begins at the patient end, so that nothing rests for ever.
//
// Mails that are accepted do not depend on each other: where nothing else waits, a second thread
// takes its share of them while the first one's are on their way, so that the server has work while
// the network has it, too.
//
// While the database holds up every thread, as one does that waits for its standby, whoever accepts
// is not left waiting: a thread that does nothing else tells it.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "base/trouble.h"
#include "store/admission.h"
#include "store/pending.h"
#include "store/postgres/connections.h"
#include "store/postgres/perform.h"
#include "store/store.h"

namespace todoku::store::postgres {

class Writers {
 public:
  // What each thread performs with; `link` and `pause` are filled in for each. All that it refers
  // to must outlive the writers.
  Writers(Ground ground, Closing& closing, const Admission::Limits& limits)
      : ground_(std::move(ground)), closing_(closing), admission_(limits) {}
  ~Writers();
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;

  void start(std::size_t threads, Connections& connections);
  // Thread-safe; see Store.
  void submit(WritePriority priority, WriteWork work, Done done);
  template <class Op>
  void submit(WritePriority priority, Op op, Answered<Op> done) {
    take(priority, Pending<Op>{std::move(op), std::move(done), {}, 0});
  }
  // Does what is queued, then ends the threads. Idempotent.
  void stop();
  [[nodiscard]] StoreFigures figures() const;

 private:
  struct Function {
    WriteWork work;
    Done done;
    Result<void> answer;
    std::size_t octets = 0;
    SteadyInstant since{};
  };
  using Piece =
      std::variant<Function, Pending<Accept>, Pending<Settle>, Pending<Claim>, Pending<StageRows>>;
  struct Lane {
    std::deque<Piece> pieces;
    // Performed just now, and by how many.
    std::size_t in_air = 0;
    std::size_t flights = 0;
    SteadyInstant served{};  // when something was taken from it, or it was empty
  };
  struct Drawn {
    std::size_t thread = 0;  // whose it is
    std::size_t lane = 0;
    std::deque<Piece> pieces;
  };

  void take(WritePriority priority, Piece piece);
  void run(Connections& connections, std::size_t thread);
  // False: the store is closing, and nothing is left.
  [[nodiscard]] bool wait_for_work(Connections& connections);
  // One piece of work, or one look for it. Throws only while nothing is drawn.
  void turn(const Ground& ground, Borrowed& connection, Connections& connections,
            std::size_t thread);
  // After such a turn: the first that waits is told so, or it might wait for ever.
  void refuse_first() noexcept;
  // What comes next; empty: others were faster.
  void draw(Drawn& drawn);
  // Pieces of a lane that this thread should take now.
  [[nodiscard]] std::size_t share_of(std::size_t lane) const;
  // The lane that comes next; kLanes: none has work for this thread.
  [[nodiscard]] std::size_t next_lane() const;
  void draw_from(std::size_t lane, Drawn& drawn);
  // Answers each, whatever is thrown.
  void perform(const Ground& ground, Drawn& drawn);
  template <class Op>
  void perform_all(const Ground& ground, Drawn& drawn);
  void finish(Drawn& drawn, Microseconds took) noexcept;
  void refuse_overdue();
  // Taken out, as if it had never come. nullopt: there is none.
  [[nodiscard]] std::optional<Piece> take_overdue() noexcept;
  [[nodiscard]] Piece take_out(std::size_t lane) noexcept;

  const Ground ground_;
  Closing& closing_;

  static constexpr std::size_t kLanes = 2 * kWritePriorities;

  mutable std::mutex mutex_;  // guards what follows, up to has_ended_
  std::condition_variable filled_;
  std::array<Lane, kLanes> lanes_;
  std::array<std::size_t, kWritePriorities> queued_{};
  // Since when each thread performs what it has drawn; the beginning of time: it has nothing.
  std::vector<SteadyInstant> performing_;
  Admission admission_;
  std::condition_variable ended_;
  bool has_ended_ = false;
  unsigned turns_ = 0;

  Trouble failing_{log::Level::error, "the database cannot be written",
                   "the database can be written again"};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::uint64_t> failed_commits_{0};
  std::atomic<std::uint64_t> doubts_{0};
  std::atomic<std::int64_t> commit_time_us_{0};
  std::size_t thread_count_ = 0;
  std::vector<std::thread> threads_;
  std::thread usher_;
};

}  // namespace todoku::store::postgres
