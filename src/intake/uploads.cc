// SPDX-License-Identifier: Apache-2.0
#include "intake/uploads.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace todoku::intake {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

std::unexpected<Error> refused(std::string_view what, const std::filesystem::path& path) {
  const ErrorKind kind = errno == ENOENT   ? ErrorKind::not_found
                         : errno == ENOSPC ? ErrorKind::unavailable
                                           : ErrorKind::io;
  return fail(kind, fmt::format("cannot {} {}: {}", what, path.filename().string(),
                                std::generic_category().message(errno)));
}

class FileReader final : public Uploads::Reader {
 public:
  FileReader(File file, std::uint64_t size, std::filesystem::path path)
      : file_(std::move(file)), size_(size), path_(std::move(path)) {}

  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read(std::span<char> into) override {
    const std::size_t got = std::fread(into.data(), 1, into.size(), file_.get());
    if (got == 0 && std::ferror(file_.get()) != 0) return refused("read", path_);
    return got;
  }

 private:
  const File file_;
  const std::uint64_t size_;
  const std::filesystem::path path_;
};

// Written beside its name and moved there when it is kept.
class FileWriter final : public Uploads::Writer {
 public:
  FileWriter(File file, std::filesystem::path beside, std::filesystem::path path)
      : file_(std::move(file)), beside_(std::move(beside)), path_(std::move(path)) {}
  ~FileWriter() override {
    std::error_code ignored;
    if (!kept_) std::filesystem::remove(beside_, ignored);
  }

  Result<void> write(std::string_view octets) override {
    if (std::fwrite(octets.data(), 1, octets.size(), file_.get()) == octets.size()) return {};
    return refused("write", path_);
  }
  Result<void> keep() override {
    if (std::fflush(file_.get()) != 0 || ::fsync(::fileno(file_.get())) != 0 ||
        ::rename(beside_.c_str(), path_.c_str()) != 0) {
      return refused("keep", path_);
    }
    // The name is in the folder, which is another file to the disk.
    const int folder = ::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = folder >= 0 && ::fsync(folder) == 0;
    if (folder >= 0) ::close(folder);
    if (!synced) return refused("keep", path_);
    kept_ = true;
    return {};
  }

 private:
  const File file_;
  const std::filesystem::path beside_;
  const std::filesystem::path path_;
  bool kept_ = false;
};

// Files of ours in a folder that others use, too.
constexpr std::string_view kPrefix = "import-";
constexpr std::string_view kUpload = ".upload";
constexpr std::string_view kErrors = ".errors.csv";
constexpr std::string_view kPart = ".part";

bool is_ours(std::string_view name) {
  return name.starts_with(kPrefix) && (name.ends_with(kUpload) || name.ends_with(kErrors));
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

std::optional<ErrorsOf> errors_named(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  const auto account = take_number(name, "-");
  const auto job = account ? take_number(name, kErrors) : std::nullopt;
  if (!job || !name.empty()) return std::nullopt;
  return ErrorsOf{.account = store::AccountKey{*account}, .job = *job};
}

Result<std::unique_ptr<Uploads::Reader>> FolderUploads::open(std::string_view name) {
  auto path = folder_ / name;
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) return refused("read", path);
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) return fail(ErrorKind::io, error.message());
  return std::make_unique<FileReader>(std::move(file), size, std::move(path));
}

Result<std::unique_ptr<Uploads::Writer>> FolderUploads::create(std::string_view name) {
  auto path = folder_ / name;
  auto beside = path;
  beside += kPart;
  File file(std::fopen(beside.c_str(), "wb"));
  if (!file) return refused("write", path);
  return std::make_unique<FileWriter>(std::move(file), std::move(beside), std::move(path));
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
    if (is_part) kept.remove_suffix(kPart.size());
    if (!is_ours(kept)) continue;
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
