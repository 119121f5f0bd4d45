// SPDX-License-Identifier: Apache-2.0
#include "app/life_signs.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

namespace todoku::app {
namespace {

std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<LifeSigns::Options> LifeSigns::asked_for(const config::Environment& environment,
                                                       int pid) {
  const auto socket = environment.find("NOTIFY_SOCKET");
  const auto microseconds = environment.find("WATCHDOG_USEC");
  if (socket == environment.end() || microseconds == environment.end()) return std::nullopt;
  if (!socket->second.starts_with('/') && !socket->second.starts_with('@')) return std::nullopt;
  if (socket->second.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
  // Where a child inherited them, it is not meant.
  const auto whom = environment.find("WATCHDOG_PID");
  if (whom != environment.end() && number_of(whom->second) != static_cast<std::uint64_t>(pid)) {
    return std::nullopt;
  }
  const auto awaited = number_of(microseconds->second);
  if (!awaited || *awaited == 0) return std::nullopt;
  constexpr std::uint64_t kMost = std::uint64_t{3'600} * 1'000'000;
  const auto third = Milliseconds(std::min(*awaited, kMost) / 3'000);
  return Options{.socket = socket->second, .every = std::max(Milliseconds(1), third)};
}

LifeSigns::LifeSigns(Options options) : options_(std::move(options)), thread_([this] { run(); }) {}

LifeSigns::~LifeSigns() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void LifeSigns::follow(std::function<std::string()> problem) {
  const std::lock_guard lock(mutex_);
  problem_ = std::move(problem);
}

void LifeSigns::run() {
  std::unique_lock lock(mutex_);
  do {
    std::string problem = problem_ ? problem_() : std::string();
    if (problem.empty()) send();
    if (problem.empty() != told_.empty()) {
      if (!problem.empty())
        log::error("this process tells no more that it lives", {{"reason", problem}});
      told_ = std::move(problem);
    }
  } while (!wake_.wait_for(lock, options_.every, [this] { return ended_; }));
}

// Who does not read it in time ends us, whatever we make of that: a failure is not told.
void LifeSigns::send() const {
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  options_.socket.copy(to.sun_path, sizeof to.sun_path - 1);
  if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + options_.socket.size());
  constexpr std::string_view kSign = "WATCHDOG=1";
  (void)::sendto(fd, kSign.data(), kSign.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&to), length);
  ::close(fd);
}

}  // namespace todoku::app
