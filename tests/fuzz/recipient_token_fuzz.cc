// SPDX-License-Identifier: Apache-2.0
// Recipient tokens: what is read is what would be written, and what is written reads back.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "mail/recipient_token.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace todoku;
  static const std::string kSecret(16, 's');
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto token = decode_recipient_token(text, kSecret)) {
    check(to_ascii_lower(text) == encode_recipient_token(*token, kSecret), "there is one form");
  }
  RecipientToken token;
  if (size < sizeof token.delivery + sizeof token.batch + sizeof token.seq) return 0;
  std::memcpy(&token.delivery, data, sizeof token.delivery);
  std::memcpy(&token.batch, data + sizeof token.delivery, sizeof token.batch);
  std::memcpy(&token.seq, data + sizeof token.delivery + sizeof token.batch, sizeof token.seq);
  const std::string local = encode_recipient_token(token, kSecret);
  check(local.size() <= 64, "a local part that fits");
  check(decode_recipient_token(local, kSecret) == token, "what is written reads back");
  return 0;
}
