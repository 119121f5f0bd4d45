// SPDX-License-Identifier: Apache-2.0
// StageRows (store/work.h): two flights. The first locks the jobs and reads where their rows go;
// the second inserts them, as arrays. Each call fills batches of its own: what a half-full batch of
// the call before holds would have to be read first.
#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <span>

#include "store/batching.h"
#include "store/imports.h"
#include "store/numbers.h"
#include "store/postgres/domain_counts.h"
#include "store/postgres/hot.h"
#include "store/postgres/marks.h"
#include "store/records.h"
#include "store/texts.h"

namespace todoku::store::postgres {
namespace {

const Sql kLockJobs{"stage: lock jobs",
                    "SELECT j.account, j.id, j.status, j.node, j.delivery, j.section"
                    " FROM import_jobs j JOIN unnest($1::bigint[], $2::bigint[]) u(account, id)"
                    " ON j.account = u.account AND j.id = u.id"
                    " ORDER BY j.account, j.id FOR NO KEY UPDATE OF j"};
const Sql kStagedDeliveries{"stage: deliveries",
                            "SELECT d.key, d.traffic FROM import_jobs j"
                            " JOIN unnest($1::bigint[], $2::bigint[]) u(account, id)"
                            " ON j.account = u.account AND j.id = u.id"
                            " JOIN deliveries d ON d.key = j.delivery AND d.deleted = 0"};
// Due since they were made, if they are bulk: what is not visible is not found.
const Sql kStageBatches{
    "stage: batches",
    "INSERT INTO batches(number, delivery, account, section, traffic, domain, first_email_id,"
    " capacity, size, removed, open, created, ready_at, token, holder, losses, begun)"
    " SELECT u.number, u.delivery, u.account, u.section, u.traffic, u.domain, u.email, u.size,"
    " u.size, 0, u.size, " STORE_NOW
    ", CASE WHEN u.traffic = 1 THEN 0 END, 0, 0, 0, 0"
    " FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[],"
    " $8::bigint[], $9::bigint[]) u(number, delivery, account, section, traffic, domain, email,"
    " size)"};
const Sql kStageRecipients{
    "stage: recipients",
    "INSERT INTO recipients(batch, seq, address, hash, codes)"
    " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[])"};
// A row is updated once by a statement, however often it is joined: what several calls bring for
// one job is summed first.
const Sql kStageCount{
    "stage: count",
    "UPDATE import_jobs j SET staged = j.staged + u.rows, folded = u.folded,"
    " percentage = u.percentage FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[],"
    " $5::bigint[]) u(account, id, rows, folded, percentage)"
    " WHERE j.account = u.account AND j.id = u.id"};

struct StageJob {
  ImportStatus status{};
  NodeKey node = kNobody;
  DeliveryKey delivery{};
  std::int64_t section = 0;
  std::int64_t rows = 0;
  std::int64_t folded = 0;
  std::int32_t percentage = 0;
};
using JobKey = std::pair<AccountKey, PublicId>;

struct StageColumns {
  Column number{kInt8}, delivery{kInt8}, owner{kInt8}, section{kInt8}, traffic{kInt8},
      domain{kText}, email{kInt8}, size{kInt8};
  Column batch{kInt8}, seq{kInt8}, address{kText}, hash{kInt8}, codes{kBytea};
  MarkColumns marks;
};

JobKey job_of(const StageRows& stage) {
  return {stage.account, stage.job};
}

// The batches that one call fills, with the domain of each.
std::vector<std::pair<std::span<const std::uint32_t>, std::string_view>> batches_of(
    const std::vector<Places>& groups, std::span<const NewRecipient> recipients) {
  std::vector<std::pair<std::span<const std::uint32_t>, std::string_view>> batches;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const bool shared = i + 1 == groups.size();
    for (const auto part : cut_into_batches(groups[i])) {
      batches.emplace_back(
          part, shared ? std::string_view() : std::string_view(recipients[part.front()].domain));
    }
  }
  return batches;
}

std::int64_t numbers_for(std::size_t recipients) {
  return static_cast<std::int64_t>(recipients / kOwnBatchMin) + 2;
}

Result<void> add_rows(const StageRows& stage, const StageJob& job, std::int64_t traffic,
                      TakenIds& ids, const AddressHash& hash, StageColumns& c) {
  const std::span<const NewRecipient> recipients = stage.recipients;
  if (recipients.empty()) return {};  // only tells how far it is
  const auto first =
      ids.take(stage.account, IdKind::email, static_cast<std::int64_t>(recipients.size()));
  if (!first) return fail(ErrorKind::not_found, "there is no such account");
  PublicId email = *first;
  std::int64_t number = ids.take_numbers(numbers_for(recipients.size()));
  if (!is_near(job.delivery, number) ||
      !is_near(job.delivery, number + numbers_for(recipients.size()))) {
    return fail(ErrorKind::conflict, "this draft is too old to be added to; make a new one");
  }
  NoDictionary dictionary;
  std::string codes;
  const auto groups = grouped_by_domain(recipients);
  for (const auto& [part, domain] : batches_of(groups, recipients)) {
    c.number.add(number);
    c.delivery.add(job.delivery);
    c.owner.add(stage.account);
    c.section.add(job.section);
    c.traffic.add(traffic);
    c.domain.add(domain);
    c.email.add(email);
    c.size.add(part.size());
    std::int64_t seq = 0;
    for (const std::uint32_t place : part) {
      const NewRecipient& recipient = recipients[place];
      auto packed = pack_codes(dictionary, recipient.insert_codes, codes);
      if (!packed) return packed;
      c.marks.add(hash, stage.account, number, seq, recipient.insert_codes);
      c.batch.add(number);
      c.seq.add(seq++);
      c.address.add(stored_address(recipient.address, domain));
      c.hash.add(std::bit_cast<std::int64_t>(hash(recipient.address)));
      c.codes.add(codes.empty() ? std::nullopt : std::optional(Octets{codes}));
    }
    email += static_cast<PublicId>(part.size());
    ++number;
  }
  return {};
}

// Why a job takes nothing, or its row.
Result<StageJob*> job_for(const StageRows& stage, std::map<JobKey, StageJob>& jobs,
                          const std::map<DeliveryKey, std::int64_t>& deliveries) {
  const auto found = jobs.find(job_of(stage));
  if (found == jobs.end() || !deliveries.contains(found->second.delivery)) {
    return fail(ErrorKind::not_found, "there is no such import job");
  }
  if (found->second.status != ImportStatus::running) {
    return fail(ErrorKind::conflict, "the import job has ended");
  }
  if (found->second.node != stage.node) {
    return fail(ErrorKind::conflict, "the import job has another node");
  }
  return &found->second;
}

std::map<JobKey, StageJob> jobs_in(const Table& rows) {
  std::map<JobKey, StageJob> jobs;
  for (int i = 0; i < rows.size(); ++i) {
    StageJob& job = jobs[{AccountKey{rows.integer(i, 0)}, rows.integer(i, 1)}];
    job.status = static_cast<ImportStatus>(rows.integer(i, 2));
    job.node = NodeKey{rows.integer(i, 3)};
    job.delivery = DeliveryKey{rows.integer(i, 4)};
    job.section = rows.integer(i, 5);
  }
  return jobs;
}

std::map<DeliveryKey, std::int64_t> deliveries_in(const Table& rows) {
  std::map<DeliveryKey, std::int64_t> traffic;
  for (int i = 0; i < rows.size(); ++i)
    traffic[DeliveryKey{rows.integer(i, 0)}] = rows.integer(i, 1);
  return traffic;
}

struct StageAsked {
  Column account{kInt8}, job{kInt8};
  explicit StageAsked(Together<StageRows> items) {
    std::set<JobKey> keys;
    for (const Pending<StageRows>* const item : items) keys.insert(job_of(item->op));
    for (const auto& [owner, id] : keys) {
      account.add(owner);
      job.add(id);
    }
  }
};

void add_count(Link& link, const std::map<JobKey, StageJob>& jobs,
               const std::set<JobKey>& touched) {
  Column account(kInt8), id(kInt8), rows(kInt8), folded(kInt8), percentage(kInt8);
  for (const JobKey& key : touched) {
    const StageJob& job = jobs.at(key);
    account.add(key.first);
    id.add(key.second);
    rows.add(job.rows);
    folded.add(job.folded);
    percentage.add(job.percentage);
  }
  link.add(kStageCount, Params() << account << id << rows << folded << percentage);
}

}  // namespace

