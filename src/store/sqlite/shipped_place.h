// SPDX-License-Identifier: Apache-2.0
// Where a store's log is shipped to: named octets, each written once as a whole. All block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::store::sqlite {

inline constexpr std::string_view kUnfinished = ".part";

class ShippedPlace {
 public:
  virtual ~ShippedPlace() = default;

  // When shipping begins, until it has succeeded once: makes what put() needs. `store`: a file
  // whose loss it is to outlive; a warning is logged where it would not.
  [[nodiscard]] virtual Result<void> begin(const std::filesystem::path& store) = 0;
  // Names are of letters, digits, '-', '.' and one or two '/' between them.
  struct Entry {
    std::string name;
    Instant written{};
  };
  // By name, in folders that are named as ours are (shipped_names.h); something that is not ours
  // may be among them. What a put() has not finished ends in kUnfinished. A place that is not there
  // has nothing.
  [[nodiscard]] virtual Result<std::vector<Entry>> list() = 0;
  // Whole and kept when it has answered, or not there. Replaces what was there.
  [[nodiscard]] virtual Result<void> put(const std::string& name, std::string_view octets) = 0;
  // Errors also: not_found, corrupt (it has more octets than `most`).
  [[nodiscard]] virtual Result<std::string> get(const std::string& name, std::size_t most) = 0;
  // Nothing there is fine.
  [[nodiscard]] virtual Result<void> remove(const std::string& name) = 0;
  // For people.
  [[nodiscard]] virtual std::string describe() const = 0;
};

// A folder: on another disk, or mounted from another machine. It is made at the beginning if need
// be, but not the one that it is in; once it has begun it is not made anew: a mount that goes
// leaves no folder that would be taken for it.
class FolderPlace final : public ShippedPlace {
 public:
  explicit FolderPlace(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] Result<void> begin(const std::filesystem::path& store) override;
  [[nodiscard]] Result<std::vector<Entry>> list() override;
  [[nodiscard]] Result<void> put(const std::string& name, std::string_view octets) override;
  [[nodiscard]] Result<std::string> get(const std::string& name, std::size_t most) override;
  [[nodiscard]] Result<void> remove(const std::string& name) override;
  [[nodiscard]] std::string describe() const override { return folder_.string(); }

 private:
  [[nodiscard]] Result<void> make_folder(const std::filesystem::path& path) const;
  [[nodiscard]] Result<void> list_folder(const std::string& name, std::vector<Entry>& into) const;

  const std::filesystem::path folder_;
};

}  // namespace todoku::store::sqlite
