// SPDX-License-Identifier: Apache-2.0
#include "mail/open_token.h"

#include <limits>

#include "mail/varint.h"

namespace todoku {
namespace {

constexpr char kForm = 1;
constexpr auto kSeqMax = std::numeric_limits<std::uint32_t>::max();
constexpr auto kKeyMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

}  // namespace

void OpenTokens::append(std::string& out, const OpenToken& token, std::string& scratch) const {
  scratch.assign(1, kForm);
  append_varint(scratch, static_cast<std::uint64_t>(token.account));
  append_varint(scratch, static_cast<std::uint64_t>(token.delivery));
  append_varint(scratch, token.batch);
  append_varint(scratch, token.seq);
  seal_.append(out, scratch);
}

std::optional<OpenToken> OpenTokens::read(std::string_view text) const {
  if (text.size() > kTextOctetsMax) return std::nullopt;
  const auto plain = seal_.open(text);
  if (!plain || !plain->starts_with(kForm)) return std::nullopt;
  std::string_view rest = std::string_view(*plain).substr(1);
  const auto account = read_varint(rest);
  const auto delivery = read_varint(rest);
  const auto batch = read_varint(rest);
  const auto seq = read_varint(rest);
  if (!account || !delivery || !batch || !seq || !rest.empty()) return std::nullopt;
  if (*account > kKeyMax || *delivery > kKeyMax || *batch > kSeqMax || *seq > kSeqMax) {
    return std::nullopt;
  }
  return OpenToken{static_cast<std::int64_t>(*account), static_cast<std::int64_t>(*delivery),
                   static_cast<std::uint32_t>(*batch), static_cast<std::uint32_t>(*seq)};
}

}  // namespace todoku