Result<void> Flight<StageRows>::perform(Hot& hot, std::int64_t token) {
  std::vector<Pending<StageRows>*> sound;
  IdNeeds needs;
  for (Pending<StageRows>* const item : items_) {
    if (auto checked = check_sound(item->op); !checked) {
      item->answer = fail(std::move(checked.error()));
      continue;
    }
    sound.push_back(item);
    needs.add(item->op.account, IdKind::email,
              static_cast<std::int64_t>(item->op.recipients.size()));
    needs.numbers += numbers_for(item->op.recipients.size());
  }
  if (sound.empty()) return {};
  auto ids = hot.ids.take(hot.link, needs, hot.flight_max);
  if (!ids) return fail(std::move(ids.error()));
  const StageAsked asked(sound);
  add_begin(hot.link, token, hot.told);
  const auto read = hot.link.add(kLockJobs, Params() << asked.account << asked.job)
                        .add(kStagedDeliveries, Params() << asked.account << asked.job)
                        .fly(hot.flight_max);
  if (!read) return fail(read.error());
  auto jobs = jobs_in((*read)[kBeginStatements]);
  const auto deliveries = deliveries_in((*read)[kBeginStatements + 1]);
  StageColumns c;
  DomainColumns domains;
  std::set<JobKey> touched;
  for (Pending<StageRows>* const item : sound) {
    const auto job = job_for(item->op, jobs, deliveries);
    if (!job) {
      item->answer = fail(job.error());
      continue;
    }
    auto added = add_rows(item->op, **job, deliveries.at((*job)->delivery), *ids, hot.hash, c);
    if (!added) {
      item->answer = fail(std::move(added.error()));
      continue;
    }
    (*job)->rows += static_cast<std::int64_t>(item->op.recipients.size());
    (*job)->folded = item->op.folded;
    (*job)->percentage = std::clamp(item->op.percentage, 0, 100);
    domains.add((*job)->section, tally_domains(item->op.recipients));
    touched.insert(job_of(item->op));
    item->answer = Staged{};
  }
  hot.link.add(kStageRecipients, Params() << c.batch << c.seq << c.address << c.hash << c.codes)
      .add(kStageBatches, Params() << hot.told << c.number << c.delivery << c.owner << c.section
                                   << c.traffic << c.domain << c.email << c.size);
  domains.add_statements(hot.link);
  c.marks.add_statement(hot.link);
  add_count(hot.link, jobs, touched);
  const auto done = hot.link.add(kCommit).fly(hot.flight_max);
  if (!done) return fail(done.error());
  return {};
}

// The answers were decided before the commit.
Result<void> Flight<StageRows>::answer_stored(Hot& /*hot*/, std::int64_t /*token*/) {
  return {};
}

}  // namespace todoku::store::postgres
