// SPDX-License-Identifier: Apache-2.0
// A whole store carried over to one of another kind, table by table. Rows pass in one form, which
// carried_tables() declares; where a back end keeps something otherwise, that is said in its one
// file (sqlite/carry_source.cc, postgres/carry_target.cc). What lives in a process (nodes, leases,
// transactions in doubt) is not carried.
//
// Keys, public ids and stories stay what they are. Afterwards both sides are summed up, row by row,
// and nothing is finished before they are the same.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::store {

enum class CarriedKind : std::uint8_t { integer, text, octets };

struct CarriedColumn {
  std::string_view name;
  CarriedKind kind = CarriedKind::integer;
};

struct CarriedTable {
  std::string_view name;
  std::span<const CarriedColumn> columns;
};

// In the order in which they are carried: what is few comes first.
[[nodiscard]] std::span<const CarriedTable> carried_tables();

// A value of a column, NULL unless it is set. A text or octets are views, valid while the row is.
struct CarriedValue {
  bool is_null = true;
  std::int64_t integer = 0;
  std::string_view octets;

  [[nodiscard]] static CarriedValue null() { return {}; }
  [[nodiscard]] static CarriedValue of(std::int64_t value) { return {false, value, {}}; }
  [[nodiscard]] static CarriedValue of(std::string_view value) { return {false, 0, value}; }
};
using CarriedRow = std::span<const CarriedValue>;
using EachRow = std::function<Result<void>(CarriedRow row)>;

// What tells one content of a table from another, in whatever order its rows come: their number and
// the sum of their hashes, of 128 bits. Against accidents: nobody chooses rows here.
class TableSum {
 public:
  void add(const CarriedTable& table, CarriedRow row);
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::string hex() const;
  friend bool operator==(const TableSum& a, const TableSum& b) {
    return a.rows_ == b.rows_ && a.low_ == b.low_ && a.high_ == b.high_;
  }

 private:
  std::int64_t rows_ = 0;
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
  std::string packed_;
};

// What is no row of a table.
struct CarriedHead {
  std::string address_secret;    // of the look-up by address (address_hash.h); tells stores apart
  std::int64_t next_number = 1;  // numbers and ids of every kind below it may be taken
  // Of events (events.h): the next one begins where they are carried to, because places count anew.
  std::int64_t event_generation = 0;
  std::int64_t events_kept_from = 0;
};

class CarrySource {
 public:
  virtual ~CarrySource() = default;
  [[nodiscard]] virtual Result<CarriedHead> head() = 0;
  // Every row, one in memory at a time.
  [[nodiscard]] virtual Result<void> read(const CarriedTable& table, const EachRow& each) = 0;
  // Everything is elsewhere: whoever opens this store from now on is told so.
  [[nodiscard]] virtual Result<void> carried_away() = 0;
};

class CarryTarget {
 public:
  virtual ~CarryTarget() = default;
  // Marks the store as unfinished, so that no engine starts on it. One that an earlier try from the
  // same source has left so begins anew. conflict: something else is in it.
  [[nodiscard]] virtual Result<void> begin(const CarriedHead& head) = 0;
  [[nodiscard]] virtual Result<void> put(const CarriedTable& table, CarriedRow row) = 0;
  // No more rows of that table come.
  [[nodiscard]] virtual Result<void> end(const CarriedTable& table) = 0;
  // What is stored, in any order.
  [[nodiscard]] virtual Result<void> read(const CarriedTable& table, const EachRow& each) = 0;
  // Takes the mark away: engines may start.
  [[nodiscard]] virtual Result<void> finish(const CarriedHead& head) = 0;
};

// Of one table.
struct Carried {
  std::string table;
  TableSum given;
  TableSum stored;
};

// Told now and then: the table in hand, and how many of its rows have been carried or compared.
struct CarryStep {
  std::string_view table;
  std::int64_t rows = 0;
  bool comparing = false;
};
using CarryProgress = std::function<void(const CarryStep& step)>;

// Carries everything, compares, and finishes. corrupt: what is stored is not what was given, and
// the target stays unfinished. Whatever fails: the same again begins anew.
[[nodiscard]] Result<std::vector<Carried>> carry_store(CarrySource& source, CarryTarget& target,
                                                       const CarryProgress& progress);

}  // namespace todoku::store
