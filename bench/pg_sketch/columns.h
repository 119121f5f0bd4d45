// SPDX-License-Identifier: Apache-2.0
// Values on their way to and from PostgreSQL, in its binary formats: a column of many items is one
// parameter, an array that the statement unnests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

namespace todoku::pg_sketch {

// pg_type of the server: fixed for ever.
inline constexpr Oid kInt8 = 20;
inline constexpr Oid kText = 25;
inline constexpr Oid kBytea = 17;
inline constexpr Oid kInt8Array = 1016;
inline constexpr Oid kTextArray = 1009;
inline constexpr Oid kByteaArray = 1001;

void put_be(std::string& out, std::uint64_t value, int octets);

class Column {
 public:
  explicit Column(Oid element) : element_(element) {}
  void add(std::int64_t value);
  void add(std::optional<std::int64_t> value);
  void add(std::string_view value);
  [[nodiscard]] std::string array() const;  // the whole parameter
  [[nodiscard]] Oid array_type() const;

 private:
  Oid element_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
  std::string values_;
};

// The parameters of one statement, in order.
class Params {
 public:
  Params& operator<<(std::int64_t value);
  Params& operator<<(std::string_view value);
  Params& operator<<(std::nullptr_t);
  Params& operator<<(const Column& column);
  std::vector<Oid> types;
  std::vector<std::optional<std::string>> values;
};

// Rows of a result in binary format.
class Rows {
 public:
  explicit Rows(const PGresult* result) : result_(result), size_(PQntuples(result)) {}
  [[nodiscard]] int size() const { return size_; }
  [[nodiscard]] bool null(int row, int column) const {
    return PQgetisnull(result_, row, column) != 0;
  }
  [[nodiscard]] std::int64_t integer(int row, int column) const;  // of any width; boolean: 0, 1
  [[nodiscard]] std::string_view text(int row, int column) const;

 private:
  const PGresult* result_;
  int size_;
};

// Lists of texts as one value: insert codes, histories.
void put_text(std::string& out, std::string_view text);
[[nodiscard]] std::string_view take_text(std::string_view& in);

}  // namespace todoku::pg_sketch
