// SPDX-License-Identifier: Apache-2.0
// COPY over a Link. libpq knows none in its pipeline mode, which is left for as long; whatever goes
// wrong leaves a connection that is of no more use, so nothing has to be put right.
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <poll.h>

#include "store/postgres/link.h"

namespace todoku::store::postgres {
namespace {

// True: the socket is ready. Bounds a wait for the network.
bool wait_for_socket(PGconn* connection, bool to_write, Milliseconds most) {
  pollfd wait{PQsocket(connection), POLLIN, 0};
  if (to_write) wait.events |= POLLOUT;
  const int milliseconds = static_cast<int>(std::clamp<std::int64_t>(most.count(), 0, 600'000));
  int ready = 0;
  do {
    ready = ::poll(&wait, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

constexpr std::string_view kNoProgress = "the database does not answer";

}  // namespace

std::unexpected<Error> Link::copy_failed(const Sql* sql, const PGresult* refused) {
  const std::string said =
      refused == nullptr ? PQerrorMessage(connection_) : PQresultErrorMessage(refused);
  const char* const state =
      refused == nullptr ? nullptr : PQresultErrorField(refused, PG_DIAG_SQLSTATE);
  const char* const context =
      refused == nullptr ? nullptr : PQresultErrorField(refused, PG_DIAG_CONTEXT);
  const bool is_data = state != nullptr && std::string_view(state).starts_with("22");
  std::string detail =
      fmt::format("{}: {}", sql == nullptr ? "copy" : sql->name, said.substr(0, said.find('\n')));
  // Which row it was; the values in it are mail of others.
  if (context != nullptr) {
    const std::string_view where(context);
    detail += fmt::format(" ({})", where.substr(0, where.find(':')));
  }
  copying_ = nullptr;
  return lose(is_data ? ErrorKind::invalid_input : ErrorKind::unavailable, std::move(detail),
              false);
}

Result<void> Link::flush_copy(Milliseconds most) {
  while (true) {
    const int unsent = PQflush(connection_);
    if (unsent == 0) return {};
    if (unsent < 0) return copy_failed(copying_, nullptr);
    if (!wait_for_socket(connection_, true, most)) {
      return lose(ErrorKind::unavailable, std::string(kNoProgress), false);
    }
    // What the server says meanwhile must be read, or both would wait.
    if (PQconsumeInput(connection_) == 0) return copy_failed(copying_, nullptr);
  }
}

Result<PgResult> Link::copy_result(Milliseconds most) {
  if (auto sent = flush_copy(most); !sent) return fail(std::move(sent.error()));
  while (PQisBusy(connection_) != 0) {
    if (!wait_for_socket(connection_, false, most)) {
      return lose(ErrorKind::unavailable, std::string(kNoProgress), false);
    }
    if (PQconsumeInput(connection_) == 0) return copy_failed(copying_, nullptr);
  }
  return PgResult(PQgetResult(connection_));
}

Result<void> Link::begin_copy(const Sql& sql, int wanted, Milliseconds most) {
  if (!ready())
    return lose(ErrorKind::unavailable, "the connection to the database is lost", false);
  copying_ = &sql;
  if (PQexitPipelineMode(connection_) == 0 || PQsendQuery(connection_, sql.text) == 0) {
    return copy_failed(&sql, nullptr);
  }
  const auto begun = copy_result(most);
  if (!begun) return fail(begun.error());
  if (*begun == nullptr || PQresultStatus(begun->get()) != wanted) {
    return copy_failed(&sql, begun->get());
  }
  return {};
}

Result<void> Link::begin_copy_in(const Sql& sql, Milliseconds most) {
  return begin_copy(sql, PGRES_COPY_IN, most);
}

Result<void> Link::copy_in(std::string_view octets, Milliseconds most) {
  while (!octets.empty()) {
    constexpr std::size_t kAtOnce = std::size_t{1} << 20U;
    const std::string_view part = octets.substr(0, kAtOnce);
    octets.remove_prefix(part.size());
    const int put = PQputCopyData(connection_, part.data(), static_cast<int>(part.size()));
    if (put != 1) return copy_failed(copying_, nullptr);
    if (auto sent = flush_copy(most); !sent) return sent;
  }
  return {};
}

Result<void> Link::end_copy(Milliseconds most) {
  const auto none = copy_result(most);
  if (!none) return fail(none.error());
  if (*none != nullptr || PQenterPipelineMode(connection_) == 0) {
    return copy_failed(copying_, none->get());
  }
  copying_ = nullptr;
  return {};
}

Result<std::int64_t> Link::end_copy_in(Milliseconds most) {
  if (PQputCopyEnd(connection_, nullptr) != 1) return copy_failed(copying_, nullptr);
  const auto said = copy_result(most);
  if (!said) return fail(said.error());
  if (*said == nullptr || PQresultStatus(said->get()) != PGRES_COMMAND_OK) {
    return copy_failed(copying_, said->get());
  }
  if (auto ended = end_copy(most); !ended) return fail(std::move(ended.error()));
  return std::strtoll(PQcmdTuples(said->get()), nullptr, 10);
}

Result<void> Link::copy_out(const Sql& sql, const Piece& each, Milliseconds most) {
  if (auto begun = begin_copy(sql, PGRES_COPY_OUT, most); !begun) return begun;
  while (true) {
    char* octets = nullptr;
    const int size = PQgetCopyData(connection_, &octets, 1);
    if (size == 0) {
      if (!wait_for_socket(connection_, false, most)) {
        return lose(ErrorKind::unavailable, std::string(kNoProgress), false);
      }
      if (PQconsumeInput(connection_) == 0) return copy_failed(&sql, nullptr);
      continue;
    }
    if (size < 0) break;  // the end, or an error that the result tells
    const std::unique_ptr<char, decltype(&PQfreemem)> owned(octets, &PQfreemem);
    auto taken = each({octets, static_cast<std::size_t>(size)});
    if (!taken) {
      (void)lose(taken.error().kind, taken.error().detail, false);
      return taken;
    }
  }
  const auto said = copy_result(most);
  if (!said) return fail(said.error());
  if (*said == nullptr || PQresultStatus(said->get()) != PGRES_COMMAND_OK) {
    return copy_failed(&sql, said->get());
  }
  return end_copy(most);
}

}  // namespace todoku::store::postgres
