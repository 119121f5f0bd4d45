// SPDX-License-Identifier: Apache-2.0
// A disk for SQLite that fills up, fails a call, or loses power: a VFS over the system's one that
// also keeps, for every file, what would survive a power failure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sqlite3.h>

#include "base/random.h"

namespace todoku::store::sqlite {

class FaultDisk {
 public:
  // Registers the VFS under a name of its own. The disk must outlive every store on it.
  FaultDisk();
  ~FaultDisk();
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }

  // -- a full disk: writes that would make the files larger than this together fail
  void limit_bytes(std::int64_t bytes);
  [[nodiscard]] std::int64_t bytes() const;

  // -- a failing call: the n-th write, sync, truncation, deletion or opening from now on, from 1
  // (and with `lasting` every one after it) fails with SQLITE_IOERR
  void fail_call(std::int64_t n, bool lasting);
  void heal();
  [[nodiscard]] std::int64_t calls() const;
  [[nodiscard]] bool failed() const;

  // -- power loss: at the n-th such call from now on, before it has any effect, what would be found
  // after a power failure is taken down, and `at_loss` is called
  void lose_power_at(std::int64_t n, std::uint64_t seed, std::function<void()> at_loss);
  [[nodiscard]] bool power_lost() const;
  // Writes what was taken down to a directory.
  void restore(const std::filesystem::path& directory) const;

 private:
  friend struct FaultFile;
  friend struct FaultVfs;

  struct Change {
    std::int64_t offset = 0;
    std::string octets;
    bool truncates = false;  // to `offset`
  };
  struct File {
    std::string durable;
    bool exists_durably = false;
    std::vector<Change> pending;  // since the last sync
    std::int64_t size = 0;
  };
  using Image = std::map<std::string, std::string>;

  // What a call of this kind has to do: SQLITE_OK to go on, else the code to fail with.
  [[nodiscard]] int enter(int error);
  [[nodiscard]] Image surviving(SeededRandom& random) const;
  static void apply(std::string& image, const Change& change);

  std::string name_;
  sqlite3_vfs vfs_{};
  sqlite3_vfs* real_ = nullptr;

  mutable std::mutex mutex_;
  std::map<std::string, File> files_;
  std::int64_t bytes_max_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t calls_ = 0;
  std::int64_t failing_call_ = 0;  // 0: none
  bool failing_lasts_ = false;
  bool failed_ = false;
  std::int64_t losing_call_ = 0;
  std::uint64_t seed_ = 0;
  std::function<void()> at_loss_;
  std::optional<Image> lost_;
};

}  // namespace todoku::store::sqlite
