// SPDX-License-Identifier: Apache-2.0
#include "events/journal/segments.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace todoku::events::journal {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "journal-";
constexpr std::string_view kSuffix = ".tdj";
// Ours are not longer by far; what is, is not read into memory.
constexpr std::size_t kSegmentOctetsMax = std::size_t{64} << 20U;

std::unexpected<Error> refused(std::string_view what, const fs::path& path) {
  const ErrorKind kind =
      errno == ENOSPC || errno == EDQUOT ? ErrorKind::unavailable : ErrorKind::io;
  return fail(kind, fmt::format("cannot {} {}: {}", what, path.string(),
                                std::generic_category().message(errno)));
}

struct File {
  std::uint64_t ordinal = 0;
  fs::path path;
};

std::optional<std::uint64_t> ordinal_in(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(std::min(kSuffix.size(), name.size()));
  std::uint64_t ordinal = 0;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), ordinal);
  if (error != std::errc() || rest != name.data() + name.size()) return std::nullopt;
  return ordinal;
}

fs::path path_of(const fs::path& folder, std::uint64_t ordinal) {
  return folder / fmt::format("{}{:08}{}", kPrefix, ordinal, kSuffix);
}

Result<std::vector<File>> files_in(const fs::path& folder) {
  std::vector<File> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto ordinal = ordinal_in(entry->path().filename().string());
    if (ordinal) files.push_back({*ordinal, entry->path()});
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return fail(ErrorKind::io, fmt::format("the journal's folder {} cannot be read: {}",
                                           folder.string(), error.message()));
  }
  std::ranges::sort(files, {}, &File::ordinal);
  return files;
}

// Who may write in the folder may put something else there: no link is followed, no pipe waited at.
// At most so many of its first.
Result<std::string> octets_of(const fs::path& path, std::size_t most = kSegmentOctetsMax) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return refused("open", path);
  std::string octets;
  struct stat facts{};
  const bool is_file = ::fstat(file, &facts) == 0 && S_ISREG(facts.st_mode);
  if (!is_file || static_cast<std::size_t>(facts.st_size) > kSegmentOctetsMax) {
    ::close(file);
    return fail(ErrorKind::io, fmt::format("{} is no file of a journal", path.string()));
  }
  octets.resize(std::min(static_cast<std::size_t>(facts.st_size), most));
  std::size_t taken = 0;
  while (taken < octets.size()) {
    const ssize_t now = ::read(file, octets.data() + taken, octets.size() - taken);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) {
      const auto error = refused("read", path);
      ::close(file);
      return error;
    }
    if (now == 0) break;  // it was cut off meanwhile
    taken += static_cast<std::size_t>(now);
  }
  octets.resize(taken);
  ::close(file);
  return octets;
}

// By name: a folder that was just mounted has it, too.
Result<void> sync_folder(const fs::path& folder) {
  const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return refused("open", folder);
  const bool synced =
      ::fsync(opened) == 0 || errno == EINVAL;  // a mounted bucket has no such thing
  const int reason = errno;
  ::close(opened);
  errno = reason;
  return synced ? Result<void>() : refused("sync", folder);
}

// The number of a file's first record; nullopt: it has none of this store.
Result<std::optional<std::uint64_t>> first_number_in(const fs::path& path, std::string_view store) {
  constexpr std::size_t kHeadOctets = std::size_t{64} << 10U;
  for (const std::size_t most : {kHeadOctets, kSegmentOctetsMax}) {
    const auto octets = octets_of(path, most);
    if (!octets) return fail(octets.error());
    auto reader = SegmentReader::of(*octets);
    if (reader && reader->header().store != store) break;
    const auto record = reader ? reader->next() : std::nullopt;
    if (record) return record->number;
    if (octets->size() < most) break;
  }
  return std::nullopt;
}

// The place of a file before which all have numbers up to this one only. Whoever lost its lease in
// the middle of a record may have begun a file with a number that an earlier file is beyond: so it
// is not the last that begins with so low a number, but one before.
Result<std::size_t> first_to_read(std::span<const File> files, std::string_view store,
                                  std::uint64_t number) {
  std::size_t before = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto first = first_number_in(files[i].path, store);
    if (!first) return fail(first.error());
    if (!*first) continue;
    if (**first > number) break;
    before = std::exchange(last, i);
  }
  return before;
}

}  // namespace

