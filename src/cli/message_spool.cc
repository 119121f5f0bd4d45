// SPDX-License-Identifier: Apache-2.0
#include "cli/message_spool.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/bytes.h"

namespace todoku::cli {
namespace {

// A file that nobody else can open, and that is gone with us. Where a file system has none without
// a name (open(2), O_TMPFILE) it has one for a moment.
int open_nameless(const std::string& folder) {
  const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  std::string path = folder + "/todoku-sendmail-XXXXXX";
  const int named = ::mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(path.c_str());
  return named;
}

std::unexpected<Error> no_file(int error) {
  return fail(ErrorKind::io,
              "a temporary file for the message: " + std::generic_category().message(error));
}

}  // namespace

MessageSpool::~MessageSpool() {
  if (file_ >= 0) ::close(file_);
}

Result<void> MessageSpool::add(std::string_view octets) {
  if (octets.size() > kOctetsMax - octets_) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the message is larger than {} octets", kOctetsMax));
  }
  octets_ += octets.size();
  is_eight_bit_ = is_eight_bit_ || !is_ascii(octets);
  memory_ += octets;
  return memory_.size() > kMemoryOctetsMax ? write_memory() : Result<void>();
}

void MessageSpool::put_first(std::string_view octets) {
  first_ = octets;
  is_eight_bit_ = is_eight_bit_ || !is_ascii(octets);
}

Result<void> MessageSpool::write_memory() {
  for (std::size_t i = 0; file_ < 0 && i < folders_.size(); ++i) file_ = open_nameless(folders_[i]);
  if (file_ < 0) return no_file(errno);
  std::string_view left = memory_;
  while (!left.empty()) {
    const ssize_t written = ::write(file_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return no_file(errno);
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  memory_.clear();
  return {};
}

void MessageSpool::begin() {
  read_ = 0;
}

Task<Result<std::span<const std::string_view>>> MessageSpool::next() {
  const std::uint64_t in_file = octets_ - memory_.size();
  if (read_ < first_.size()) {
    view_ = std::string_view(first_).substr(read_);
  } else if (const std::uint64_t at = read_ - first_.size(); at < in_file) {
    slice_.resize(std::min<std::uint64_t>(kSliceOctets, in_file - at));
    const ssize_t got = ::pread(file_, slice_.data(), slice_.size(), static_cast<off_t>(at));
    if (got <= 0) co_return no_file(got < 0 ? errno : EIO);
    view_ = std::string_view(slice_).substr(0, static_cast<std::size_t>(got));
  } else {
    view_ = std::string_view(memory_).substr(at - in_file);
  }
  read_ += view_.size();
  co_return std::span<const std::string_view>(&view_, 1);
}

}  // namespace todoku::cli
