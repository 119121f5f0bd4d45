// SPDX-License-Identifier: Apache-2.0
// For tests whose time is simulated: a store that has no work under way.
#pragma once

#include <utility>

#include "store/store.h"

namespace todoku {

// Answers before it returns: where nothing is ready, nothing is under way, and time may move.
class PromptStore final : public store::Store {
 public:
  explicit PromptStore(store::Store& inner) : inner_(inner) {}

  void submit(store::Accept op, store::Answered<store::Accept> done) override {
    pass_on(std::move(op), std::move(done));
  }
  void submit(store::Settle op, store::Answered<store::Settle> done) override {
    pass_on(std::move(op), std::move(done));
  }
  void submit(store::Claim op, store::Answered<store::Claim> done) override {
    pass_on(std::move(op), std::move(done));
  }
  void submit(store::StageRows op, store::Answered<store::StageRows> done) override {
    pass_on(std::move(op), std::move(done));
  }
  void submit(store::Due op, store::Answered<store::Due> done) override {
    pass_on(std::move(op), std::move(done));
  }
  void submit(store::BellWork op, store::Answered<store::BellWork> done) override {
    pass_on(std::move(op), std::move(done));
  }
  void submit_write(store::WritePriority priority, store::WriteWork work,
                    store::Done done) override {
    done(inner_.write_and_wait(priority, std::move(work)));
  }
  void submit_read(store::ReadWork work, store::Done done) override {
    done(inner_.read_and_wait(std::move(work)));
  }
  [[nodiscard]] store::StoreFigures figures() const override { return inner_.figures(); }
  [[nodiscard]] const Clock& clock() const override { return inner_.clock(); }
  void close() override {}

 private:
  template <class Op>
  void pass_on(Op op, store::Answered<Op> done) {
    done(inner_.perform_and_wait(std::move(op)));
  }

  store::Store& inner_;
};

}  // namespace todoku
