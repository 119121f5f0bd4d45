// SPDX-License-Identifier: Apache-2.0
#include "mail/unsubscribe_token.h"

#include <limits>

#include "mail/varint.h"

namespace todoku {
namespace {

constexpr char kUnsubscribeForm = 1;
// The octet before the list's id says one less than it has.
constexpr char kLongListForm = 2;
constexpr std::size_t kShortListOctetsMax = 255;
constexpr std::size_t kListOctetsMax = 4 * kListIdCharactersMax;
static_assert(kListOctetsMax - 1 <= kShortListOctetsMax);

template <class Number>
bool take_number(std::string_view& in, Number& out) {
  const auto number = read_varint(in);
  if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<Number>::max())) {
    return false;
  }
  out = static_cast<Number>(*number);
  return true;
}

}  // namespace

void UnsubscribeTokens::append(std::string& out, const Copy& copy, std::string_view list_id,
                               std::string_view address, std::string& scratch) const {
  if (address.empty() || address.size() > kAddressOctetsMax) return;
  if (list_id.size() > kListOctetsMax) list_id = {};
  const bool is_long = list_id.size() > kShortListOctetsMax;
  scratch.assign(1, is_long ? kLongListForm : kUnsubscribeForm);
  append_varint(scratch, static_cast<std::uint64_t>(copy.account));
  append_varint(scratch, static_cast<std::uint64_t>(copy.delivery));
  append_varint(scratch, copy.batch);
  append_varint(scratch, copy.seq);
  scratch += static_cast<char>(list_id.size() - (is_long ? 1 : 0));
  scratch += list_id;
  scratch += address;
  seal_.append(out, scratch);
}

std::optional<UnsubscribeToken> UnsubscribeTokens::read(std::string_view text) const {
  if (text.size() > kTextOctetsMax) return std::nullopt;
  const auto plain = seal_.open(text);
  if (!plain || plain->empty()) return std::nullopt;
  const bool is_long = plain->front() == kLongListForm;
  if (!is_long && plain->front() != kUnsubscribeForm) return std::nullopt;
  std::string_view rest = std::string_view(*plain).substr(1);
  UnsubscribeToken token;
  const bool has_numbers = take_number(rest, token.account) && take_number(rest, token.delivery) &&
                           take_number(rest, token.batch) && take_number(rest, token.seq);
  if (!has_numbers || rest.empty()) return std::nullopt;
  const std::size_t list_octets = std::size_t{static_cast<std::uint8_t>(rest.front())} + is_long;
  rest.remove_prefix(1);
  if (rest.size() <= list_octets) return std::nullopt;
  token.list_id = rest.substr(0, list_octets);
  token.address = rest.substr(list_octets);
  return token;
}

}  // namespace todoku
