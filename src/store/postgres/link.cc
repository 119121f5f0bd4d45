// SPDX-License-Identifier: Apache-2.0
#include "store/postgres/link.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace todoku::store::postgres {

const Sql kBegin{"begin", "BEGIN"};
const Sql kCommit{"commit", "COMMIT"};
const Sql kRollBack{"roll back", "ROLLBACK"};

namespace {

// The machine's: it bounds a wait for the network, and nothing that is decided depends on it.
SteadyInstant steady_now() {
  return SystemClock().steady_now();
}

// The server ends sessions so when it is shut down or fails over, and what was being committed then
// may be stored. A server that has become read-only is one that another has taken over from.
bool ends_session(std::string_view state) {
  return state.empty() || state.starts_with("57P") || state.starts_with("08") || state == "25006";
}

ErrorKind kind_of(const Failure& failure) {
  if (failure.transient()) return ErrorKind::unavailable;
  // Class 22: what was given cannot be kept. Class 23: it does not fit what
  // is there. XX001, XX002: that is damaged.
  if (failure.state.starts_with("22")) return ErrorKind::invalid_input;
  const bool misfit = failure.state.starts_with("23");
  if (misfit || failure.state == "XX001" || failure.state == "XX002") return ErrorKind::corrupt;
  return ErrorKind::unavailable;  // whatever it is, nothing is stored
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

// A flight whose answers are coming in.
struct Link::Reading {
  std::vector<Table> answers;
  std::string refused;  // what the server said of the first statement that failed
  std::string state;
  std::size_t next = 0;  // of the statements sent
  bool synced = false;
};

Link::Link(PGconn* connection)
    : connection_(connection), interrupting_(::fcntl(PQsocket(connection), F_DUPFD_CLOEXEC, 0)) {
  PQsetnonblocking(connection_, 1);
  PQenterPipelineMode(connection_);
}

Link::~Link() {
  PQfinish(connection_);
  if (interrupting_ >= 0) ::close(interrupting_);
}

void Link::interrupt() {
  if (interrupting_ >= 0) ::shutdown(interrupting_, SHUT_RDWR);
}

Link& Link::add(const Sql& sql, const Params& params) {
  if (not_sent_ || !usable_) return *this;
  HalfWay adding{*this};
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const auto& value : params.values) {
    values.push_back(value ? value->data() : nullptr);
    lengths.push_back(value ? static_cast<int>(value->size()) : 0);
  }
  const std::vector<int> formats(values.size(), 1);
  // Before it is sent: libpq sends when it likes, and what failed half-way may have gone out.
  sent_.push_back(&sql);
  if (&sql == &kCommit) failure_ = {.state = "none", .in_doubt = true};
  const int sent =
      PQsendQueryParams(connection_, sql.text, static_cast<int>(values.size()), params.types.data(),
                        values.data(), lengths.data(), formats.data(), 1);
  if (sent == 0) not_sent_ = PQerrorMessage(connection_);
  adding.over = true;
  return *this;
}

bool Link::in_transaction() const {
  return usable_ && PQtransactionStatus(connection_) != PQTRANS_IDLE;
}

bool Link::awaits_commit() {
  pollfd wait{PQsocket(connection_), POLLIN, 0};
  if (awaits_commit_ && ::poll(&wait, 1, 0) != 0) awaits_commit_ = false;
  return awaits_commit_;
}

bool Link::ready() {
  if (!sent_.empty() || not_sent_) usable_ = false;
  // Between flights a server has nothing to say but that it goes.
  pollfd wait{PQsocket(connection_), POLLIN, 0};
  if (usable_ && ::poll(&wait, 1, 0) > 0) usable_ = false;
  return usable_;
}

std::unexpected<Error> Link::lose(ErrorKind kind, std::string detail, bool commits) {
  usable_ = false;
  failure_ = {.state = {}, .in_doubt = commits};
  sent_.clear();
  return fail(kind, std::move(detail));
}

void Link::take(Reading& reading, PgResult result) {
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_PIPELINE_SYNC) {
    reading.synced = true;
    return;
  }
  const std::string_view name = reading.next < sent_.size() ? sent_[reading.next]->name : "sync";
  ++reading.next;
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
    reading.answers.emplace_back(std::move(result));
    return;
  }
  if (!reading.refused.empty()) return;  // aborted, because one before it failed
  reading.refused = fmt::format("{}: {}", name, first_line(PQresultErrorMessage(result.get())));
  const char* const state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  reading.state = state == nullptr ? "" : state;
}

