// SPDX-License-Identifier: Apache-2.0
#include "link.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace todoku::pg_sketch {

const Sql kBegin{"begin", "BEGIN"};
const Sql kCommit{"commit", "COMMIT"};

Link::Link(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str())) {
  if (PQstatus(connection_) != CONNECTION_OK) {
    fmt::print(stderr, "cannot connect: {}", PQerrorMessage(connection_));
    std::exit(1);
  }
}

Link::~Link() {
  PQfinish(connection_);
}

Error Link::error(std::string_view what) const {
  return {ErrorKind::io, fmt::format("{}: {}", what, PQerrorMessage(connection_))};
}

Link& Link::add(const Sql& sql, Params params) {
  if (refused_) return *this;
  if (sent_.empty()) PQenterPipelineMode(connection_);
  if (prepared_.insert(&sql).second) {
    PQsendPrepare(connection_, sql.name, sql.text, static_cast<int>(params.types.size()),
                  params.types.data());
    sent_.push_back({&sql, true});
  }
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const auto& value : params.values) {
    values.push_back(value ? value->data() : nullptr);
    lengths.push_back(value ? static_cast<int>(value->size()) : 0);
  }
  const std::vector<int> formats(values.size(), 1);
  PQsendQueryPrepared(connection_, sql.name, static_cast<int>(values.size()), values.data(),
                      lengths.data(), formats.data(), 1);
  sent_.push_back({&sql, false});
  if (!singly_) return *this;
  auto results = take_off();
  if (!results) {
    refused_ = std::move(results.error());
  } else {
    single_.push_back(std::move(results->front()));
  }
  return *this;
}

Result<std::vector<PgResult>> Link::fly() {
  if (!singly_) return take_off();
  std::vector<PgResult> results = std::exchange(single_, {});
  if (refused_) return fail(*std::exchange(refused_, std::nullopt));
  return results;
}

Result<std::vector<PgResult>> Link::take_off() {
  PQpipelineSync(connection_);
  ++flights_;
  std::vector<PgResult> results;
  std::string refused;
  for (const Sent& sent : sent_) {
    PgResult result(PQgetResult(connection_));
    PQclear(PQgetResult(connection_));  // the null after each
    const auto status = PQresultStatus(result.get());
    const bool fine = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (status == PGRES_FATAL_ERROR) refused = PQresultErrorMessage(result.get());
    if (sent.preparing) {
      if (!fine) prepared_.erase(sent.sql);
      continue;
    }
    ++statements_;
    results.push_back(std::move(result));
    if (!fine && refused.empty()) refused = "not done";
  }
  sent_.clear();
  PgResult sync(PQgetResult(connection_));
  PQexitPipelineMode(connection_);
  if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) return fail(error("connection"));
  if (refused.empty()) return results;
  if (PQtransactionStatus(connection_) != PQTRANS_IDLE) (void)simple("ROLLBACK");
  return fail(ErrorKind::io, refused);
}

Result<PgResult> Link::simple(const std::string& text) {
  ++flights_;
  ++statements_;
  PgResult result(PQexec(connection_, text.c_str()));
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return fail(error(text));
  return result;
}

Result<void> Link::copy(const std::string& text, std::string_view data) {
  ++flights_;
  PQsendQuery(connection_, text.c_str());
  bool failed = false;
  while (PGresult* const raw = PQgetResult(connection_)) {
    const PgResult result(raw);
    ++statements_;
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN) {
      PQputCopyData(connection_, data.data(), static_cast<int>(data.size()));
      PQputCopyEnd(connection_, nullptr);
    }
    failed = failed || status == PGRES_FATAL_ERROR;
  }
  if (!failed) return {};
  Error refused = error("copy");
  if (PQtransactionStatus(connection_) != PQTRANS_IDLE) (void)simple("ROLLBACK");
  return fail(std::move(refused));
}

}  // namespace todoku::pg_sketch
