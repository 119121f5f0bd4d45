// SPDX-License-Identifier: Apache-2.0
// Values on their way to and from PostgreSQL, in its binary formats: a column of many items is one
// parameter, an array that the statement unnests.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <libpq-fe.h>

#include "base/clock.h"

namespace todoku::store::postgres {

// pg_type of the server: fixed for ever.
inline constexpr Oid kInt8 = 20;
inline constexpr Oid kText = 25;
inline constexpr Oid kBytea = 17;
inline constexpr Oid kInt8Array = 1016;
inline constexpr Oid kTextArray = 1009;
inline constexpr Oid kByteaArray = 1001;

// Octets rather than text.
struct Octets {
  std::string_view octets;
};

// Most significant octet first.
void put_big_endian(std::string& out, std::uint64_t value, int octets);

// An integer as it is stored: keys, states, instants and booleans, too.
template <class T>
  requires std::is_enum_v<T> || std::is_integral_v<T>
[[nodiscard]] constexpr std::int64_t stored(T value) {
  return static_cast<std::int64_t>(value);
}
[[nodiscard]] constexpr std::int64_t stored(Instant value) {
  return to_epoch_ms(value);
}
[[nodiscard]] constexpr std::int64_t stored(Milliseconds value) {
  return value.count();
}

// A column of bigint, text or bytea.
class Column {
 public:
  explicit Column(Oid element) : element_(element) {}
  template <class T>
    requires requires(T value) { stored(value); }
  void add(T value) {
    add_integer(stored(value));
  }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value) {
      add(*value);
    } else {
      add_null();
    }
  }
  void add(std::string_view value);
  void add(Octets value) { add(value.octets); }
  void add_null();
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::string array() const;  // the whole parameter
  [[nodiscard]] Oid array_type() const;

 private:
  void add_integer(std::int64_t value);

  Oid element_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  std::string values_;
};

// The parameters of one statement, in order.
class Params {
 public:
  Params& operator<<(std::string_view value);
  Params& operator<<(Octets value);
  Params& operator<<(const Column& column);
  template <class T>
    requires requires(T value) { stored(value); }
  Params& operator<<(T value) {
    add_integer(stored(value));
    return *this;
  }
  // Of text, octets or whatever is stored as an integer.
  template <class T>
  Params& operator<<(const std::optional<T>& value) {
    if (value) return *this << *value;
    add_null(std::is_convertible_v<T, std::string_view> ? kText
             : std::is_same_v<T, Octets>                ? kBytea
                                                        : kInt8);
    return *this;
  }
  std::vector<Oid> types;
  std::vector<std::optional<std::string>> values;

 private:
  void add_integer(std::int64_t value);
  void add_null(Oid type);
};

struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, FreeResult>;

// What a statement answered: its rows, and how many it changed. Columns by place, from 0; texts are
// views of it.
class Table {
 public:
  Table() = default;
  explicit Table(PgResult result) : result_(std::move(result)), size_(PQntuples(result_.get())) {}

  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  // Rows inserted, updated, deleted or selected.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] bool null(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) != 0;
  }
  [[nodiscard]] std::int64_t integer(int row, int column) const;  // of any width; null: 0
  [[nodiscard]] bool flag(int row, int column) const { return integer(row, column) != 0; }
  [[nodiscard]] std::string_view text(int row, int column) const;  // octets as well; null: empty
  [[nodiscard]] Instant instant(int row, int column) const {
    return from_epoch_ms(integer(row, column));
  }
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int row, int column) const {
    return null(row, column) ? std::nullopt : std::optional(integer(row, column));
  }
  [[nodiscard]] std::optional<Instant> optional_instant(int row, int column) const {
    return null(row, column) ? std::nullopt : std::optional(instant(row, column));
  }

 private:
  PgResult result_;
  int size_ = 0;
};

}  // namespace todoku::store::postgres
