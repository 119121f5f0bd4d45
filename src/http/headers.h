// SPDX-License-Identifier: Apache-2.0
// Header fields of a message in the order they came, names compared without case
// (RFC 9110 section 5). All text lives in one buffer that clear() keeps, so that a connection
// reading request after request allocates nothing for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace todoku::http {

class Headers {
 public:
  // Views are valid until the next non-const call.
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  void add(std::string_view name, std::string_view value);
  // Replaces every field of that name.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  void clear();

  // The first field of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  // The first field of that name, or nothing at all: for headers where empty means absent.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;

  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] bool empty() const { return slots_.empty(); }
  [[nodiscard]] Field operator[](std::size_t index) const;

 private:
  struct Slot {
    std::uint32_t name_at;
    std::uint32_t name_size;
    std::uint32_t value_at;
    std::uint32_t value_size;
  };

  std::string text_;
  std::vector<Slot> slots_;
};

}  // namespace todoku::http
