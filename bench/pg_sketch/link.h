// SPDX-License-Identifier: Apache-2.0
// A connection, and flights over it: all statements of one go out together (libpq's pipeline mode),
// their answers come back together, and the network's round trip is paid once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "columns.h"

namespace todoku::pg_sketch {

struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using PgResult = std::unique_ptr<PGresult, FreeResult>;

// Identity is that of the object: it is prepared once on each connection, in the flight that uses
// it first.
struct Sql {
  const char* name;
  const char* text;
};

class Link {
 public:
  explicit Link(const std::string& conninfo);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  // ---- a flight: add statements, then fly ----
  Link& add(const Sql& sql, Params params = {});
  // The results of the statements in order. If one fails, so does the flight, and what was open is
  // rolled back.
  [[nodiscard]] Result<std::vector<PgResult>> fly();

  // One statement, or several with ';', without parameters, by the simple protocol.
  Result<PgResult> simple(const std::string& text);
  // The same with COPY ... FROM STDIN in it, and what is copied.
  Result<void> copy(const std::string& text, std::string_view data);

  // The way functions of a transaction go: every statement is waited for before the next is sent.
  void set_singly(bool singly) { singly_ = singly; }

  [[nodiscard]] std::uint64_t flights() const { return flights_; }
  [[nodiscard]] std::uint64_t statements() const { return statements_; }

 private:
  struct Sent {
    const Sql* sql = nullptr;
    bool preparing = false;
  };
  [[nodiscard]] Error error(std::string_view what) const;

  Result<std::vector<PgResult>> take_off();

  PGconn* connection_;
  bool singly_ = false;
  std::vector<PgResult> single_;
  std::optional<Error> refused_;
  std::vector<Sent> sent_;
  std::set<const Sql*> prepared_;
  std::uint64_t flights_ = 0;
  std::uint64_t statements_ = 0;
};

extern const Sql kBegin;
extern const Sql kCommit;

}  // namespace todoku::pg_sketch
