// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/wire.h"

#include <charconv>

namespace todoku::store::postgres {

void put_big_endian(std::string& out, std::uint64_t value, int octets) {
  for (int shift = (octets - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> static_cast<unsigned>(shift) & 0xFFU));
  }
}

void Column::add_integer(std::int64_t value) {
  ++count_;
  put_big_endian(values_, 8, 4);
  put_big_endian(values_, static_cast<std::uint64_t>(value), 8);
}

void Column::add_null() {
  ++count_;
  has_null_ = true;
  put_big_endian(values_, 0xFFFF'FFFFU, 4);
}

void Column::add(std::string_view value) {
  ++count_;
  put_big_endian(values_, value.size(), 4);
  values_ += value;
}

// As array_send() writes it: dimensions, whether there are nulls, the element's type, size and
// lower bound.
std::string Column::array() const {
  constexpr std::size_t kHead = 20;
  std::string out;
  out.reserve(values_.size() + kHead);
  put_big_endian(out, count_ == 0 ? 0 : 1, 4);
  put_big_endian(out, has_null_ ? 1 : 0, 4);
  put_big_endian(out, element_, 4);
  if (count_ == 0) return out;
  put_big_endian(out, count_, 4);
  put_big_endian(out, 1, 4);
  out += values_;
  return out;
}

Oid Column::array_type() const {
  return element_ == kInt8 ? kInt8Array : element_ == kText ? kTextArray : kByteaArray;
}

void Params::add_integer(std::int64_t value) {
  types.push_back(kInt8);
  put_big_endian(values.emplace_back().emplace(), static_cast<std::uint64_t>(value), 8);
}

void Params::add_null(Oid type) {
  types.push_back(type);
  values.emplace_back();
}

Params& Params::operator<<(std::string_view value) {
  types.push_back(kText);
  values.emplace_back(value);
  return *this;
}

Params& Params::operator<<(Octets value) {
  types.push_back(kBytea);
  values.emplace_back(value.octets);
  return *this;
}

Params& Params::operator<<(const Column& column) {
  types.push_back(column.array_type());
  values.emplace_back(column.array());
  return *this;
}

std::int64_t Table::changes() const {
  const std::string_view told = PQcmdTuples(result_.get());
  std::int64_t count = 0;
  (void)std::from_chars(told.data(), told.data() + told.size(), count);
  return count;
}

std::int64_t Table::integer(int row, int column) const {
  const std::string_view octets = text(row, column);
  // Sign extension from whatever width it has; a boolean is one octet, 0 or 1.
  std::uint64_t value =
      !octets.empty() && (static_cast<unsigned char>(octets[0]) & 0x80U) != 0 ? ~0ULL : 0;
  for (const char octet : octets) value = value << 8U | static_cast<unsigned char>(octet);
  return static_cast<std::int64_t>(value);
}

std::string_view Table::text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

}  // namespace todoku::store::postgres
