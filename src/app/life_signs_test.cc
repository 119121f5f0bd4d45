// SPDX-License-Identifier: Apache-2.0
#include "app/life_signs.h"

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

std::optional<LifeSigns::Options> asked_for(const config::Environment& environment) {
  return LifeSigns::asked_for(environment, 42);
}

TEST(LifeSigns, AreSentThreeTimesAsOftenAsTheyAreAwaited) {
  const auto options = asked_for(
      {{"NOTIFY_SOCKET", "/run/n"}, {"WATCHDOG_USEC", "120000000"}, {"WATCHDOG_PID", "42"}});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->socket, "/run/n");
  EXPECT_EQ(options->every, 40s);
  EXPECT_EQ(asked_for({{"NOTIFY_SOCKET", "@n"}, {"WATCHDOG_USEC", "3"}})->every, 1ms);
}

TEST(LifeSigns, AreNotSentWhereNobodyAsksThisProcess) {
  const config::Environment fine{{"NOTIFY_SOCKET", "/run/n"}, {"WATCHDOG_USEC", "3000"}};
  ASSERT_TRUE(asked_for(fine));
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"WATCHDOG_PID", "43"},
           {"WATCHDOG_PID", "4x"},
           {"WATCHDOG_USEC", "0"},
           {"WATCHDOG_USEC", "-1"},
           {"WATCHDOG_USEC", "99999999999999999999"},
           {"NOTIFY_SOCKET", "vsock:2:1234"},
           {"NOTIFY_SOCKET", ""},
           {"NOTIFY_SOCKET", "/" + std::string(200, 'n')}}) {
    auto changed = fine;
    changed[name] = value;
    EXPECT_FALSE(asked_for(changed)) << name << "=" << value;
  }
  EXPECT_FALSE(asked_for({{"NOTIFY_SOCKET", "/run/n"}}));
  EXPECT_FALSE(asked_for({{"WATCHDOG_USEC", "3000"}}));
}

// systemd's end, at a name that no file has.
class Manager {
 public:
  Manager() : name_("@todoku-life-signs-" + std::to_string(::getpid())) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    name_.copy(at.sun_path, sizeof at.sun_path - 1);
    at.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&at), length) != 0) {
      throw std::runtime_error(std::strerror(errno));
    }
  }
  ~Manager() { ::close(fd_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  // The next datagram; waits for it.
  [[nodiscard]] std::string next() const {
    std::array<char, 64> octets;
    const auto got = ::recv(fd_, octets.data(), octets.size(), 0);
    return {octets.data(), got < 0 ? 0U : static_cast<std::size_t>(got)};
  }
  // Takes what has come; true if there was anything.
  [[nodiscard]] bool drain() const {
    std::array<char, 64> octets;
    bool any = false;
    while (::recv(fd_, octets.data(), octets.size(), MSG_DONTWAIT) >= 0) any = true;
    return any;
  }

 private:
  std::string name_;
  int fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

TEST(LifeSigns, ComeUntilSomethingIsFatalAndAgainWhenItIsNot) {
  const Manager manager;
  std::atomic<bool> fatal{false};
  std::atomic<int> asked{0};
  LifeSigns signs({.socket = manager.name(), .every = 1ms});
  EXPECT_EQ(manager.next(), "WATCHDOG=1")
      << "before anybody says how it is: a start may take its time";
  signs.follow([&] {
    ++asked;
    return std::string(fatal ? "thread 1 of 1 stands still" : "");
  });
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  fatal = true;
  const auto ask_twice = [&] {
    const int now = asked;
    while (asked < now + 2) std::this_thread::yield();
  };
  ask_twice();  // the one that was under way, and one that knows
  (void)manager.drain();
  ask_twice();
  EXPECT_FALSE(manager.drain());
  fatal = false;
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
}

TEST(LifeSigns, ThatNobodyReadsHoldUpNothing) {
  std::atomic<int> asked{0};
  LifeSigns signs({.socket = "/nowhere/at/all", .every = 1ms});
  signs.follow([&] {
    ++asked;
    return std::string();
  });
  while (asked < 3) std::this_thread::yield();
}

}  // namespace
}  // namespace todoku::app
