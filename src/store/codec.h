// SPDX-License-Identifier: Apache-2.0
// Compact encodings of what is stored per recipient.
//
//   varint   LEB128: 7 bits a byte, least significant first, high bit = more follow
//   zigzag   varint of (n << 1) ^ (n >> 63), for signed values near zero
//   text     varint length, octets
//
// Readers never trust what they read: the first thing out of place sets failed() and everything
// after it reads as zero or empty.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace todoku::store {

inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7U;
  }
  out.push_back(static_cast<char>(value));
}

inline void put_zigzag(std::string& out, std::int64_t value) {
  put_varint(out,
             (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
}

inline void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

class BlobReader {
 public:
  explicit BlobReader(std::string_view octets) : rest_(octets) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }

  [[nodiscard]] std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto octet = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(octet & 0x7FU) << shift;
      if (octet < 0x80) return value;
    }
    give_up();
    return 0;
  }
  [[nodiscard]] std::int64_t zigzag() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1));
  }
  [[nodiscard]] std::uint8_t octet() {
    if (rest_.empty()) {
      give_up();
      return 0;
    }
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  [[nodiscard]] std::string_view text() {
    const std::uint64_t size = varint();
    return octets(size);
  }
  [[nodiscard]] std::string_view octets(std::uint64_t size) {
    if (size > rest_.size()) {
      give_up();
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

 private:
  void give_up() {
    failed_ = true;
    rest_ = {};
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace todoku::store
