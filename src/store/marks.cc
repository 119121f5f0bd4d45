// SPDX-License-Identifier: Apache-2.0
#include "store/marks.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::store {

// No address begins with such an octet.
std::uint64_t hash_of(const AddressHash& hash, const Mark& mark) {
  if (mark.kind == MarkKind::message_id) return hash(fmt::format("\x02{}", mark.text));
  return hash(fmt::format("\x01{}:{}", static_cast<std::int64_t>(mark.account), mark.text));
}

std::vector<Mark> marks_of(const Attached& attached, AccountKey account) {
  std::vector<Mark> marks;
  if (!attached.reference.empty()) {
    marks.push_back({MarkKind::reference, attached.reference, account});
  }
  if (!attached.message_id.empty()) {
    marks.push_back({MarkKind::message_id, attached.message_id, account});
  }
  return marks;
}

std::vector<Mark> marks_of(std::span<const InsertCode> codes, AccountKey account) {
  Attached attached;
  for (const InsertCode& code : codes) {
    if (is_attached_key(code.key)) take_attached(code.key, code.value, attached);
  }
  return marks_of(attached, account);
}

bool has_mark(const Attached& attached, const Mark& mark) {
  if (mark.text.empty()) return false;
  return mark.kind == MarkKind::reference ? attached.reference == mark.text
                                          : equals_ignoring_case(attached.message_id, mark.text);
}

}  // namespace todoku::store