Result<void> Link::wait_and_read(Reading& reading, SteadyInstant deadline) {
  const int unsent = PQflush(connection_);
  if (unsent < 0) return fail(ErrorKind::closed, PQerrorMessage(connection_));
  const auto left = std::chrono::ceil<Milliseconds>(deadline - steady_now()).count();
  pollfd wait{PQsocket(connection_), POLLIN, 0};
  if (unsent > 0) wait.events |= POLLOUT;
  const int ready = ::poll(&wait, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
  if (ready < 0 && errno != EINTR) return fail(ErrorKind::io, "poll failed");
  if (ready == 0 && left <= 0) return fail(ErrorKind::timeout, "the database does not answer");
  if (ready > 0 && PQconsumeInput(connection_) == 0) {
    return fail(ErrorKind::closed, std::string(first_line(PQerrorMessage(connection_))));
  }
  while (!reading.synced && PQisBusy(connection_) == 0) {
    PgResult result(PQgetResult(connection_));
    if (result != nullptr) {  // a null ends each statement
      take(reading, std::move(result));
    } else if (PQstatus(connection_) != CONNECTION_OK) {
      return fail(ErrorKind::closed, "the database closed the connection");
    }
  }
  return {};
}

Result<std::vector<Table>> Link::fly(Milliseconds most) {
  HalfWay flying{*this};
  auto answers = send_and_read(most);
  flying.over = true;
  return answers;
}

Result<std::vector<Table>> Link::send_and_read(Milliseconds most) {
  const bool commits = std::ranges::find(sent_, &kCommit) != sent_.end();
  if (!usable_)
    return lose(ErrorKind::unavailable, "the connection to the database is lost",
                failure_.in_doubt);
  if (not_sent_) return lose(ErrorKind::unavailable, *std::exchange(not_sent_, {}), commits);
  if (PQpipelineSync(connection_) == 0) {
    return lose(ErrorKind::unavailable, PQerrorMessage(connection_), commits);
  }
  Reading reading;
  const SteadyInstant deadline = steady_now() + most;
  while (!reading.synced) {
    auto read = wait_and_read(reading, deadline);
    if (!read) {
      fell_silent_ = read.error().kind == ErrorKind::timeout;
      awaits_commit_ = commits && fell_silent_;
      return lose(ErrorKind::unavailable, std::move(read.error().detail), commits);
    }
  }
  if (reading.refused.empty()) {
    if (commits) last_commit_ = steady_now();
    sent_.clear();
    return std::move(reading.answers);
  }
  sent_.clear();
  failure_ = {.state = reading.state, .in_doubt = false};
  if (ends_session(reading.state)) {
    return lose(ErrorKind::unavailable, std::move(reading.refused), commits);
  }
  const Failure known = failure_;
  if (in_transaction()) (void)roll_back(most);
  failure_ = known;
  return fail(kind_of(known), std::move(reading.refused));
}

Result<Table> Link::fly_one(const Sql& sql, const Params& params, Milliseconds most) {
  auto answers = add(sql, params).fly(most);
  if (!answers) return fail(std::move(answers.error()));
  return std::move(answers->front());
}

bool Link::roll_back(Milliseconds most) {
  if (!usable_) return false;
  (void)fly_one(kRollBack, {}, most);
  return usable_;
}

}  // namespace todoku::store::postgres
