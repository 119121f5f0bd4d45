// SPDX-License-Identifier: Apache-2.0
#include "conformance/store/sqlite/fault_disk.h"

#include <algorithm>
#include <atomic>
#include <fstream>

#include <fmt/format.h>

namespace todoku::store::sqlite {

// An open file of the system with the disk it is on. `path` is empty for temporary files, which
// have no durable half.
struct FaultFile {
  sqlite3_file base;
  FaultDisk* disk;
  std::string* path;

  static FaultFile& of(sqlite3_file* file) { return *reinterpret_cast<FaultFile*>(file); }
  static sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(FaultFile));
  }

  static int close(sqlite3_file* file) {
    const int code = real(file)->pMethods->xClose(real(file));
    delete of(file).path;
    return code;
  }
  static int read(sqlite3_file* file, void* data, int amount, sqlite3_int64 offset) {
    return real(file)->pMethods->xRead(real(file), data, amount, offset);
  }
  static int write(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
    FaultFile& self = of(file);
    FaultDisk& disk = *self.disk;
    const std::lock_guard lock(disk.mutex_);
    const int code = disk.enter(SQLITE_IOERR_WRITE);
    if (code != SQLITE_OK) return code;
    if (!self.path->empty()) {
      FaultDisk::File& state = disk.files_[*self.path];
      std::int64_t all = 0;
      for (const auto& [path, other] : disk.files_) all += other.size;
      const std::int64_t grown = std::max<std::int64_t>(state.size, offset + amount);
      if (all - state.size + grown > disk.bytes_max_ && grown > state.size) return SQLITE_FULL;
      state.size = grown;
      state.pending.push_back(
          {offset, std::string(static_cast<const char*>(data), static_cast<std::size_t>(amount)),
           false});
    }
    return real(file)->pMethods->xWrite(real(file), data, amount, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    FaultFile& self = of(file);
    const std::lock_guard lock(self.disk->mutex_);
    const int code = self.disk->enter(SQLITE_IOERR_TRUNCATE);
    if (code != SQLITE_OK) return code;
    if (!self.path->empty()) {
      FaultDisk::File& state = self.disk->files_[*self.path];
      state.size = size;
      state.pending.push_back({size, {}, true});
    }
    return real(file)->pMethods->xTruncate(real(file), size);
  }
  static int sync(sqlite3_file* file, int) {
    FaultFile& self = of(file);
    const std::lock_guard lock(self.disk->mutex_);
    const int code = self.disk->enter(SQLITE_IOERR_FSYNC);
    if (code != SQLITE_OK) return code;
    if (self.path->empty()) return SQLITE_OK;
    FaultDisk::File& state = self.disk->files_[*self.path];
    for (const FaultDisk::Change& change : state.pending) FaultDisk::apply(state.durable, change);
    state.pending.clear();
    state.exists_durably = true;
    // Nothing is really synced: the durable half is what counts here.
    return SQLITE_OK;
  }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return real(file)->pMethods->xFileSize(real(file), size);
  }
  static int lock(sqlite3_file* file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
  }
  static int unlock(sqlite3_file* file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
  }
  static int check_reserved(sqlite3_file* file, int* result) {
    return real(file)->pMethods->xCheckReservedLock(real(file), result);
  }
  static int control(sqlite3_file* file, int what, void* argument) {
    // Growing or cutting by a hint would pass by the account of changes.
    if (what == SQLITE_FCNTL_SIZE_HINT || what == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
    return real(file)->pMethods->xFileControl(real(file), what, argument);
  }
  static int sector_size(sqlite3_file* file) {
    return real(file)->pMethods->xSectorSize(real(file));
  }
  static int characteristics(sqlite3_file* file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
  }
  static int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, memory);
  }
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
  }
  static void shm_barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
  static int shm_unmap(sqlite3_file* file, int remove) {
    return real(file)->pMethods->xShmUnmap(real(file), remove);
  }
};

namespace {

constexpr sqlite3_io_methods kMethods{
    .iVersion = 2,
    .xClose = FaultFile::close,
    .xRead = FaultFile::read,
    .xWrite = FaultFile::write,
    .xTruncate = FaultFile::truncate,
    .xSync = FaultFile::sync,
    .xFileSize = FaultFile::file_size,
    .xLock = FaultFile::lock,
    .xUnlock = FaultFile::unlock,
    .xCheckReservedLock = FaultFile::check_reserved,
    .xFileControl = FaultFile::control,
    .xSectorSize = FaultFile::sector_size,
    .xDeviceCharacteristics = FaultFile::characteristics,
    .xShmMap = FaultFile::shm_map,
    .xShmLock = FaultFile::shm_lock,
    .xShmBarrier = FaultFile::shm_barrier,
    .xShmUnmap = FaultFile::shm_unmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

constexpr std::size_t kSector = 512;

}  // namespace

struct FaultVfs {
  static FaultDisk& disk(sqlite3_vfs* vfs) { return *static_cast<FaultDisk*>(vfs->pAppData); }
  static sqlite3_vfs* real(sqlite3_vfs* vfs) { return disk(vfs).real_; }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
    file->pMethods = nullptr;
    FaultDisk& self = disk(vfs);
    {
      const std::lock_guard lock(self.mutex_);
      const int code = self.enter(SQLITE_CANTOPEN);
      if (code != SQLITE_OK) return code;
    }
    const int code = self.real_->xOpen(self.real_, path, FaultFile::real(file), flags, out);
    if (code != SQLITE_OK) return code;
    FaultFile::of(file).disk = &self;
    FaultFile::of(file).path = new std::string(path == nullptr ? "" : path);
    file->pMethods = &kMethods;
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int sync) {
    FaultDisk& self = disk(vfs);
    const std::lock_guard lock(self.mutex_);
    const int code = self.enter(SQLITE_IOERR_DELETE);
    if (code != SQLITE_OK) return code;
    self.files_.erase(path);
    return self.real_->xDelete(self.real_, path, sync);
  }
  static int access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
    return real(vfs)->xAccess(real(vfs), path, flags, result);
  }
  static int full_path(sqlite3_vfs* vfs, const char* path, int size, char* out) {
    return real(vfs)->xFullPathname(real(vfs), path, size, out);
  }
  static int randomness(sqlite3_vfs* vfs, int size, char* out) {
    return real(vfs)->xRandomness(real(vfs), size, out);
  }
  static int sleep(sqlite3_vfs* vfs, int us) { return real(vfs)->xSleep(real(vfs), us); }
  static int current_time(sqlite3_vfs* vfs, double* out) {
    return real(vfs)->xCurrentTime(real(vfs), out);
  }
  static int last_error(sqlite3_vfs* vfs, int size, char* out) {
    return real(vfs)->xGetLastError(real(vfs), size, out);
  }
  static int current_time_64(sqlite3_vfs* vfs, sqlite3_int64* out) {
    return real(vfs)->xCurrentTimeInt64(real(vfs), out);
  }
};

