// SPDX-License-Identifier: Apache-2.0
// Where the bytes of uploads are, by name: lists to be imported, and what was wrong with them. An
// import is not bound to the node that took its upload: where several processes share a store they
// are in it (stored_uploads.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/keys.h"

namespace todoku::intake {

class Uploads {
 public:
  class Reader {
   public:
    virtual ~Reader() = default;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    // The next octets, at most as many as fit; 0 at the end. io if they cannot be read.
    [[nodiscard]] virtual Result<std::size_t> read(std::span<char> into) = 0;
  };
  class Writer {
   public:
    virtual ~Writer() = default;
    [[nodiscard]] virtual Result<void> write(std::string_view octets) = 0;
    // Everything written is kept from now on. Once; without it nothing is.
    [[nodiscard]] virtual Result<void> keep() = 0;
  };

  virtual ~Uploads() = default;
  // Errors: not_found, corrupt (what has this name is nothing that was kept), io.
  [[nodiscard]] virtual Result<std::unique_ptr<Reader>> open(std::string_view name) = 0;
  // Takes the place of what was kept under this name; of several writers, the one that keeps last.
  // Errors: unavailable (the disk is full), io.
  [[nodiscard]] virtual Result<std::unique_ptr<Writer>> create(std::string_view name) = 0;
  // Succeeds as well when there is nothing.
  virtual void remove(std::string_view name) = 0;
  // Removes what upload_name() and errors_name() named and nothing `is_named` by, and what was
  // begun and never kept, of exports too; an export that was kept is its job's. Before anything is
  // created: what is in the making has no name yet. The number removed. Errors: io, and those of
  // `is_named`.
  using IsNamed = std::function<Result<bool>(std::string_view name)>;
  [[nodiscard]] virtual Result<std::size_t> sweep(const IsNamed& is_named) = 0;
};

// The names of an uploaded list and of the archive that tells what was wrong with one.
[[nodiscard]] std::string upload_name(std::string_view unique);
[[nodiscard]] std::string errors_name(store::AccountKey account, store::PublicId job);
// The name of what an export job has made.
[[nodiscard]] std::string export_name(store::AccountKey account, store::PublicId job);
// Whose errors_name() it is, or that of an earlier version, which kept a CSV; nullopt if it is
// none.
struct ErrorsOf {
  store::AccountKey account{};
  store::PublicId job = 0;
};
[[nodiscard]] std::optional<ErrorsOf> errors_named(std::string_view name);
// Whether a file of that name in the folder is one of uploads, errors or exports.
[[nodiscard]] bool is_upload_file(std::string_view name);

// Files in one folder, for a process that has its store to itself. Blocks, but for nothing that is
// in the place of a file (a pipe, say); for threads that may.
class FolderUploads final : public Uploads {
 public:
  // fsync(2), or what a test has in its place.
  using Sync = int (*)(int fd);
  explicit FolderUploads(std::filesystem::path folder);
  FolderUploads(std::filesystem::path folder, Sync sync)
      : folder_(std::move(folder)), sync_(sync) {}
  [[nodiscard]] Result<std::unique_ptr<Reader>> open(std::string_view name) override;
  [[nodiscard]] Result<std::unique_ptr<Writer>> create(std::string_view name) override;
  void remove(std::string_view name) override;
  [[nodiscard]] Result<std::size_t> sweep(const IsNamed& is_named) override;

 private:
  const std::filesystem::path folder_;
  const Sync sync_;
};

}  // namespace todoku::intake
