// SPDX-License-Identifier: Apache-2.0
// Tokens of pixels: what is read is what would be written, and what is written reads back.
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.h"
#include "mail/open_token.h"

namespace {

std::string text_of(const todoku::OpenTokens& tokens, const todoku::OpenToken& token) {
  std::string out;
  std::string scratch;
  tokens.append(out, token, scratch);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  static constexpr std::array<std::uint8_t, 16> kSecret{'s', 'e', 'c', 'r', 'e', 't'};
  static const OpenTokens tokens(kSecret);
  static const TokenSeal seal(kSecret, "open tracking");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto token = tokens.read(text)) {
    check(text == text_of(tokens, *token), "there is one form");
  }
  // What a token may hold, whatever it says.
  if (size <= TokenSeal::kPlainOctetsMax) {
    std::string sealed;
    seal.append(sealed, text);
    check(seal.open(sealed) == text, "what is sealed opens");
    (void)tokens.read(sealed);
  }
  OpenToken token;
  if (size < 24) return 0;
  std::memcpy(&token.account, data, 8);
  std::memcpy(&token.delivery, data + 8, 8);
  std::memcpy(&token.batch, data + 16, 4);
  std::memcpy(&token.seq, data + 20, 4);
  token.account &= INT64_MAX;
  token.delivery &= INT64_MAX;
  const std::string written = text_of(tokens, token);
  check(written.size() <= OpenTokens::kTextOctetsMax, "a token is short");
  check(tokens.read(written) == token, "what is written reads back");
  return 0;
}
