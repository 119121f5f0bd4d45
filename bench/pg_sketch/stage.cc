// SPDX-License-Identifier: Apache-2.0
// Each call fills batches of its own: what a half-full batch of the call before holds is known only
// to who reads it first, which is a round trip.
#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>

#include "merged.h"
#include "schema.h"

namespace todoku::pg_sketch {
namespace {

using store::NewRecipient;
using store::StageRows;

constexpr std::size_t kBatchMax = 500;
constexpr std::size_t kOwnBatch = 50;

const Sql kLockJobs{
    "stage_jobs",
    "SELECT j.account, j.id, j.status, j.node FROM import_jobs j"
    " JOIN unnest($1::bigint[], $2::bigint[]) u(account, id) ON j.account = u.account"
    " AND j.id = u.id JOIN deliveries d ON d.key = j.delivery AND d.deleted = 0"
    " ORDER BY j.account, j.id FOR NO KEY UPDATE OF j"};
// Delivery and section are the job's; what no running job of its node brings is left out.
const Sql kBatches{
    "stage_batches",
    "INSERT INTO batches SELECT u.number, j.delivery, j.account, j.section, d.traffic, u.domain,"
    " u.email, u.size, 0, u.size, " PG_SKETCH_NOW
    ", 0, 0, 0, 0"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[],"
    " $7::bigint[]) u(account, job, node, number, domain, email, size)"
    " JOIN import_jobs j ON j.account = u.account AND j.id = u.job AND j.status = 1"
    " AND j.node = u.node JOIN deliveries d ON d.key = j.delivery AND d.deleted = 0"};
const Sql kRecipients{
    "stage_recipients",
    "INSERT INTO recipients SELECT u.* FROM unnest($1::bigint[], $2::bigint[], $3::text[],"
    " $4::bytea[]) u(batch, seq, address, codes)"
    " WHERE u.batch IN (SELECT number FROM batches WHERE number = ANY($5))"};
// A row is updated once by a statement, however often it is joined: what several calls bring for
// one job is summed first.
const Sql kCount{
    "stage_count",
    "UPDATE import_jobs j SET staged = j.staged + u.rows, percentage = u.percentage"
    " FROM (SELECT account, id, node, sum(rows)::bigint AS rows, max(percentage) AS percentage"
    " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])"
    " u(account, id, node, rows, percentage) GROUP BY account, id, node) u"
    " WHERE j.account = u.account AND j.id = u.id AND j.status = 1 AND j.node = u.node"
    " AND EXISTS (SELECT 1 FROM deliveries d WHERE d.key = j.delivery AND d.deleted = 0)"};

// The batches that one call fills, as indices of its recipients.
std::vector<std::vector<std::uint32_t>> batches_of(const std::vector<NewRecipient>& recipients) {
  std::unordered_map<std::string_view, std::vector<std::uint32_t>> domains;
  for (std::uint32_t i = 0; i < recipients.size(); ++i) domains[recipients[i].domain].push_back(i);
  std::vector<std::vector<std::uint32_t>> batches;
  std::vector<std::uint32_t> shared;
  const auto cut = [&](const std::vector<std::uint32_t>& group) {
    for (std::size_t begin = 0; begin < group.size(); begin += kBatchMax) {
      const auto part = std::span(group).subspan(begin, std::min(kBatchMax, group.size() - begin));
      batches.emplace_back(part.begin(), part.end());
    }
  };
  for (const auto& [domain, group] : domains) {
    if (group.size() >= kOwnBatch) {
      cut(group);
    } else {
      shared.insert(shared.end(), group.begin(), group.end());
    }
  }
  cut(shared);
  return batches;
}

struct Columns {
  Column account{kInt8}, job{kInt8}, node{kInt8}, rows{kInt8}, percentage{kInt8};
  Column owner{kInt8}, of_job{kInt8}, of_node{kInt8}, number{kInt8}, domain{kText}, email{kInt8},
      size{kInt8};
  Column batch{kInt8}, seq{kInt8}, address{kText}, codes{kBytea};
  std::vector<std::string> copied;  // the rows of each item instead, in COPY's binary format
};

void copy_row(std::string& out, std::int64_t number, std::int64_t seq, std::string_view address,
              std::string_view codes) {
  put_be(out, 4, 2);
  put_be(out, 8, 4);
  put_be(out, static_cast<std::uint64_t>(number), 8);
  put_be(out, 8, 4);
  put_be(out, static_cast<std::uint64_t>(seq), 8);
  put_text(out, address);
  put_text(out, codes);
}

bool add(const StageRows& item, Ids& ids, bool copying, Columns& c) {
  c.copied.emplace_back();
  const auto account = static_cast<std::int64_t>(item.account);
  const auto node = static_cast<std::int64_t>(item.node);
  auto email = ids.take_emails(item.account, static_cast<std::int64_t>(item.recipients.size()));
  if (!email) return false;
  c.account.add(account);
  c.job.add(item.job);
  c.node.add(node);
  c.rows.add(static_cast<std::int64_t>(item.recipients.size()));
  c.percentage.add(std::int64_t{std::clamp(item.percentage, 0, 100)});
  for (const auto& batch : batches_of(item.recipients)) {
    const auto number = ids.take_numbers(1);
    const auto& domain = item.recipients[batch.front()].domain;
    const bool one = std::ranges::all_of(
        batch, [&](std::uint32_t index) { return item.recipients[index].domain == domain; });
    c.owner.add(account);
    c.of_job.add(item.job);
    c.of_node.add(node);
    c.number.add(number);
    c.domain.add(one ? std::string_view(domain) : std::string_view());
    c.email.add(*email);
    c.size.add(static_cast<std::int64_t>(batch.size()));
    *email += static_cast<std::int64_t>(batch.size());
    std::int64_t seq = 0;
    for (const std::uint32_t index : batch) {
      const NewRecipient& recipient = item.recipients[index];
      const std::string codes = pack_codes(recipient.insert_codes);
      if (copying) {
        copy_row(c.copied.back(), number, seq, recipient.address, codes);
      } else {
        c.batch.add(number);
        c.seq.add(seq);
        c.address.add(recipient.address);
        c.codes.add(codes);
      }
      ++seq;
    }
  }
  return true;
}

Result<Answers<StageRows>> stage_all(Link& link, Ids& ids, Items<StageRows> items, bool copying) {
  std::map<store::AccountKey, Ids::Need> needs;
  std::int64_t numbers = 0;
  for (const StageRows* const item : items) {
    const auto rows = static_cast<std::int64_t>(item->recipients.size());
    needs[item->account].emails += rows;
    numbers += rows / static_cast<std::int64_t>(kOwnBatch) + 2;
  }
  if (auto provided = ids.provide(link, needs, numbers); !provided) return fail(provided.error());
  Columns c;
  std::vector<bool> known;
  for (const StageRows* const item : items) known.push_back(add(*item, ids, copying, c));
  link.add(kBegin)
      .add(kLockJobs, Params() << c.account << c.job)
      .add(kBatches, Params() << c.owner << c.of_job << c.of_node << c.number << c.domain << c.email
                              << c.size)
      .add(kCount, Params() << c.account << c.job << c.node << c.rows << c.percentage);
  if (!copying) {
    link.add(kRecipients, Params() << c.batch << c.seq << c.address << c.codes << c.number)
        .add(kCommit);
  }
  const auto results = link.fly();
  if (!results) return fail(results.error());
  std::map<std::pair<std::int64_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>> jobs;
  const Rows rows((*results)[1].get());
  for (int i = 0; i < rows.size(); ++i) {
    jobs[{rows.integer(i, 0), rows.integer(i, 1)}] = {rows.integer(i, 2), rows.integer(i, 3)};
  }
  Answers<StageRows> answers;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto found = jobs.find({static_cast<std::int64_t>(items[i]->account), items[i]->job});
    if (!known[i] || found == jobs.end()) {
      answers.push_back(fail(ErrorKind::not_found, "there is no such import job"));
    } else if (found->second != std::pair<std::int64_t, std::int64_t>(
                                    1, static_cast<std::int64_t>(items[i]->node))) {
      answers.push_back(fail(ErrorKind::conflict, "the job has ended or has another node"));
    } else {
      answers.push_back(store::Staged{});
    }
  }
  if (!copying) return answers;
  std::string copied("PGCOPY\n\377\r\n\0", 11);
  put_be(copied, 0, 8);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (answers[i]) copied += c.copied[i];
  }
  put_be(copied, 0xFFFF, 2);
  auto done = link.copy("COPY recipients FROM STDIN (FORMAT binary); COMMIT", copied);
  if (!done) return fail(std::move(done.error()));
  return answers;
}

}  // namespace

Result<Answers<StageRows>> stage(Link& link, Ids& ids, Items<StageRows> items) {
  return stage_all(link, ids, items, false);
}

Result<Answers<StageRows>> stage_by_copy(Link& link, Ids& ids, Items<StageRows> items) {
  return stage_all(link, ids, items, true);
}

}  // namespace todoku::pg_sketch
