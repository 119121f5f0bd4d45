// SPDX-License-Identifier: Apache-2.0
#include "app/database_password.h"

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "app/child_process.h"
#include "base/clock.h"
#include "config/files.h"

namespace todoku::app {
namespace {

// Tokens have some 1,500 octets.
constexpr std::size_t kPasswordOctetsMax = 16'384;
constexpr Milliseconds kCommandMost = std::chrono::seconds(10);

std::string system_words(int code) {
  return std::generic_category().message(code);
}

Result<std::string> as_password(std::string text, std::string_view source) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  std::string_view wrong;
  if (text.empty()) wrong = "is empty";
  if (text.size() > kPasswordOctetsMax) wrong = "is too long";
  if (text.find('\0') != std::string::npos) wrong = "holds an octet of zero";
  if (wrong.empty()) return text;
  return fail(ErrorKind::unavailable, fmt::format("what {} gives {}", source, wrong));
}

Result<std::string> password_of_file(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    return fail(ErrorKind::unavailable,
                fmt::format("the file {} of store.postgres.password_file cannot be read: {}", path,
                            system_words(errno)));
  }
  if (!S_ISREG(facts.st_mode)) {
    return fail(ErrorKind::unavailable,
                fmt::format("{} is no file: store.postgres.password_file names it", path));
  }
  if ((facts.st_mode & 077U) != 0) {
    return fail(ErrorKind::unavailable,
                fmt::format("the file {} of store.postgres.password_file can be read by others: "
                            "run `chmod 600 {}`",
                            path, path));
  }
  auto text = config::read_file(path);
  if (!text) return fail(ErrorKind::unavailable, std::move(text.error().detail));
  return as_password(std::move(*text), path);
}

Result<std::string> password_of_command(const std::string& line) {
  auto text = run_child({.words = {"/bin/sh", "-c", line},
                         .input = {},
                         .most = kCommandMost,
                         .output_max = kPasswordOctetsMax});
  if (!text) {
    return fail(ErrorKind::unavailable,
                fmt::format("the command of store.postgres.password_command failed: {}",
                            text.error().detail));
  }
  return as_password(std::move(*text), "the command of store.postgres.password_command");
}

}  // namespace

std::function<Result<std::string>()> database_password(const config::Config::Postgres& from) {
  if (!from.password_file.empty()) {
    return [path = from.password_file] { return password_of_file(path); };
  }
  if (!from.password_command.empty()) {
    return [line = from.password_command] { return password_of_command(line); };
  }
  if (from.password.empty()) return {};
  return [password = from.password]() -> Result<std::string> { return password; };
}

Result<void> check_password_source(const config::Config::Postgres& from) {
  if (from.password_file.empty()) return {};
  const auto read = password_of_file(from.password_file);
  return read ? Result<void>() : fail(read.error());
}

}  // namespace todoku::app
