// SPDX-License-Identifier: Apache-2.0
#include "app/database_password.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "app/child_process.h"
#include "app/password_file.h"
#include "base/clock.h"

namespace todoku::app {
namespace {

constexpr std::string_view kFileKey = "store.postgres.password_file";
constexpr Milliseconds kCommandMost = std::chrono::seconds(10);

Result<std::string> password_of_command(const std::string& line) {
  auto text = run_child({.words = {"/bin/sh", "-c", line},
                         .input = {},
                         .most = kCommandMost,
                         .output_max = kSecretOctetsMax});
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
