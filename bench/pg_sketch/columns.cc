// SPDX-License-Identifier: Apache-2.0
#include "columns.h"

namespace todoku::pg_sketch {

void put_be(std::string& out, std::uint64_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> static_cast<unsigned>(shift) & 0xFFU));
  }
}

void Column::add(std::int64_t value) {
  ++count_;
  put_be(values_, 8, 4);
  put_be(values_, static_cast<std::uint64_t>(value), 8);
}

void Column::add(std::optional<std::int64_t> value) {
  if (value) return add(*value);
  ++count_;
  has_null_ = true;
  put_be(values_, 0xFFFF'FFFFU, 4);
}

void Column::add(std::string_view value) {
  ++count_;
  put_be(values_, value.size(), 4);
  values_ += value;
}

// array_send(): dimensions, whether there are nulls, the element's type, size and lower bound.
std::string Column::array() const {
  std::string out;
  out.reserve(values_.size() + 20);
  put_be(out, count_ == 0 ? 0 : 1, 4);
  put_be(out, has_null_ ? 1 : 0, 4);
  put_be(out, element_, 4);
  if (count_ == 0) return out;
  put_be(out, count_, 4);
  put_be(out, 1, 4);
  return out += values_;
}

Oid Column::array_type() const {
  return element_ == kInt8 ? kInt8Array : element_ == kText ? kTextArray : kByteaArray;
}

Params& Params::operator<<(std::int64_t value) {
  types.push_back(kInt8);
  put_be(values.emplace_back().emplace(), static_cast<std::uint64_t>(value), 8);
  return *this;
}

Params& Params::operator<<(std::string_view value) {
  types.push_back(kText);
  values.emplace_back(value);
  return *this;
}

Params& Params::operator<<(std::nullptr_t) {
  types.push_back(0);
  values.emplace_back();
  return *this;
}

Params& Params::operator<<(const Column& column) {
  types.push_back(column.array_type());
  values.emplace_back(column.array());
  return *this;
}

std::int64_t Rows::integer(int row, int column) const {
  const std::string_view octets = text(row, column);
  // Sign extension from whatever width it has; a boolean is one octet, 0 or 1.
  std::int64_t value = !octets.empty() && (static_cast<unsigned char>(octets[0]) & 0x80U) ? -1 : 0;
  for (const char octet : octets) {
    value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << 8U |
                                      static_cast<unsigned char>(octet));
  }
  return value;
}

std::string_view Rows::text(int row, int column) const {
  return {PQgetvalue(result_, row, column),
          static_cast<std::size_t>(PQgetlength(result_, row, column))};
}

void put_text(std::string& out, std::string_view text) {
  put_be(out, text.size(), 4);
  out += text;
}

std::string_view take_text(std::string_view& in) {
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i)
    size = size << 8U | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
  const std::string_view text = in.substr(4, size);
  in.remove_prefix(4 + text.size());
  return text;
}

}  // namespace todoku::pg_sketch
