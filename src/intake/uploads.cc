// SPDX-License-Identifier: Apache-2.0
#include "intake/uploads.h"

#include <cerrno>
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

}  // namespace

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
  beside += ".part";
  File file(std::fopen(beside.c_str(), "wb"));
  if (!file) return refused("write", path);
  return std::make_unique<FileWriter>(std::move(file), std::move(beside), std::move(path));
}

void FolderUploads::remove(std::string_view name) {
  std::error_code ignored;
  std::filesystem::remove(folder_ / name, ignored);
}

}  // namespace todoku::intake
