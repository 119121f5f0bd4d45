// SPDX-License-Identifier: Apache-2.0
// Looks at the proofs of domains whose time has come (access/domain_proof.h). Any number of
// processes may do so: what each finds is judged with what is stored then.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/trouble.h"
#include "store/store.h"

namespace todoku::app {

class DomainWatch {
 public:
  // The TXT records at a name; errors as of dns/resolver.h.
  using Texts = std::function<Task<Result<std::vector<std::string>>>(std::string name)>;

  // `store` and `clock` must outlive it.
  DomainWatch(store::Store& store, Texts texts, async::Executor executor, const Clock& clock)
      : store_(store),
        texts_(std::move(texts)),
        executor_(executor),
        clock_(clock),
        tasks_(executor) {}

  void start();
  // Returns when nothing of it runs. From any executor.
  Task<void> stop();

  // Those that are due, a few of them at once; how many that were.
  Task<Result<std::size_t>> look();

 private:
  struct Round;
  Task<void> run();
  Task<void> look_at_some(std::shared_ptr<Round> round);
  Task<Result<void>> look_at(store::Domain claim);

  store::Store& store_;
  const Texts texts_;
  async::Executor executor_;
  const Clock& clock_;
  Trouble looking_{log::Level::error, "proofs of domains are not looked at",
                   "proofs of domains are looked at again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
