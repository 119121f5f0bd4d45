// SPDX-License-Identifier: Apache-2.0
#include "cli/user_files.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/session.h"

namespace todoku::cli {
namespace {

constexpr std::size_t kSecretOctetsMax = std::size_t{16} << 10U;

std::unexpected<Error> file_failure(const std::string& path, int error) {
  return fail(error == ENOENT ? ErrorKind::not_found : ErrorKind::io,
              fmt::format("{}: {}", path, std::generic_category().message(error)));
}

Result<std::string> read_all(const std::string& path, std::istream& in, std::size_t octets_max) {
  std::string text;
  std::string piece(std::size_t{64} << 10U, '\0');
  do {
    errno = 0;
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    // Part of it is none: half a list would be sent for a whole.
    if (in.bad()) return file_failure(path, errno != 0 ? errno : EIO);
    text.append(piece, 0, static_cast<std::size_t>(in.gcount()));
    if (text.size() > octets_max) {
      return fail(ErrorKind::limit_exceeded,
                  octets_max >> 20U > 0 ? fmt::format("{}: > {} MiB", path, octets_max >> 20U)
                                        : fmt::format("{}: > {} bytes", path, octets_max));
    }
  } while (in);
  return text;
}

Result<void> write_synced(const std::string& path, std::string_view text, FileFor who) {
  const mode_t mode = who == FileFor::its_user ? 0600 : 0666;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return file_failure(path, errno);
  int error = 0;
  while (error == 0 && !text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) error = errno;
  }
  // Before the new name: else a loss of power may leave the name on an empty file.
  if (error == 0 && ::fsync(fd) != 0) error = errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  if (error != 0) return file_failure(path, error);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t octets_max) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return file_failure(path, errno != 0 ? errno : EIO);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return file_failure(path, EISDIR);
  return read_all(path, file, octets_max);
}

Result<std::string> read_octets(const std::string& path, std::istream& input,
                                std::size_t octets_max) {
  return path == "-" ? read_all(path, input, octets_max) : read_file(path, octets_max);
}

Result<std::string> read_secret(const std::string& path, Session& session) {
  auto text = read_octets(path, session.host().input(), kSecretOctetsMax);
  if (!text && text.error().kind == ErrorKind::limit_exceeded) {
    return fail(ErrorKind::limit_exceeded,
                session.words({"{} has more than {} bytes: that is no key and no password",
                               "{} は {} バイトを超えています。キーやパスワードではありません"},
                              path, kSecretOctetsMax));
  }
  if (!text) {
    return fail(text.error().kind, session.words({"cannot read {}", "{} を読めません"}, path));
  }
  if (trim(*text).empty()) {
    return fail(ErrorKind::invalid_input,
                session.words({"there is nothing in {}", "{} は空です"}, path));
  }
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  return text;
}

Result<void> replace_file(const std::string& path, std::string_view content, FileFor who) {
  const std::string made = fmt::format("{}.{}", path, ::getpid());
  // Of a process with this number that died.
  (void)::unlink(made.c_str());
  auto written = write_synced(made, content, who);
  if (written && ::rename(made.c_str(), path.c_str()) != 0) written = file_failure(path, errno);
  if (!written) (void)::unlink(made.c_str());
  return written;
}

}  // namespace todoku::cli
