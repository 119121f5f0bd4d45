// SPDX-License-Identifier: Apache-2.0
// The store of a cluster: PostgreSQL 15 or later, over libpq. Several processes write at once; the
// database decides, and its time counts.
//
// Pieces of work should be small: a transaction each, up to 1,000 outcomes, up to 10,000 rows of an
// import, purge_deleted() of up to 1,000 rows. A function is a round trip a statement.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/postgres/dialer.h"
#include "store/store.h"

namespace todoku::store {

class PostgresStore final : public Store {
 public:
  struct Options {
    postgres::DialOptions dial;
    // Tests that move time; it must outlive the store. nullptr: the database's time counts.
    const Clock* clock = nullptr;
    // Refuse a database that would lose what it has said to be committed.
    bool must_keep = false;
    // Threads; they share the connections (postgres/connections.h).
    std::size_t writers = 2;
    std::size_t readers = 2;
    std::size_t connections = 4;  // at most
    // Pieces of work that may wait, by WritePriority; one more is refused with unavailable.
    std::array<std::size_t, kWritePriorities> queued_max{20'000, 4'000, 4'000, 64, 64};
    // Octets of mails that wait to be accepted, all together; a single one may have more.
    std::size_t accept_octets_max = 256UL << 20U;
    std::size_t questions_max = 4'096;
    Milliseconds flight_max{10'000};                          // for the answer to one flight
    Milliseconds question_max{2'000};                         // for each flight of a question
    Milliseconds connection_life = std::chrono::minutes(30);  // more or less
    Milliseconds connection_rest = std::chrono::seconds(10);  // before one of several is given back
  };

  // Connects, and looks at the database (postgres/fitness.h) and its schema, which it never changes
  // (postgres/schema.h). Errors: unavailable, unauthorized (the user may not do what is needed),
  // not_found (the schema lacks steps), unsupported (of a newer version, or a database that cannot
  // be a store), corrupt.
  [[nodiscard]] static Result<std::unique_ptr<PostgresStore>> open(Options options);
  ~PostgresStore() override;
  PostgresStore(const PostgresStore&) = delete;
  PostgresStore& operator=(const PostgresStore&) = delete;

  void submit(Accept accept, Answered<Accept> done) override;
  void submit(Settle settle, Answered<Settle> done) override;
  void submit(Claim claim, Answered<Claim> done) override;
  void submit(StageRows stage, Answered<StageRows> done) override;
  void submit(Due due, Answered<Due> done) override;
  void submit(BellWork work, Answered<BellWork> done) override;
  void submit_write(WritePriority priority, WriteWork work, Done done) override;
  void submit_read(ReadWork work, Done done) override;
  [[nodiscard]] StoreFigures figures() const override;
  // A postgres/database_clock.h.
  [[nodiscard]] const Clock& clock() const override;
  void close() override;

 private:
  struct Parts;
  explicit PostgresStore(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace todoku::store
