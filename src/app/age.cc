// SPDX-License-Identifier: Apache-2.0
#include "app/age.h"

#include <filesystem>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "app/data_folder.h"
#include "async/runtime.h"
#include "async/timer.h"
#include "base/bytes.h"
#include "config/files.h"
#include "operate/cluster_names.h"
#include "operate/operations.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Microseconds kGrowsEvery = 10s;

// Not among todoku.db*, which whoever saves the database by hand would take along.
std::string path_beside(const std::string& database) {
  return (std::filesystem::path(database).parent_path() / kAgeFile).string();
}

}  // namespace

std::uint64_t age_beside(const std::string& database) {
  const auto text = config::read_file(path_beside(database));
  if (!text) return 0;
  // Two lines: the file that it speaks of, and its age.
  const std::size_t end = text->find('\n');
  if (end == std::string::npos || text->substr(0, end) != made_at(database)) return 0;
  return operate::parse_age(trim(std::string_view(*text).substr(end + 1))).value_or(0);
}

Result<void> note_age_beside(const std::string& database, std::uint64_t age) {
  return config::replace_private_file(path_beside(database),
                                      fmt::format("{}\n{}\n", made_at(database), age));
}

void Ageing::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("age of the store", go_on()); });
}

Task<void> Ageing::stop() {
  co_await async::run_on(executor_, tasks_.stop());
  const auto grown = co_await grow();
  if (!grown) {
    log::warning("the age of the store not noted at the end", {{"reason", grown.error().detail}});
  }
}

Task<void> Ageing::go_on() {
  while (true) {
    const auto grown = co_await grow();
    if (grown) {
      trouble_.worked(clock_.steady_now());
    } else {
      trouble_.failed(clock_.steady_now(), {{"reason", grown.error().detail}});
    }
    const bool awake = co_await async::sleep_for(kGrowsEvery);
    if (!awake) co_return;
  }
}

Task<Result<void>> Ageing::grow() {
  const auto age = co_await store_.write(store::WritePriority::retention, operate::grow_older);
  if (!age) co_return fail(age.error());
  co_return co_await files_.run(async::FilePool::Owner{},
                                [this, age = *age] { return note_age_beside(database_, age); });
}

}  // namespace todoku::app
