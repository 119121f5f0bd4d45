// SPDX-License-Identifier: Apache-2.0
#include "async/rounds.h"

#include <algorithm>
#include <vector>

#include <boost/asio/post.hpp>

#include "base/check.h"

namespace todoku::async {

struct Rounds::Waiting {
  Executor executor;
  std::size_t round_max;
  std::vector<Entry> entries;
  std::vector<Entry> round;  // memory used again
};

Rounds::Rounds(Executor executor, std::size_t round_max)
    : waiting_(std::make_shared<Waiting>(std::move(executor), round_max)) {
  check(round_max >= 1, "a round has room for one");
}

void Rounds::add(const std::shared_ptr<Waiting>& waiting, Entry entry) {
  waiting->entries.push_back(std::move(entry));
  if (waiting->entries.size() == 1) post(waiting);
}

void Rounds::post(std::shared_ptr<Waiting> waiting) {
  Executor executor = waiting->executor;
  boost::asio::post(executor, [waiting = std::move(waiting)] { run(waiting); });
}

void Rounds::run(const std::shared_ptr<Waiting>& waiting) {
  auto& entries = waiting->entries;
  const auto count = static_cast<std::ptrdiff_t>(std::min(entries.size(), waiting->round_max));
  std::vector<Entry> round = std::move(waiting->round);
  round.assign(std::make_move_iterator(entries.begin()),
               std::make_move_iterator(entries.begin() + count));
  entries.erase(entries.begin(), entries.begin() + count);
  if (!entries.empty()) post(waiting);
  std::vector<std::exception_ptr> thrown;
  for (Entry& entry : round) {
    std::exception_ptr error;
    try {
      entry.work();
    } catch (...) {
      error = std::current_exception();
    }
    thrown.push_back(std::move(error));
  }
  for (std::size_t i = 0; i < round.size(); ++i) round[i].go_on(std::move(thrown[i]));
  round.clear();
  waiting->round = std::move(round);
}

}  // namespace todoku::async
