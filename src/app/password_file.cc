// SPDX-License-Identifier: Apache-2.0
#include "app/password_file.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "config/files.h"

namespace todoku::app {

Result<std::string> as_password(std::string text, std::string_view source) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  std::string_view wrong;
  if (text.empty()) wrong = "is empty";
  if (text.size() > kSecretOctetsMax) wrong = "is too long";
  if (text.find('\0') != std::string::npos) wrong = "holds an octet of zero";
  if (wrong.empty()) return text;
  return fail(ErrorKind::unavailable, fmt::format("what {} gives {}", source, wrong));
}

Result<std::string> read_password_file(const std::string& path, std::string_view key) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    return fail(ErrorKind::unavailable, fmt::format("the file {} of {} cannot be read: {}", path,
                                                    key, std::generic_category().message(errno)));
  }
  if (!S_ISREG(facts.st_mode)) {
    return fail(ErrorKind::unavailable, fmt::format("{} is no file: {} names it", path, key));
  }
  if ((facts.st_mode & 077U) != 0) {
    return fail(ErrorKind::unavailable,
                fmt::format("the file {} of {} can be read by others: run `chmod 600 {}`", path,
                            key, path));
  }
  auto text = config::read_file(path);
  if (!text) return fail(ErrorKind::unavailable, std::move(text.error().detail));
  return as_password(std::move(*text), path);
}

}  // namespace todoku::app
