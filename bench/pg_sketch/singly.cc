// SPDX-License-Identifier: Apache-2.0
#include "singly.h"

#include <algorithm>
#include <map>

#include "merged.h"
#include "schema.h"

namespace todoku::pg_sketch {
namespace {

const Sql kBatch{"single_batch", "SELECT open, token FROM batches WHERE number = $1 FOR UPDATE"};
const Sql kOutcome{"single_outcome",
                   "INSERT INTO progress VALUES($1, $2, $3, 1, $4, convert_to($5, 'UTF8'))"
                   " ON CONFLICT DO NOTHING"};
const Sql kSettled{"single_settled",
                   "UPDATE batches SET open = open - $2,"
                   " holder = CASE WHEN open = $2 THEN 0 ELSE holder END WHERE number = $1"};
const Sql kCounts{"single_counts",
                  "UPDATE deliveries SET delivered = delivered + $2, deferred = deferred + $3"
                  " WHERE key = $1"};
const Sql kJob{"single_job",
               "SELECT delivery, section FROM import_jobs WHERE account = $1 AND id = $2"
               " AND status = 1 AND node = $3 FOR UPDATE"};
const Sql kNewBatch{"single_new_batch",
                    "INSERT INTO batches SELECT $1, delivery, account, section, 1, '', $4, $5, 0,"
                    " $5, " PG_SKETCH_NOW
                    ", 0, 0, 0, 0 FROM import_jobs WHERE account = $2"
                    " AND id = $3"};
const Sql kRecipient{"single_recipient",
                     "INSERT INTO recipients VALUES($1, $2, $3, convert_to($4, 'UTF8'))"};
const Sql kStaged{"single_staged",
                  "UPDATE import_jobs SET staged = staged + $3 WHERE account = $1 AND id = $2"};
const Sql kNextDomain{"single_next_domain",
                      "SELECT domain FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL"
                      " AND domain > $1 ORDER BY domain LIMIT 1"};
const Sql kDomain{
    "single_domain",
    "SELECT number, delivery, account, traffic, domain, open, ready_at FROM batches"
    " WHERE traffic = 0 AND domain = $1 AND ready_at IS NOT NULL AND ready_at <= " PG_SKETCH_NOW
    " ORDER BY ready_at, number LIMIT 4"};

}  // namespace

Result<void> settle_singly(Link& link, const store::Settle& item) {
  std::map<std::int64_t, std::int64_t> settled;
  std::int64_t delivered = 0;
  std::int64_t deferred = 0;
  for (const auto& outcome : item.outcomes) {
    const bool ends = is_terminal(outcome.outcome.state);
    ++(ends ? delivered : deferred);
    settled[static_cast<std::int64_t>(outcome.key.delivery) + outcome.key.batch] += ends ? 1 : 0;
  }
  link.add(kBegin);
  for (const auto& each : settled) link.add(kBatch, Params() << each.first);
  for (const auto& outcome : item.outcomes) {
    link.add(kOutcome,
             Params() << static_cast<std::int64_t>(outcome.key.delivery) + outcome.key.batch
                      << std::int64_t{outcome.key.seq}
                      << static_cast<std::int64_t>(outcome.outcome.state) << std::int64_t{0}
                      << std::string_view(outcome.outcome.reply.text));
  }
  for (const auto& [number, by] : settled) link.add(kSettled, Params() << number << by);
  link.add(kCounts, Params() << static_cast<std::int64_t>(item.outcomes.front().key.delivery)
                             << delivered << deferred);
  const auto results = link.add(kCommit).fly();
  if (!results) return fail(results.error());
  return {};
}

Result<void> stage_singly(Link& link, Ids& ids, const store::StageRows& item) {
  const auto size = static_cast<std::int64_t>(item.recipients.size());
  const auto account = static_cast<std::int64_t>(item.account);
  if (auto done = ids.provide(link, {{item.account, {0, size}}}, size); !done) return done;
  auto email = ids.take_emails(item.account, size);
  link.add(kBegin).add(kJob, Params()
                                 << account << item.job << static_cast<std::int64_t>(item.node));
  std::int64_t number = 0;
  std::int64_t seq = 500;
  std::int64_t left = size;
  for (const auto& recipient : item.recipients) {
    if (seq == 500) {
      number = ids.take_numbers(1);
      seq = 0;
      link.add(kNewBatch, Params() << number << account << item.job << *email
                                   << std::min<std::int64_t>(left, 500));
    }
    link.add(kRecipient, Params() << number << seq << std::string_view(recipient.address)
                                  << std::string_view(recipient.insert_codes.front().value));
    ++seq;
    --left;
  }
  const auto results =
      link.add(kStaged, Params() << account << item.job << size).add(kCommit).fly();
  if (!results) return fail(results.error());
  return {};
}

Result<std::int64_t> due_singly(Link& link, std::int64_t limit) {
  std::int64_t found = 0;
  std::string after;
  for (std::int64_t i = 0; i < limit; ++i) {
    const auto next = link.add(kNextDomain, Params() << std::string_view(after)).fly();
    if (!next) return fail(next.error());
    const Rows domain((*next)[0].get());
    if (domain.size() == 0) break;
    after = domain.text(0, 0);
    const auto batches = link.add(kDomain, Params() << std::string_view(after)).fly();
    if (!batches) return fail(batches.error());
    found += Rows((*batches)[0].get()).size();
  }
  return found;
}

}  // namespace todoku::pg_sketch
