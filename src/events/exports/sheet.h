// SPDX-License-Identifier: Apache-2.0
// The CSV of an export while it is made: in memory, and bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::events::exports {

class Sheet {
 public:
  // Some two million rows of an error list.
  static constexpr std::size_t kOctetsMax = std::size_t{256} << 20U;

  // `told`: how far the job is, in percent; false: nobody wants it any more.
  explicit Sheet(std::function<bool(std::int32_t)> told, std::size_t octets_max = kOctetsMax)
      : told_(std::move(told)), octets_max_(octets_max) {}

  // The first line; not counted.
  void header(std::initializer_list<std::string_view> names);
  // limit_exceeded: it is too large.
  [[nodiscard]] Result<void> row(std::initializer_list<std::string_view> cells);
  // cancelled: the job is somebody else's, or the engine stops.
  [[nodiscard]] Result<void> at(std::int32_t percentage);

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::span<const std::string> pieces() const { return pieces_; }

 private:
  void add(std::initializer_list<std::string_view> cells);

  std::function<bool(std::int32_t)> told_;
  const std::size_t octets_max_;
  std::vector<std::string> pieces_;  // so that nothing grows by being copied
  std::size_t octets_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace todoku::events::exports
