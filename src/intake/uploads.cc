// SPDX-License-Identifier: Apache-2.0
#include "intake/uploads.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::intake {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

// Closes at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

ErrorKind kind_of(int error) {
  switch (error) {
    case ENOENT:
      return ErrorKind::not_found;
    case ENOSPC:
    case EDQUOT:
      return ErrorKind::unavailable;
    case ELOOP:  // a symbolic link
    case ENXIO:  // a socket
    case ENODEV:
      return ErrorKind::corrupt;
    default:
      return ErrorKind::io;
  }
}

std::unexpected<Error> refused(std::string_view what, const std::filesystem::path& path) {
  const int error = errno;
  return fail(kind_of(error), fmt::format("cannot {} {}: {}", what, path.filename().string(),
                                          std::generic_category().message(error)));
}

class FileReader final : public Uploads::Reader {
 public:
  FileReader(Descriptor file, std::uint64_t size, std::filesystem::path path)
      : file_(std::move(file)), size_(size), path_(std::move(path)) {}

  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read(std::span<char> into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      const ssize_t got = ::read(file_.get(), into.data() + filled, into.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return refused("read", path_);
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return filled;
  }

 private:
  const Descriptor file_;
  const std::uint64_t size_;
  const std::filesystem::path path_;
};

// Written beside its name and moved there when it is kept.
class FileWriter final : public Uploads::Writer {
 public:
  FileWriter(File file, std::filesystem::path beside, std::filesystem::path path,
             FolderUploads::Sync sync)
      : file_(std::move(file)), beside_(std::move(beside)), path_(std::move(path)), sync_(sync) {}
  ~FileWriter() override {
    std::error_code ignored;
    if (!kept_) std::filesystem::remove(beside_, ignored);
  }

  Result<void> write(std::string_view octets) override {
    if (std::fwrite(octets.data(), 1, octets.size(), file_.get()) == octets.size()) return {};
    return refused("write", path_);
  }
  Result<void> keep() override {
    // The name is in the folder, which is another file to the disk. Opened first, so that less can
    // go wrong when the name is there.
    const Descriptor folder(
        ::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open() || std::fflush(file_.get()) != 0 || sync_(::fileno(file_.get())) != 0 ||
        ::rename(beside_.c_str(), path_.c_str()) != 0) {
      return refused("keep", path_);
    }
    if (sync_(folder.get()) != 0) {
      auto failed = refused("keep", path_);
      ::unlink(path_.c_str());
      return failed;
    }
    kept_ = true;
    return {};
  }

 private:
  const File file_;
  const std::filesystem::path beside_;
  const std::filesystem::path path_;
  const FolderUploads::Sync sync_;
  bool kept_ = false;
};

// Files of ours in a folder that others use, too.
constexpr std::string_view kPrefix = "import-";
constexpr std::string_view kUpload = ".upload";
constexpr std::string_view kErrors = ".errors.zip";
constexpr std::string_view kEarlierErrors = ".errors.csv";
constexpr std::string_view kExportPrefix = "export-";
constexpr std::string_view kExport = ".zip";
constexpr std::string_view kPart = ".part";

bool is_export(std::string_view name) {
  return name.starts_with(kExportPrefix) && name.ends_with(kExport);
}

bool is_ours(std::string_view name) {
  if (is_export(name)) return true;
  return name.starts_with(kPrefix) &&
         (name.ends_with(kUpload) || name.ends_with(kErrors) || name.ends_with(kEarlierErrors));
}

// Takes a number and what follows it off the front of `text`.
std::optional<std::int64_t> take_number(std::string_view& text, std::string_view following) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  if (!text.starts_with(following)) return std::nullopt;
  text.remove_prefix(following.size());
  return number;
}

}  // namespace

std::string upload_name(std::string_view unique) {
  return fmt::format("{}{}{}", kPrefix, unique, kUpload);
}

std::string errors_name(store::AccountKey account, store::PublicId job) {
  return fmt::format("{}{}-{}{}", kPrefix, static_cast<std::int64_t>(account), job, kErrors);
}

std::string export_name(store::AccountKey account, store::PublicId job) {
  return fmt::format("{}{}-{}{}", kExportPrefix, static_cast<std::int64_t>(account), job, kExport);
}

std::optional<ErrorsOf> errors_named(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const auto account = take_number(name, "-");
  const auto job = account ? take_number(name, ".") : std::nullopt;
  if (!job || (name != kErrors.substr(1) && name != kEarlierErrors.substr(1))) return std::nullopt;
  return ErrorsOf{.account = store::AccountKey{*account}, .job = *job};
}

bool is_upload_file(std::string_view name) {
  return is_ours(name);
}

FolderUploads::FolderUploads(std::filesystem::path folder)
    : FolderUploads(std::move(folder), ::fsync) {}

// Names are ours alone, but whoever may write in the folder may put something else under them: no
// link is followed out of it, and no pipe waited at.
Result<std::unique_ptr<Uploads::Reader>> FolderUploads::open(std::string_view name) {
  auto path = folder_ / name;
  Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) return refused("read", path);
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return refused("read", path);
  if (!S_ISREG(facts.st_mode)) {
    return fail(ErrorKind::corrupt,
                fmt::format("cannot read {}: it is no regular file", path.filename().string()));
  }
  return std::make_unique<FileReader>(std::move(file), static_cast<std::uint64_t>(facts.st_size),
                                      std::move(path));
}

Result<std::unique_ptr<Uploads::Writer>> FolderUploads::create(std::string_view name) {
  constexpr mode_t kOwnersOnly = 0600;
  auto path = folder_ / name;
  auto beside = path;
  beside += fmt::format(".{}{}", to_hex(random_octets(6)), kPart);
  const int fd =
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kOwnersOnly);
  if (fd < 0) return refused("write", path);
  File file(::fdopen(fd, "wb"));
  if (!file) {
    auto failed = refused("write", path);
    ::close(fd);
    ::unlink(beside.c_str());
    return failed;
  }
  return std::make_unique<FileWriter>(std::move(file), std::move(beside), std::move(path), sync_);
}

void FolderUploads::remove(std::string_view name) {
  std::error_code ignored;
  std::filesystem::remove(folder_ / name, ignored);
}

Result<std::size_t> FolderUploads::sweep(const IsNamed& is_named) {
  std::error_code error;
  std::size_t swept = 0;
  std::filesystem::directory_iterator entries(folder_, error);
  for (const auto end = std::filesystem::directory_iterator(); !error && entries != end;
       entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::string_view kept = name;
    const bool is_part = kept.ends_with(kPart);
    if (is_part) {
      kept.remove_suffix(kPart.size());
      if (!is_ours(kept)) kept = kept.substr(0, kept.rfind('.'));
    }
    if (!is_ours(kept)) continue;
    if (!is_part && is_export(kept)) continue;
    if (!is_part) {
      const auto named = is_named(name);
      if (!named) return fail(named.error());
      if (*named) continue;
    }
    remove(name);
    ++swept;
  }
  if (error) {
    return fail(ErrorKind::io, fmt::format("cannot list the uploads: {}", error.message()));
  }
  return swept;
}

}  // namespace todoku::intake
