// SPDX-License-Identifier: Apache-2.0
#include "app/database_password.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/password_file.h"
#include "base/clock.h"

extern char** environ;

namespace todoku::app {
namespace {

constexpr std::string_view kFileKey = "store.postgres.password_file";
constexpr Milliseconds kCommandMost = std::chrono::seconds(10);

std::string system_words(int code) {
  return std::generic_category().message(code);
}

// A child of its own process group, whose output is read here.
class Command {
 public:
  explicit Command(const std::string& line) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      error_ = errno;
      return;
    }
    output_ = ends[0];
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    // The engine's threads have signals blocked that the command is to know.
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
    std::string shell = "/bin/sh";
    std::string option = "-c";
    std::string text = line;
    const std::array<char*, 4> words{shell.data(), option.data(), text.data(), nullptr};
    error_ = ::posix_spawn(&child_, shell.c_str(), &files, &attributes, words.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    ::close(ends[1]);
  }
  ~Command() {
    if (output_ >= 0) ::close(output_);
    (void)kill();
  }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  [[nodiscard]] int error() const { return error_; }

  // All of its output. unavailable if that takes too long or is too much.
  Result<std::string> read() {
    std::string text;
    std::array<char, 4'096> some{};
    while (true) {
      pollfd wait{output_, POLLIN, 0};
      const auto left = time_left().count();
      const int ready = left <= 0 ? 0 : ::poll(&wait, 1, static_cast<int>(left));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) return fail(ErrorKind::unavailable, "it did not end within 10 s");
      const ssize_t got = ::read(output_, some.data(), some.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return text;
      text.append(some.data(), static_cast<std::size_t>(got));
      if (text.size() > kSecretOctetsMax) {
        return fail(ErrorKind::unavailable, "it prints too much");
      }
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
  const SteadyInstant until_ = SystemClock().steady_now() + kCommandMost;
  pid_t child_ = 0;
  int output_ = -1;
  int error_ = 0;
};

Result<std::string> password_of_command(const std::string& line) {
  Command command(line);
  const auto failed = [](std::string_view reason) {
    return fail(ErrorKind::unavailable,
                fmt::format("the command of store.postgres.password_command failed: {}", reason));
  };
  if (command.error() != 0) return failed(system_words(command.error()));
  auto text = command.read();
  if (!text) return failed(text.error().detail);
  const int status = command.wait();
  if (!WIFEXITED(status)) return failed("a signal ended it");
  if (WEXITSTATUS(status) != 0) {
    return failed(fmt::format("its exit status is {}", WEXITSTATUS(status)));
  }
  return as_password(std::move(*text), "the command of store.postgres.password_command");
}

}  // namespace

std::function<Result<std::string>()> database_password(const config::Config::Postgres& from) {
  if (!from.password_file.empty()) {
    return [path = from.password_file] { return read_password_file(path, kFileKey); };
  }
  if (!from.password_command.empty()) {
    return [line = from.password_command] { return password_of_command(line); };
  }
  if (from.password.empty()) return {};
  return [password = from.password]() -> Result<std::string> { return password; };
}

Result<void> check_password_source(const config::Config::Postgres& from) {
  if (from.password_file.empty()) return {};
  const auto read = read_password_file(from.password_file, kFileKey);
  return read ? Result<void>() : fail(read.error());
}

}  // namespace todoku::app
