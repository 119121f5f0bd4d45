// SPDX-License-Identifier: Apache-2.0
#include "app/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/printable.h"

extern char** environ;

namespace todoku::app {
namespace {

// A file in memory with this in it, at its beginning; a program that reads nothing of it is in
// nobody's way. -1: there is none, errno says why.
int file_of(std::string_view content) {
  const int file = ::memfd_create("input", MFD_CLOEXEC);
  if (file < 0) return -1;
  while (!content.empty()) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      ::close(file);
      return -1;
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(file, 0, SEEK_SET);
  return file;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A child of its own process group, whose output is read here.
class Child {
 public:
  explicit Child(const ChildOrder& order)
      : until_(SystemClock().steady_now() + order.most), order_(order) {
    const int input = file_of(order.input);
    std::array<int, 2> ends{-1, -1};
    if (input < 0 || ::pipe2(ends.data(), O_CLOEXEC) != 0) {
      error_ = errno;
      if (input >= 0) ::close(input);
      return;
    }
    output_ = ends[0];
    error_ = spawn(input, ends[1]);
    ::close(input);
    ::close(ends[1]);
  }
  ~Child() {
    if (output_ >= 0) ::close(output_);
    (void)kill();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  [[nodiscard]] int error() const { return error_; }

  // All of its output; of one that takes errors the beginning.
  Result<std::string> read() {
    std::string text;
    std::array<char, 4'096> some{};
    while (true) {
      pollfd wait{output_, POLLIN, 0};
      const auto left = time_left().count();
      const int ready = left <= 0 ? 0 : ::poll(&wait, 1, static_cast<int>(left));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) {
        return fail(ErrorKind::unavailable,
                    fmt::format("it did not end within {} s",
                                std::chrono::ceil<std::chrono::seconds>(order_.most).count()));
      }
      const ssize_t got = ::read(output_, some.data(), some.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return text;
      text.append(some.data(), static_cast<std::size_t>(got));
      if (text.size() <= order_.output_max) continue;
      if (!order_.takes_errors) return fail(ErrorKind::unavailable, "it prints too much");
      text.resize(order_.output_max);
    }
  }
  // How it ended, as waitpid(2) says. One that goes on after its output has ended is killed.
  int wait() {
    int status = 0;
    while (time_left() > Milliseconds(0)) {
      const pid_t ended = ::waitpid(child_, &status, WNOHANG);
      if (ended == child_) {
        child_ = 0;
        return status;
      }
      if (ended < 0 && errno != EINTR) break;
      ::poll(nullptr, 0, 5);
    }
    return kill();
  }

 private:
  int spawn(int input, int output) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    if (order_.takes_errors) posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
    // The engine's threads have signals blocked that the program is to know.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::vector<std::string> words = order_.words;
    const std::vector<char*> arguments = pointers_to(words);
    std::vector<std::string> variables{
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    std::vector<char*> few = pointers_to(variables);
    const int error =
        ::posix_spawn(&child_, arguments.front(), &files, &attributes, arguments.data(),
                      order_.has_environment ? environ : few.data());
    if (error != 0) child_ = 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
  }
  [[nodiscard]] Milliseconds time_left() const {
    return std::chrono::ceil<Milliseconds>(until_ - SystemClock().steady_now());
  }
  int kill() {
    int status = SIGKILL;
    if (child_ <= 0) return status;
    ::kill(-child_, SIGKILL);
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = 0;
    return status;
  }

  // The machine's clock: it bounds a wait for somebody else.
  const SteadyInstant until_;
  const ChildOrder& order_;
  pid_t child_ = 0;
  int output_ = -1;
  int error_ = 0;
};

std::unexpected<Error> failed_with(std::string reason, std::string printed) {
  while (printed.ends_with('\n')) printed.pop_back();
  std::ranges::replace(printed, '\n', ' ');
  if (!printed.empty()) reason += ": " + printable(printed);
  return fail(ErrorKind::unavailable, std::move(reason));
}

}  // namespace

Result<std::string> run_child(const ChildOrder& order) {
  if (order.words.empty()) return fail(ErrorKind::unavailable, "there is nothing to run");
  Child child(order);
  if (child.error() != 0) {
    return fail(ErrorKind::unavailable, std::generic_category().message(child.error()));
  }
  auto text = child.read();
  if (!text) return text;
  const std::string printed = order.takes_errors ? *text : std::string();
  const int status = child.wait();
  if (!WIFEXITED(status)) return failed_with("a signal ended it", printed);
  if (WEXITSTATUS(status) != 0) {
    return failed_with(fmt::format("its exit status is {}", WEXITSTATUS(status)), printed);
  }
  return text;
}

}  // namespace todoku::app
