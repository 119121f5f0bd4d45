// SPDX-License-Identifier: Apache-2.0
// How far a store in a file has come: a number in it that grows while it is served, and the same
// beside it in the folder. A backup that is copied over the file keeps the file, so that only this
// tells it from what was served (operate/cluster_names.h): its number is lower than the folder's.
// The folder's is written when the store's is committed, so a crash or a loss of power only leaves
// the folder's behind, which says nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "async/file_pool.h"
#include "async/task.h"
#include "async/task_group.h"
#include "base/clock.h"
#include "base/trouble.h"
#include "store/store.h"

namespace todoku::app {

// What the folder of `database` says of this file; 0: nothing, or of another file.
[[nodiscard]] std::uint64_t age_beside(const std::string& database);
// Replaces what it says. Errors: io.
[[nodiscard]] Result<void> note_age_beside(const std::string& database, std::uint64_t age);

// Lets the store become older while a process serves it: a commit of one row in ten seconds.
class Ageing {
 public:
  // All must outlive this object.
  Ageing(store::Store& store, async::FilePool& files, const Clock& clock, async::Executor executor,
         std::string database)
      : store_(store),
        files_(files),
        clock_(clock),
        executor_(executor),
        database_(std::move(database)),
        tasks_(executor) {}

  void start();
  // Once more, so that a backup made just before is older, too. From any executor.
  Task<void> stop();

 private:
  Task<void> go_on();
  Task<Result<void>> grow();

  store::Store& store_;
  async::FilePool& files_;
  const Clock& clock_;
  async::Executor executor_;
  const std::string database_;
  Trouble trouble_{log::Level::warning, "the age of the store not noted",
                   "the age of the store is noted again"};
  async::TaskGroup tasks_;
};

}  // namespace todoku::app