FaultDisk::FaultDisk() {
  static std::atomic<int> made{0};
  name_ = fmt::format("todoku-fault-{}", ++made);
  real_ = sqlite3_vfs_find(nullptr);
  vfs_.iVersion = 2;
  vfs_.szOsFile = static_cast<int>(sizeof(FaultFile)) + real_->szOsFile;
  vfs_.mxPathname = real_->mxPathname;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = FaultVfs::open;
  vfs_.xDelete = FaultVfs::remove;
  vfs_.xAccess = FaultVfs::access;
  vfs_.xFullPathname = FaultVfs::full_path;
  vfs_.xRandomness = FaultVfs::randomness;
  vfs_.xSleep = FaultVfs::sleep;
  vfs_.xCurrentTime = FaultVfs::current_time;
  vfs_.xGetLastError = FaultVfs::last_error;
  vfs_.xCurrentTimeInt64 = FaultVfs::current_time_64;
  sqlite3_vfs_register(&vfs_, 0);
}

FaultDisk::~FaultDisk() {
  sqlite3_vfs_unregister(&vfs_);
}

void FaultDisk::limit_bytes(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_max_ = bytes;
}

std::int64_t FaultDisk::bytes() const {
  const std::lock_guard lock(mutex_);
  std::int64_t all = 0;
  for (const auto& [path, file] : files_) all += file.size;
  return all;
}

void FaultDisk::fail_call(std::int64_t n, bool lasting) {
  const std::lock_guard lock(mutex_);
  failing_call_ = calls_ + n;
  failing_lasts_ = lasting;
  failed_ = false;
}

void FaultDisk::heal() {
  const std::lock_guard lock(mutex_);
  failing_call_ = 0;
}

std::int64_t FaultDisk::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

bool FaultDisk::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

void FaultDisk::lose_power_at(std::int64_t n, std::uint64_t seed, std::function<void()> at_loss) {
  const std::lock_guard lock(mutex_);
  losing_call_ = calls_ + n;
  seed_ = seed;
  at_loss_ = std::move(at_loss);
}

bool FaultDisk::power_lost() const {
  const std::lock_guard lock(mutex_);
  return lost_.has_value();
}

int FaultDisk::enter(int error) {
  ++calls_;
  if (calls_ == losing_call_) {
    SeededRandom random(seed_);
    lost_ = surviving(random);
    at_loss_();
  }
  if (failing_call_ != 0 &&
      (calls_ == failing_call_ || (failing_lasts_ && calls_ > failing_call_))) {
    failed_ = true;
    return error;
  }
  return SQLITE_OK;
}

void FaultDisk::apply(std::string& image, const Change& change) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.truncates) {
    image.resize(offset);
    return;
  }
  if (image.size() < offset + change.octets.size()) image.resize(offset + change.octets.size());
  std::ranges::copy(change.octets, image.begin() + change.offset);
}

// Of what is not synced, each change may have reached the disk or not, in any order of sectors; the
// last one may be torn.
FaultDisk::Image FaultDisk::surviving(SeededRandom& random) const {
  Image image;
  for (const auto& [path, file] : files_) {
    if (!file.exists_durably && random.below(2) == 0) continue;
    std::string octets = file.durable;
    const std::uint64_t luck = random.below(5);  // of 4: from nothing to everything
    for (const Change& change : file.pending) {
      if (change.truncates) {
        if (random.below(4) < luck) apply(octets, change);
        continue;
      }
      for (std::size_t at = 0; at < change.octets.size(); at += kSector) {
        if (random.below(4) >= luck) continue;
        apply(octets, {change.offset + static_cast<std::int64_t>(at),
                       change.octets.substr(at, kSector), false});
      }
    }
    image[path] = std::move(octets);
  }
  return image;
}

void FaultDisk::restore(const std::filesystem::path& directory) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [path, octets] : *lost_) {
    std::ofstream out(directory / std::filesystem::path(path).filename(), std::ios::binary);
    out.write(octets.data(), static_cast<std::streamsize>(octets.size()));
  }
}

}  // namespace todoku::store::sqlite
