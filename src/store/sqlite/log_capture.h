// SPDX-License-Identifier: Apache-2.0
// What commits change, taken out of the write-ahead log by the writer itself, between a commit and
// the next transaction: then every frame of the commit is there, and nobody can have begun the log
// anew. So no checkpoint ever waits for it; only while a snapshot is copied (copy_pages_of() in
// backup.h) the log cannot begin anew. Of a page that changes again only the last image is kept.
// When more waits than there is room for, all is let go, and lost() says so: then only another
// snapshot helps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::store::sqlite {

class LogCapture {
 public:
  explicit LogCapture(const std::filesystem::path& database,
                      std::size_t octets_max = std::size_t{64} << 20U);
  ~LogCapture();
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // What was changed since the last taking. Consistent: it ends where a commit does.
  struct Batch {
    std::unordered_map<std::uint32_t, std::string> pages;
    std::uint32_t page_octets = 0;
    std::uint32_t file_pages = 0;
    Instant last{};  // commit
    [[nodiscard]] bool empty() const { return pages.empty(); }
  };

  // By the writer's thread: a commit is in the log, which has so many frames now.
  void committed(std::int64_t frames, Instant now) noexcept;

  // By whoever ships. What was committed before may be in the first batch, too.
  void begin();
  [[nodiscard]] Batch take();
  // Why it lost something since begin(); empty: it did not.
  [[nodiscard]] std::string lost() const;
  void end();

 private:
  struct Header {
    std::uint64_t salts = 0;
    std::uint32_t page_octets = 0;
  };
  [[nodiscard]] Result<Header> read_header();
  [[nodiscard]] Result<void> take_frames(const Header& header, std::int64_t frames);
  void lose(std::string why);

  const std::string log_;
  const std::size_t octets_max_;
  // Of the writer's thread.
  int file_ = -1;
  std::uint64_t salts_ = 0;
  std::int64_t taken_ = 0;
  std::string frame_;

  mutable std::mutex mutex_;  // guards what follows
  bool captures_ = false;
  std::string lost_;
  std::size_t octets_ = 0;
  Batch batch_;
};

}  // namespace todoku::store::sqlite
