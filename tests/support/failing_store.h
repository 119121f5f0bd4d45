// SPDX-License-Identifier: Apache-2.0
// For tests: a store whose calls fail when they should.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "store/store.h"

namespace todoku {

// Passes calls on to another store, but for those that fail.
class FailingStore final : public store::Store {
 public:
  explicit FailingStore(store::Store& inner) : inner_(inner) {}

  // The calls from the n-th on, from 1, fail: `count` of them. With ErrorKind::io the store does
  // not know what became of them.
  void fail_calls(std::int64_t n, std::int64_t count, ErrorKind kind = ErrorKind::unavailable) {
    kind_ = kind;
    first_ = n;
    last_ = n + count - 1;
  }
  // The calls from the n-th on, `count` of them, are done, and are answered as if they were not.
  void lose_answers(std::int64_t n, std::int64_t count) {
    first_lost_ = n;
    last_lost_ = n + count - 1;
  }
  void set_outage(bool outage) { outage_ = outage; }
  [[nodiscard]] std::int64_t calls() const { return calls_; }

  void submit(store::Accept accept, store::Answered<store::Accept> done) override {
    pass_on(std::move(accept), std::move(done));
  }
  void submit(store::Settle settle, store::Answered<store::Settle> done) override {
    pass_on(std::move(settle), std::move(done));
  }
  void submit(store::Claim claim, store::Answered<store::Claim> done) override {
    pass_on(std::move(claim), std::move(done));
  }
  void submit(store::StageRows stage, store::Answered<store::StageRows> done) override {
    pass_on(std::move(stage), std::move(done));
  }
  void submit(store::Due due, store::Answered<store::Due> done) override {
    pass_on(std::move(due), std::move(done));
  }
  void submit(store::BellWork work, store::Answered<store::BellWork> done) override {
    pass_on(std::move(work), std::move(done));
  }
  void submit_write(store::WritePriority priority, store::WriteWork work,
                    store::Done done) override {
    if (refuses(done)) return;
    inner_.submit_write(priority, std::move(work), std::move(done));
  }
  void submit_read(store::ReadWork work, store::Done done) override {
    if (refuses(done)) return;
    inner_.submit_read(std::move(work), std::move(done));
  }
  // As if so many commits had been in doubt.
  void tell_doubts(std::uint64_t doubts) { doubts_ = doubts; }
  [[nodiscard]] store::StoreFigures figures() const override {
    store::StoreFigures figures = inner_.figures();
    figures.doubts += doubts_;
    return figures;
  }
  [[nodiscard]] const Clock& clock() const override { return inner_.clock(); }
  void close() override {}

 private:
  template <class Op>
  void pass_on(Op op, store::Answered<Op> done) {
    if (refuses(done)) return;
    if (calls_ >= first_lost_ && calls_ <= last_lost_) {
      inner_.submit(std::move(op), [done = std::move(done)](auto) mutable {
        done(fail(ErrorKind::unavailable, "the answer is lost, as the test wants it"));
      });
      return;
    }
    inner_.submit(std::move(op), std::move(done));
  }
  template <class Done>
  bool refuses(Done& done) {
    const std::int64_t call = ++calls_;
    if (!outage_ && (call < first_ || call > last_)) return false;
    done(fail(kind_.load(), "as the test wants it"));
    return true;
  }

  store::Store& inner_;
  std::atomic<std::int64_t> calls_{0};
  std::atomic<std::int64_t> first_{0};
  std::atomic<std::int64_t> last_{-1};
  std::atomic<std::int64_t> first_lost_{0};
  std::atomic<std::int64_t> last_lost_{-1};
  std::atomic<bool> outage_{false};
  std::atomic<std::uint64_t> doubts_{0};
  std::atomic<ErrorKind> kind_{ErrorKind::unavailable};
};

}  // namespace todoku
