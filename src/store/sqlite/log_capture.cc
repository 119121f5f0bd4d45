// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/log_capture.h"

#include <cerrno>
#include <exception>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace todoku::store::sqlite {
namespace {

// SQLite's "Database File Format", section 4.1: the log's header, and that of each frame. Numbers
// are big-endian.
constexpr std::size_t kLogHeaderOctets = 32;
constexpr std::size_t kFrameHeaderOctets = 24;
constexpr std::size_t kPageSizeAt = 8;
constexpr std::size_t kLogSaltsAt = 16;
constexpr std::size_t kFrameSaltsAt = 8;
constexpr std::uint32_t kLogMagic = 0x377f0682;  // the last bit says how checks are reckoned
// What a page that is kept costs besides.
constexpr std::size_t kPageOverhead = 96;

std::uint64_t number_at(std::string_view octets, std::size_t place, std::size_t size) {
  std::uint64_t number = 0;
  for (const char c : octets.substr(place, size)) {
    number = number << 8U | static_cast<std::uint8_t>(c);
  }
  return number;
}

Result<void> read_at(int file, std::span<char> into, std::size_t place) {
  std::size_t taken = 0;
  while (taken < into.size()) {
    const ssize_t now =
        ::pread(file, into.data() + taken, into.size() - taken, static_cast<off_t>(place + taken));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) {
      return fail(ErrorKind::io, fmt::format("the log cannot be read: {}",
                                             now == 0 ? std::string("it is shorter than was told")
                                                      : std::generic_category().message(errno)));
    }
    taken += static_cast<std::size_t>(now);
  }
  return {};
}

}  // namespace

LogCapture::LogCapture(const std::filesystem::path& database, std::size_t octets_max)
    : log_(database.string() + "-wal"), octets_max_(octets_max) {}

LogCapture::~LogCapture() {
  if (file_ >= 0) ::close(file_);
}

Result<LogCapture::Header> LogCapture::read_header() {
  // SQLite has no locks on the log, which closing it would let go.
  if (file_ < 0) file_ = ::open(log_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) {
    return fail(ErrorKind::io, fmt::format("the log {} cannot be opened: {}", log_,
                                           std::generic_category().message(errno)));
  }
  std::string octets(kLogHeaderOctets, '\0');
  if (auto read = read_at(file_, octets, 0); !read) return fail(std::move(read.error()));
  if ((number_at(octets, 0, 4) & ~std::uint64_t{1}) != kLogMagic) {
    return fail(ErrorKind::corrupt, fmt::format("{} is no log", log_));
  }
  return Header{.salts = number_at(octets, kLogSaltsAt, 8),
                .page_octets = static_cast<std::uint32_t>(number_at(octets, kPageSizeAt, 4))};
}

// With mutex_ held.
Result<void> LogCapture::take_frames(const Header& header, std::int64_t frames) {
  frame_.resize(kFrameHeaderOctets + header.page_octets);
  batch_.page_octets = header.page_octets;
  for (; taken_ < frames; ++taken_) {
    auto read =
        read_at(file_, frame_, kLogHeaderOctets + static_cast<std::size_t>(taken_) * frame_.size());
    if (!read) return read;
    if (number_at(frame_, kFrameSaltsAt, 8) != header.salts) {
      return fail(ErrorKind::corrupt, "a frame is of another log");
    }
    const auto page = static_cast<std::uint32_t>(number_at(frame_, 0, 4));
    const auto [place, fresh] = batch_.pages.try_emplace(page);
    if (fresh) octets_ += header.page_octets + kPageOverhead;
    place->second.assign(frame_, kFrameHeaderOctets);
    // The last frame of a commit tells how many pages the database has after it.
    const auto pages = static_cast<std::uint32_t>(number_at(frame_, 4, 4));
    if (pages > 0) batch_.file_pages = pages;
    if (octets_ > octets_max_) {
      return fail(ErrorKind::unavailable,
                  fmt::format("more than {} MiB of changes wait", octets_max_ >> 20U));
    }
  }
  return {};
}

void LogCapture::committed(std::int64_t frames, Instant now) noexcept {
  const std::lock_guard lock(mutex_);
  if (!captures_ || !lost_.empty() || frames == 0) return;
  try {
    const auto header = read_header();
    if (!header) return lose(header.error().detail);
    if (header->salts != salts_ || frames < taken_) taken_ = 0;  // the log has begun anew
    salts_ = header->salts;
    if (auto taken = take_frames(*header, frames); !taken) return lose(taken.error().detail);
    batch_.last = now;
  } catch (const std::exception&) {  // no memory: mail is more important than this
    lose({});
  }
}

void LogCapture::lose(std::string why) {
  lost_ = why.empty() ? "out of memory" : std::move(why);  // short enough to need none
  batch_ = {};
  octets_ = 0;
}

void LogCapture::begin() {
  const std::lock_guard lock(mutex_);
  captures_ = true;
  lost_.clear();
  batch_ = {};
  octets_ = 0;
}

LogCapture::Batch LogCapture::take() {
  const std::lock_guard lock(mutex_);
  octets_ = 0;
  return std::exchange(batch_, {});
}

std::string LogCapture::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void LogCapture::end() {
  const std::lock_guard lock(mutex_);
  captures_ = false;
  batch_ = {};
  octets_ = 0;
}

}  // namespace todoku::store::sqlite
