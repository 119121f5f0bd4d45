// SPDX-License-Identifier: Apache-2.0
// A connection, and flights over it: all statements of one go out together (libpq's pipeline mode),
// their answers come back together, and the network's round trip is paid once. Every flight has a
// deadline of its own, because what the network swallows is told by nobody.
//
// Nothing is prepared and nothing is set for the session: a pooler may give each transaction to
// another session of the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/postgres/wire.h"

namespace todoku::store::postgres {

// A statement. Those that stand in the source are in a list, so that a test can have every one of
// them explained.
struct Sql {
  // `name`: for people.
  Sql(const char* its_name, const char* its_text) noexcept
      : name(its_name), text(its_text), next(first) {
    first = this;
  }
  // One that is made for once.
  struct Once {};
  Sql(Once /*tag*/, const char* its_name, const char* its_text) noexcept
      : name(its_name), text(its_text), next(nullptr) {}
  Sql(const Sql&) = delete;
  Sql& operator=(const Sql&) = delete;

  const char* const name;
  const char* const text;
  const Sql* const next;
  inline static const Sql* first = nullptr;
};

// Why a flight failed.
struct Failure {
  // SQLSTATE (PostgreSQL, appendix A); empty: the connection is lost.
  std::string state;
  // Whether the transaction may have been committed all the same: its COMMIT was handed over, and
  // the server has not refused it.
  bool in_doubt = false;

  [[nodiscard]] bool lost() const { return state.empty(); }
  // The same again may succeed: a serialization failure or a deadlock.
  [[nodiscard]] bool transient() const { return state == "40001" || state == "40P01"; }
  // A limit of time of ours, reached while it waited for a lock or was slow.
  [[nodiscard]] bool held_up() const {
    return state == "55P03" || state == "57014" || state == "25P03";
  }
};

class Link {
 public:
  // Of a connection that is made (dialer.h).
  explicit Link(PGconn* connection);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  // ---- a flight: add statements, then fly ----
  Link& add(const Sql& sql, const Params& params = {});
  // The answers of the statements in order, within `most`. If one fails, so does the flight, and
  // what was open is rolled back; failure() says what is known. After the deadline the connection
  // is given up, never cancelled: what it was committing may be stored.
  [[nodiscard]] Result<std::vector<Table>> fly(Milliseconds most);
  // A flight of one statement.
  [[nodiscard]] Result<Table> fly_one(const Sql& sql, const Params& params, Milliseconds most);

  // ---- COPY (copying.cc), which is no flight: within a transaction that one has begun ----
  // Octets in PostgreSQL's binary format, as often as one likes; a failure ends the transaction.
  // `most`: without any progress.
  [[nodiscard]] Result<void> begin_copy_in(const Sql& sql, Milliseconds most);
  [[nodiscard]] Result<void> copy_in(std::string_view octets, Milliseconds most);
  // How many rows it were.
  [[nodiscard]] Result<std::int64_t> end_copy_in(Milliseconds most);
  // Gives `each` what is copied out, in pieces as they come: the header, then a row each. Its error
  // is the copy's, and the connection is of no more use.
  using Piece = std::function<Result<void>(std::string_view octets)>;
  [[nodiscard]] Result<void> copy_out(const Sql& sql, const Piece& each, Milliseconds most);

  // Of the last flight that failed since the last call of forget_failure(); else one that no server
  // reports, and that is no reason to try again. In doubt from where a COMMIT is handed over: what
  // is thrown while its answer is read, or made use of, does not undo it.
  [[nodiscard]] const Failure& failure() const { return failure_; }
  void forget_failure() { failure_ = {.state = "none", .in_doubt = false}; }
  // False: it is of no more use.
  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] bool in_transaction() const;
  // Of one that was given up at its deadline: its COMMIT is on the way still, as far as can be
  // known. False once the server says anything, or the connection ends.
  [[nodiscard]] bool awaits_commit();
  // It was given up because the server said nothing.
  [[nodiscard]] bool fell_silent() const { return fell_silent_; }
  // Of the server's history (PostgreSQL 26.3.5): each take-over begins a new one, with a higher
  // number. 0: not known.
  [[nodiscard]] std::int64_t timeline() const { return timeline_; }
  void set_timeline(std::int64_t timeline) { timeline_ = timeline; }
  // Of the hosts of the address, from 0.
  [[nodiscard]] std::size_t host() const { return host_; }
  void set_host(std::size_t host) { host_ = host; }
  // From any thread while the link lives: whoever waits for its answers finds it lost.
  void interrupt();
  // When the last transaction that changed something was done; else the beginning of time.
  [[nodiscard]] SteadyInstant last_commit() const { return last_commit_; }
  // Between flights: whether it is good for another: nothing was added and never flown, and the
  // server has not ended it, as far as it has told so. Who asks before a flight has fewer whose
  // fate is unknown.
  [[nodiscard]] bool ready();
  // Ends what is open. False: the connection is lost.
  bool roll_back(Milliseconds most);

 private:
  struct Reading;
  // What throws half-way leaves answers behind, which must not be taken for those of another
  // flight.
  struct HalfWay {
    Link& link;
    bool over = false;
    ~HalfWay() {
      if (!over) link.usable_ = false;
    }
  };
  [[nodiscard]] Result<std::vector<Table>> send_and_read(Milliseconds most);
  [[nodiscard]] Result<void> begin_copy(const Sql& sql, int wanted, Milliseconds most);
  [[nodiscard]] Result<PgResult> copy_result(Milliseconds most);
  [[nodiscard]] Result<void> flush_copy(Milliseconds most);
  [[nodiscard]] Result<void> end_copy(Milliseconds most);
  [[nodiscard]] std::unexpected<Error> copy_failed(const Sql* sql, const PGresult* refused);
  [[nodiscard]] Result<void> wait_and_read(Reading& reading, SteadyInstant deadline);
  void take(Reading& reading, PgResult result);
  [[nodiscard]] std::unexpected<Error> lose(ErrorKind kind, std::string detail, bool commits);

  PGconn* const connection_;
  std::vector<const Sql*> sent_;
  std::optional<std::string> not_sent_;
  bool usable_ = true;
  bool awaits_commit_ = false;
  bool fell_silent_ = false;
  // The same socket under a number of its own: libpq may close its own at any time, and then the
  // number belongs to another.
  int interrupting_ = -1;
  std::int64_t timeline_ = 0;
  std::size_t host_ = 0;
  const Sql* copying_ = nullptr;
  SteadyInstant last_commit_{};
  Failure failure_{.state = "none"};
};

// What every transaction begins and ends with.
extern const Sql kBegin;
extern const Sql kCommit;
extern const Sql kRollBack;

}  // namespace todoku::store::postgres
