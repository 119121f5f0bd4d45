// SPDX-License-Identifier: Apache-2.0
#include "mime/message_id.h"

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::mime {
namespace {

struct Block {
  std::uint64_t left;
  std::uint64_t right;
};

constexpr int kRounds = 4;

class RoundFunction {
 public:
  explicit RoundFunction(std::span<const std::uint8_t, 16> secret)
      : key0_(word(secret.first<8>())), key1_(word(secret.last<8>())) {}

  [[nodiscard]] std::uint64_t operator()(int round, std::uint64_t half) const {
    std::array<char, 10> input;
    input[0] = 'i';  // apart from what else is hashed with this secret
    input[1] = static_cast<char>(round);
    for (std::size_t i = 0; i < 8; ++i) input[2 + i] = static_cast<char>(half >> (8 * i));
    return siphash64(key0_, key1_, {input.data(), input.size()});
  }

 private:
  static std::uint64_t word(std::span<const std::uint8_t, 8> octets) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < octets.size(); ++i) value |= std::uint64_t{octets[i]} << (8 * i);
    return value;
  }

  std::uint64_t key0_;
  std::uint64_t key1_;
};

Block encipher(Block block, const RoundFunction& mixed) {
  for (int round = 0; round < kRounds; ++round) {
    block = {block.right, block.left ^ mixed(round, block.right)};
  }
  return block;
}

Block decipher(Block block, const RoundFunction& mixed) {
  for (int round = kRounds; round-- > 0;) {
    block = {block.right ^ mixed(round, block.left), block.left};
  }
  return block;
}

std::optional<std::uint64_t> read_hex(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const bool is_digit = c >= '0' && c <= '9';
    const bool is_lower = c >= 'a' && c <= 'f';
    const bool is_upper = c >= 'A' && c <= 'F';
    if (!is_digit && !is_lower && !is_upper) return std::nullopt;
    const int digit = is_digit ? c - '0' : is_lower ? c - 'a' + 10 : c - 'A' + 10;
    value = value << 4U | static_cast<std::uint64_t>(digit);
  }
  return value;
}

}  // namespace

std::array<char, kMessageIdDigits> seal_copy(const CopyNumbers& copy,
                                             std::span<const std::uint8_t, 16> secret) {
  const Block sealed = encipher(
      {static_cast<std::uint64_t>(copy.delivery), std::uint64_t{copy.batch} << 32U | copy.seq},
      RoundFunction(secret));
  std::array<char, kMessageIdDigits> text;
  write_hex(sealed.left, std::span(text).first<16>());
  write_hex(sealed.right, std::span(text).last<16>());
  return text;
}

std::optional<CopyNumbers> open_message_id(std::string_view message_id,
                                           std::span<const std::uint8_t, 16> secret) {
  if (message_id.starts_with('<')) message_id.remove_prefix(1);
  const std::string_view local = message_id.substr(0, message_id.find('@'));
  if (local.size() != kMessageIdDigits || local.size() == message_id.size()) return std::nullopt;
  const auto left = read_hex(local.substr(0, 16));
  const auto right = read_hex(local.substr(16));
  if (!left || !right) return std::nullopt;
  const Block opened = decipher({*left, *right}, RoundFunction(secret));
  const CopyNumbers copy{.delivery = static_cast<std::int64_t>(opened.left),
                         .batch = static_cast<std::uint32_t>(opened.right >> 32U),
                         .seq = static_cast<std::uint32_t>(opened.right)};
  if (copy.delivery <= 0) return std::nullopt;
  return copy;
}

}  // namespace todoku::mime
