// SPDX-License-Identifier: Apache-2.0
// Where the bytes of uploads are, by name: lists to be imported, and what was wrong with them. An
// import is not bound to the node that took its upload.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

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
  // not_found, io.
  [[nodiscard]] virtual Result<std::unique_ptr<Reader>> open(std::string_view name) = 0;
  // Takes the place of what was kept under this name.
  [[nodiscard]] virtual Result<std::unique_ptr<Writer>> create(std::string_view name) = 0;
  // Succeeds as well when there is nothing.
  virtual void remove(std::string_view name) = 0;
};

// Files in one folder, for a process that has its store to itself. Blocks; for threads that may.
class FolderUploads final : public Uploads {
 public:
  explicit FolderUploads(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] Result<std::unique_ptr<Reader>> open(std::string_view name) override;
  [[nodiscard]] Result<std::unique_ptr<Writer>> create(std::string_view name) override;
  void remove(std::string_view name) override;

 private:
  const std::filesystem::path folder_;
};

}  // namespace todoku::intake
