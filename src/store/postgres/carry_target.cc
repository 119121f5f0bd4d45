// SPDX-License-Identifier: Apache-2.0
// Where the tables here differ from the form in which rows are carried: batches.flight is told by
// transactions and begins as NULL; the secret of the look-up and the line of numbers are rows of
// meta and of numbers.
#include "store/postgres/carry_target.h"

#include <bit>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "store/postgres/fitness.h"
#include "store/postgres/schema.h"

namespace todoku::store::postgres {
namespace {

// A transaction is so long, roughly; a single row may be longer.
constexpr std::int64_t kPieceRows = 20'000;
constexpr std::size_t kPieceOctets = 16UL << 20U;
constexpr std::size_t kSendOctets = 256UL << 10U;
constexpr Milliseconds kCarryMost = std::chrono::seconds(60);    // for an answer, or progress
constexpr Milliseconds kAnalyzeMost = std::chrono::minutes(30);  // of everything

// PostgreSQL's documentation, COPY, "Binary Format": signature, flags, length of an extension.
constexpr std::string_view kCopyHeader("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
constexpr std::string_view kCopyEnd("\377\377", 2);

const Sql kSetLocal{"carry: not kept yet", "SELECT set_config('synchronous_commit', 'off', true)"};
const Sql kLockMark{"carry: mark", "SELECT value FROM meta WHERE name = 'carrying' FOR UPDATE"};
const Sql kPutMark{"carry: put mark",
                   "INSERT INTO meta VALUES('carrying', $1) ON CONFLICT DO NOTHING"
                   " RETURNING name"};
const Sql kTakeMark{"carry: take mark", "UPDATE meta SET value = $1 WHERE name = 'carrying'"};
const Sql kDropMark{"carry: drop mark", "DELETE FROM meta WHERE name = 'carrying'"};
const Sql kNobodyEnters{"carry: nobody enters",
                        "SELECT name FROM meta WHERE name = 'entering' FOR UPDATE"};
const Sql kAnyNode{"carry: nodes", "SELECT name FROM nodes LIMIT 1"};
const Sql kSecret{"carry: secret", "UPDATE meta SET value = $1 WHERE name = 'address_secret'"};
const Sql kEventLines{"carry: events",
                      "UPDATE numbers SET next = CASE line WHEN 1 THEN $1::bigint"
                      " ELSE $2::bigint END WHERE line IN (1, 2)"};
const Sql kNumbers{"carry: numbers", "UPDATE numbers SET next = greatest(next, $1) WHERE line = 0"};

std::string names_of_columns(const CarriedTable& table) {
  std::string names;
  for (const CarriedColumn& column : table.columns) {
    if (!names.empty()) names += ", ";
    names += column.name;
  }
  return names;
}

void put_row(std::string& out, const CarriedTable& table, CarriedRow row) {
  put_big_endian(out, row.size(), 2);
  for (std::size_t column = 0; column < row.size(); ++column) {
    const CarriedValue& value = row[column];
    if (value.is_null) {
      put_big_endian(out, 0xFFFF'FFFF, 4);
    } else if (table.columns[column].kind == CarriedKind::integer) {
      put_big_endian(out, 8, 4);
      put_big_endian(out, std::bit_cast<std::uint64_t>(value.integer), 8);
    } else {
      put_big_endian(out, value.octets.size(), 4);
      out += value.octets;
    }
  }
}

// What COPY gives, which comes from the network: nothing of it is taken on trust.
class CopiedRows {
 public:
  CopiedRows(const CarriedTable& table, const EachRow& each)
      : table_(table), each_(each), row_(table.columns.size()) {}

  Result<void> take(std::string_view octets) {
    rest_ = octets;
    if (!has_header_) {
      if (!rest_.starts_with(kCopyHeader)) return garbled();
      rest_.remove_prefix(kCopyHeader.size());
      has_header_ = true;
    }
    while (!rest_.empty()) {
      const std::uint64_t columns = number(2);
      if (columns == 0xFFFF && rest_.empty()) return {};  // the end
      if (columns != row_.size()) return garbled();
      for (std::size_t column = 0; column < row_.size(); ++column) {
        if (!value(column)) return garbled();
      }
      auto done = each_(row_);
      if (!done) return done;
    }
    return {};
  }

 private:
  static std::unexpected<Error> garbled() {
    return fail(ErrorKind::corrupt, "the database's copy of a table is not as it should be");
  }
  // 0, too, where there is not so much.
  std::uint64_t number(std::size_t octets) {
    std::uint64_t read = 0;
    if (rest_.size() < octets) {
      rest_ = {};
      return 0;
    }
    for (const char octet : rest_.substr(0, octets)) {
      read = (read << 8U) | static_cast<unsigned char>(octet);
    }
    rest_.remove_prefix(octets);
    return read;
  }
  bool value(std::size_t column) {
    if (rest_.size() < 4) return false;
    const std::uint64_t size = number(4);
    if (size == 0xFFFF'FFFF) {
      row_[column] = CarriedValue::null();
      return true;
    }
    if (rest_.size() < size) return false;
    if (table_.columns[column].kind == CarriedKind::integer) {
      if (size != 8) return false;
      row_[column] = CarriedValue::of(std::bit_cast<std::int64_t>(number(8)));
      return true;
    }
    row_[column] = CarriedValue::of(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return true;
  }

  const CarriedTable& table_;
  const EachRow& each_;
  std::vector<CarriedValue> row_;
  std::string_view rest_;
  bool has_header_ = false;
};

std::unexpected<Error> mark_is_lost() {
  return fail(ErrorKind::conflict, "another carriage has begun on this database meanwhile");
}

}  // namespace

Result<std::unique_ptr<CarryTarget>> CarryTarget::open(const DialOptions& dial, bool must_keep) {
  Dialer dialer(dial);
  auto link = dialer.dial();
  if (!link) return fail(std::move(link.error()));
  auto fit = check_database(**link);
  if (fit) fit = check_rights(**link);
  if (fit) fit = check_schema(**link);
  if (fit && must_keep) fit = check_durability(**link);
  if (!fit) return fail(std::move(fit.error()));
  return std::unique_ptr<CarryTarget>(new CarryTarget(std::move(*link)));
}

// Two that begin at once: the second finds the first's mark.
Result<void> CarryTarget::take_mark(const std::string& mark) {
  const auto there = link_->add(kBegin).add(kNobodyEnters).add(kLockMark).fly(kCarryMost);
  if (!there) return fail(there.error());
  const Table& before = there->back();
  if (before.empty()) {
    if (auto empty = empty_it(); !empty) return empty;
    const auto put = link_->fly_one(kPutMark, Params() << Octets{mark}, kCarryMost);
    if (!put) return fail(put.error());
    return put->empty() ? mark_is_lost() : Result<void>();
  }
  const std::string_view its_source = before.text(0, 0).substr(0, mark.find(' '));
  if (its_source != std::string_view(mark).substr(0, mark.find(' '))) {
    return fail(ErrorKind::conflict,
                "another store was being carried into this database, and that is unfinished: "
                "carry that one again, or give this one an empty database");
  }
  std::string tables = "TRUNCATE flights";
  for (const CarriedTable& table : carried_tables()) tables += fmt::format(", {}", table.name);
  const Sql truncate{Sql::Once{}, "carry: begin anew", tables.c_str()};
  const auto emptied =
      link_->add(kTakeMark, Params() << Octets{mark}).add(truncate).fly(kCarryMost);
  if (!emptied) return fail(emptied.error());
  return {};
}

// Whether it is.
Result<void> CarryTarget::empty_it() {
  std::string question = "SELECT ''";
  for (const CarriedTable& table : carried_tables()) {
    question +=
        fmt::format(" || CASE WHEN EXISTS (SELECT 1 FROM {0}) THEN ' {0}' ELSE '' END", table.name);
  }
  question += " || CASE WHEN EXISTS (SELECT 1 FROM nodes) THEN ' nodes' ELSE '' END";
  const Sql sql{Sql::Once{}, "carry: is it empty", question.c_str()};
  const auto full = link_->fly_one(sql, {}, kCarryMost);
  if (!full) return fail(full.error());
  if (full->text(0, 0).empty()) return {};
  return fail(ErrorKind::conflict,
              fmt::format("the database is not empty (there are{}): give it an empty one, with the "
                          "tables that `todoku migrate up` makes",
                          full->text(0, 0)));
}

Result<void> CarryTarget::begin(const CarriedHead& head) {
  const std::string mark =
      fmt::format("{} {}", sha256_hex(head.address_secret), to_hex(random_octets(16)));
  auto taken = take_mark(mark);
  if (!taken) {
    (void)link_->roll_back(kCarryMost);
    return taken;
  }
  const auto kept = link_->fly_one(kCommit, {}, kCarryMost);
  if (!kept) return fail(kept.error());
  mark_ = mark;
  return {};
}

Result<void> CarryTarget::begin_piece(const CarriedTable& table) {
  // Kept by the last transaction, which waits for all of the log before it.
  const auto begun = link_->add(kBegin).add(kSetLocal).add(kLockMark).fly(kCarryMost);
  if (!begun) return fail(begun.error());
  if (begun->back().empty() || begun->back().text(0, 0) != mark_) {
    (void)link_->roll_back(kCarryMost);  // its lock is the other's
    return mark_is_lost();
  }
  statement_ = fmt::format("COPY {} ({}) FROM STDIN WITH (FORMAT binary)", table.name,
                           names_of_columns(table));
  sql_.emplace(Sql::Once{}, "carry: copy", statement_.c_str());
  if (auto done = link_->begin_copy_in(*sql_, kCarryMost); !done) return done;
  open_ = true;
  rows_ = 0;
  octets_ = 0;
  unsent_ = kCopyHeader;
  return {};
}

Result<void> CarryTarget::send(bool all) {
  if (!all && unsent_.size() < kSendOctets) return {};
  octets_ += unsent_.size();
  auto sent = link_->copy_in(unsent_, kCarryMost);
  unsent_.clear();
  return sent;
}

Result<void> CarryTarget::end_piece() {
  unsent_ += kCopyEnd;
  if (auto sent = send(true); !sent) return sent;
  open_ = false;
  const auto rows = link_->end_copy_in(kCarryMost);
  if (!rows) return fail(rows.error());
  if (*rows != rows_) return fail(ErrorKind::corrupt, "the database has not taken every row");
  const auto kept = link_->fly_one(kCommit, {}, kCarryMost);
  if (!kept) return fail(kept.error());
  return {};
}

Result<void> CarryTarget::put(const CarriedTable& table, CarriedRow row) {
  if (!open_) {
    if (auto begun = begin_piece(table); !begun) return begun;
  }
  put_row(unsent_, table, row);
  ++rows_;
  if (auto sent = send(false); !sent) return sent;
  if (rows_ >= kPieceRows || octets_ + unsent_.size() >= kPieceOctets) return end_piece();
  return {};
}

Result<void> CarryTarget::end(const CarriedTable& table) {
  (void)table;
  return open_ ? end_piece() : Result<void>();
}

Result<void> CarryTarget::read(const CarriedTable& table, const EachRow& each) {
  const std::string statement = fmt::format("COPY {} ({}) TO STDOUT WITH (FORMAT binary)",
                                            table.name, names_of_columns(table));
  const Sql sql{Sql::Once{}, "carry: read back", statement.c_str()};
  CopiedRows rows(table, each);
  return link_->copy_out(
      sql, [&](std::string_view octets) { return rows.take(octets); }, kCarryMost);
}

Result<void> CarryTarget::may_finish() {
  const auto looked =
      link_->add(kBegin).add(kNobodyEnters).add(kLockMark).add(kAnyNode).fly(kCarryMost);
  if (!looked) return fail(looked.error());
  const Table& mark = (*looked)[2];
  if (mark.empty() || mark.text(0, 0) != mark_) return mark_is_lost();
  if (!looked->back().empty()) {
    return fail(ErrorKind::conflict, "an engine has entered this database meanwhile");
  }
  return {};
}

Result<void> CarryTarget::finish(const CarriedHead& head) {
  if (auto may = may_finish(); !may) {
    (void)link_->roll_back(kCarryMost);
    return may;
  }
  const auto done =
      link_->add(kSecret, Params() << Octets{head.address_secret})
          .add(kNumbers, Params() << head.next_number)
          .add(kEventLines, Params() << head.event_generation + 1 << head.events_kept_from)
          .add(kDropMark)
          .add(kCommit)
          .fly(kCarryMost);
  if (!done) {
    const bool doubt = link_->failure().in_doubt;
    if (!doubt) return fail(done.error());
    return fail(ErrorKind::unavailable,
                fmt::format("whether the last step is stored is not known ({}): if the same again "
                            "says that the database is not empty, it is, and all is done",
                            done.error().detail));
  }
  // So that the first statements are planned for what is there; autovacuum would come later.
  std::string tables = "ANALYZE numbers";
  for (const CarriedTable& table : carried_tables()) tables += fmt::format(", {}", table.name);
  const Sql analyze{Sql::Once{}, "carry: analyze", tables.c_str()};
  if (const auto analyzed = link_->fly_one(analyze, {}, kAnalyzeMost); !analyzed) {
    log::warning("the tables were not analyzed; autovacuum will do it",
                 {{"error", analyzed.error().detail}});
  }
  return {};
}

}  // namespace todoku::store::postgres