Result<End> end_of(const fs::path& folder) {
  const auto files = files_in(folder);
  if (!files) return fail(files.error());
  End end;
  if (files->empty()) return end;
  end.ordinal = files->back().ordinal;
  for (auto file = files->rbegin(); file != files->rend() && end.number == 0; ++file) {
    const auto octets = octets_of(file->path);
    if (!octets) return fail(octets.error());
    auto reader = SegmentReader::of(*octets);
    if (!reader) continue;  // whoever began it died before its head was written
    if (end.store.empty()) end.store = reader->header().store;
    while (const auto record = reader->next()) {
      end.number = record->number;
      end.place = record->place;
      end.written = record->written;
      end.store = reader->header().store;
    }
  }
  return end;
}

Result<Reading> read(const fs::path& folder, std::string_view store, std::uint64_t number,
                     const std::function<Result<bool>(const Record&)>& each) {
  const auto files = files_in(folder);
  if (!files) return fail(files.error());
  const auto first = first_to_read(*files, store, number);
  if (!first) return fail(first.error());
  Reading reading;
  std::uint64_t last = number;
  bool enough = false;
  for (const File& file : std::span(*files).subspan(*first)) {
    const auto octets = octets_of(file.path);
    if (!octets) return fail(octets.error());
    auto reader = SegmentReader::of(*octets);
    if (reader && reader->header().store != store) continue;
    while (reader) {
      const auto record = reader->next();
      if (!record) break;
      if (record->number <= number) continue;
      if (enough && record->number > last) {
        reading.ended = false;
        return reading;
      }
      if (record->number > last + 1) reading.missing += record->number - last - 1;
      last = std::max(last, record->number);
      ++reading.records;
      const auto more = each(*record);
      if (!more) return fail(more.error());
      enough = enough || !*more;
    }
    // What lies before the first that is read was counted by whoever read that.
    if (reading.records > 0) reading.torn += reader ? reader->torn() : octets->size();
  }
  return reading;
}

Result<std::size_t> drop_older(const fs::path& folder, Instant before) {
  const auto files = files_in(folder);
  if (!files) return fail(files.error());
  std::size_t dropped = 0;
  Result<void> kept;  // what the first one said that stays
  for (std::size_t i = 0; i + 1 < files->size(); ++i) {
    const fs::path& path = (*files)[i].path;
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0) continue;
    if (from_epoch_ms(std::int64_t{facts.st_mtim.tv_sec} * 1'000) >= before) break;
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) {
      ++dropped;
    } else if (kept) {
      kept = refused("remove", path);
    }
  }
  return kept ? Result<std::size_t>(dropped) : fail(std::move(kept.error()));
}

Result<Segment> Segment::begin(const fs::path& folder, const std::string& store,
                               std::uint64_t last_ordinal) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return refused("make", folder);
  constexpr int kOthersInBetween = 100;
  for (std::uint64_t ordinal = last_ordinal + 1; ordinal <= last_ordinal + kOthersInBetween;
       ++ordinal) {
    const fs::path path = path_of(folder, ordinal);
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) continue;
    if (file < 0) return refused("make", path);
    Segment segment(file, ordinal);
    auto begun = segment.append(pack(Header{.store = store, .ordinal = ordinal}));
    if (begun) begun = sync_folder(folder);
    if (!begun) {
      // Else a full disk would get another one without a head at every try.
      ::unlink(path.c_str());
      return fail(std::move(begun.error()));
    }
    return segment;
  }
  return fail(ErrorKind::io,
              fmt::format("others write to the journal's folder {} as well", folder.string()));
}

Segment::~Segment() {
  if (file_ >= 0) ::close(file_);
}

Segment::Segment(Segment&& other) noexcept
    : file_(std::exchange(other.file_, -1)), ordinal_(other.ordinal_), octets_(other.octets_) {}

Segment& Segment::operator=(Segment&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(ordinal_, other.ordinal_);
  std::swap(octets_, other.octets_);
  return *this;
}

Result<void> Segment::append(std::string_view octets) {
  const auto failed = [this] {
    return refused("write to file", fmt::format("{} of the journal", ordinal_));
  };
  octets_ += octets.size();
  while (!octets.empty()) {
    const ssize_t now = ::write(file_, octets.data(), octets.size());
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return failed();
    octets.remove_prefix(static_cast<std::size_t>(now));
  }
  return ::fdatasync(file_) == 0 ? Result<void>() : failed();
}

}  // namespace todoku::events::journal
