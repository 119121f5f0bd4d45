// SPDX-License-Identifier: Apache-2.0
#include "trial.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/check.h"
#include "data.h"
#include "merged.h"
#include "store/texts.h"

namespace todoku::pg_sketch {
namespace {

using store::Accept;
using store::Claim;
using store::Settle;
using store::StageRows;

constexpr std::int64_t kHeld = 500'000'000;
constexpr std::int64_t kFree = 510'000'000;
constexpr std::int64_t kImport = 520'000'000;
constexpr std::int64_t kDue = 530'000'000;
constexpr std::int64_t kBulk = 540'000'000;

constexpr std::int64_t kLater = std::int64_t{1} << 45;  // a time of the store

template <class T>
std::vector<const T*> pointers(const std::vector<T>& items) {
  std::vector<const T*> all;
  for (const T& item : items) all.push_back(&item);
  return all;
}

template <class T>
T good(Result<T> result) {
  check(result.has_value(), result ? "" : result.error().detail);
  return std::move(*result);
}

bool is(ErrorKind kind, const auto& result) {
  return !result && result.error().kind == kind;
}

bool holds(Link& link, const std::string& question) {
  return PQntuples(good(link.simple(question)).get()) == 1;
}

store::RecipientKey recipient(std::uint32_t batch, std::uint32_t seq) {
  return {store::DeliveryKey{kHeld}, batch, seq};
}

std::uint64_t try_accept(Link& link, Ids& ids) {
  auto items = some_accepts(64);
  items[10].delivery.account = store::AccountKey{999};
  items[20].holder = kDeadNode;
  items[21].holder = kLapsedNode;
  items[30].recipients = some_recipients(1'200);
  auto answers = good(accept(link, ids, pointers(items)));
  check(is(ErrorKind::not_found, answers[10]), "unknown account");
  check(answers[20] && answers[20]->batches.empty(), "a dead node is given nothing");
  check(answers[21] && answers[21]->batches.empty(), "nor is one that lapsed");
  check(answers[22]->batches[0].node == kNode &&
            answers[22]->batches[0].expires_in == std::chrono::hours(24),
        "the lease");
  check(answers[30] && answers[30]->batches.size() == 3, "three batches");
  check(answers[63] && answers[63]->batches[0].token == 1, "leased");
  check(answers[63]->delivery.expires > answers[63]->delivery.started, "expires");
  // What every back end refuses before it merges, let through: it fails its flight.
  items = some_accepts(64);
  items[37].delivery.content.subject = std::string("a\0b", 3);
  check(!store::check_sound(items[37]), "NUL is refused before");
  const auto before = link.flights();
  const auto all = in_halves<Accept>(pointers(items),
                                     [&](Items<Accept> some) { return accept(link, ids, some); });
  for (std::size_t i = 0; i < all.size(); ++i) check(all[i].has_value() == (i != 37), "halves");
  return link.flights() - before;
}

void try_settle(Link& link) {
  store_held(link, kHeld, 2);
  std::vector<store::OutcomeRecord> first;
  for (std::uint32_t seq = 0; seq < 500; ++seq) first.push_back(some_outcome(recipient(0, seq)));
  first.push_back(some_outcome(recipient(0, 0)));    // once more: superseded
  first.push_back(some_outcome(recipient(0, 500)));  // not there
  first.push_back(some_outcome(recipient(77, 0)));   // nor is its batch
  // The number of a batch that is there, but of another delivery.
  first.push_back(some_outcome({store::DeliveryKey{kHeld - 1}, 1, 0}));
  first.push_back(some_outcome(recipient(0, 1)));
  first.back().wait = Milliseconds(1);  // delivered, and tried again?
  const std::array releases{
      store::BatchRelease{{{store::DeliveryKey{kHeld}, 0}, 1}, Milliseconds(0)}};
  const std::array fenced{
      store::BatchRelease{{{store::DeliveryKey{kHeld}, 1}, 7}, Milliseconds(0)}};
  std::vector<Settle> items{{first, releases}, {{}, fenced}};
  auto answers = good(settle(link, pointers(items)));
  const auto& outcomes = answers[0]->outcomes;
  check(outcomes[0]->state == RecipientState::delivered, "delivered");
  check(outcomes[19]->due == std::chrono::minutes(15) - Milliseconds(3), "deferred");
  check(outcomes[500]->superseded && is(ErrorKind::not_found, outcomes[501]) &&
            is(ErrorKind::not_found, outcomes[502]) && is(ErrorKind::not_found, outcomes[503]) &&
            is(ErrorKind::invalid_input, outcomes[504]),
        "each for itself");
  const auto& released = answers[0]->releases[0];
  check(released && !released->done && *released->next > std::chrono::minutes(14), "released");
  check(is(ErrorKind::conflict, answers[1]->releases[0]), "fenced");
  // The rest, and a bounce that comes after the delivery: both items hear that it has finished.
  std::vector<store::OutcomeRecord> last;
  std::vector<store::OutcomeRecord> late{some_outcome(recipient(0, 0))};
  late[0].outcome.state = RecipientState::bounced;
  for (std::uint32_t batch = 0; batch < 2; ++batch) {
    for (std::uint32_t seq = 0; seq < 500; ++seq) {
      if (batch == 0 && seq % 20 != 19) continue;
      auto& outcome = last.emplace_back(some_outcome(recipient(batch, seq)));
      outcome.outcome.state = RecipientState::delivered;
      outcome.wait.reset();
    }
  }
  const std::array rest{store::BatchRelease{{{store::DeliveryKey{kHeld}, 1}, 1}, Milliseconds(0)}};
  items = {{last, rest}, {late, {}}};
  answers = good(settle(link, pointers(items)));
  check(answers[1]->outcomes[0]->state == RecipientState::bounced, "bounced");
  check(answers[0]->releases[0]->done, "done");
  check(answers[0]->finished.size() == 1 && answers[1]->finished.size() == 1, "finished");
  check(holds(link,
              "SELECT FROM deliveries WHERE key = 500000000 AND status = 6 AND delivered"
              " = 999 AND bounced = 1 AND deferred = 0"),
        "counts");
}

void try_claim(Link& link) {
  store_claimable(link, kFree, 5);
  const store::DeliveryKey key{kFree};
  // Nobody of batch 3 is due; batch 4 is a suspect whose first is through.
  must(link,
       fmt::format("INSERT INTO progress SELECT {} + 3, s, 1, 1, {}, '' FROM"
                   " generate_series(0, 499) s; INSERT INTO progress VALUES({} + 4, 0, 2, 1,"
                   " NULL, ''); UPDATE batches SET losses = 3, open = 499 WHERE number = {} + 4",
                   kFree, kLater, kFree, kFree));
  std::vector<Claim> items{{kDeadNode, {{key, 2}, {key, 0}}},
                           {kNode, {{key, 0}, {key, 1}}},
                           {kNode, {{key, 1}, {key, 9}, {store::DeliveryKey{kFree - 1}, 3}}},
                           {kLapsedNode, {{key, 2}}},
                           {kNode, {{key, 3}, {key, 4}}}};
  auto answers = good(claim(link, pointers(items)));
  check(is(ErrorKind::conflict, answers[0]) && is(ErrorKind::conflict, answers[3]), "lapsed");
  answers.erase(answers.begin());
  check(answers[0]->batches[0]->recipients.size() == 500, "recipients");
  check(answers[0]->batches[1]->recipients[3].insert_codes[0].value == "Alice", "codes");
  check(is(ErrorKind::conflict, answers[1]->batches[0]), "already had");
  check(is(ErrorKind::conflict, answers[1]->batches[1]), "not there");
  check(is(ErrorKind::conflict, answers[1]->batches[2]), "another delivery's");
  check(is(ErrorKind::conflict, answers[3]->batches[0]), "nobody is due");
  check(holds(link, fmt::format("SELECT FROM batches WHERE number = {} + 3 AND holder = 0 AND"
                                " ready_at = {}",
                                kFree, kLater)),
        "due when somebody is");
  const auto& suspect = answers[3]->batches[1];
  check(suspect && suspect->suspect && suspect->recipients.size() == 1 &&
            suspect->recipients[0].seq == 1,
        "alone");
  // It lived, so it is no suspect any more; the others of its batch still are.
  must(link, fmt::format("INSERT INTO suspects VALUES({} + 4, 1, 1, NULL)", kFree));
  const std::vector<store::OutcomeRecord> outcomes{some_outcome({key, 4, 1})};
  const std::array releases{store::BatchRelease{suspect->held(), Milliseconds(0)}};
  const std::vector<Settle> settles{{outcomes, releases}};
  const auto settled = good(settle(link, pointers(settles)));
  check(settled[0]->releases[0] && !settled[0]->releases[0]->done, "released");
  check(holds(link, fmt::format("SELECT FROM batches WHERE number = {0} + 4 AND holder = 0 AND"
                                " losses = 3 AND alone IS NULL AND open = 498"
                                " AND NOT EXISTS (SELECT FROM suspects)",
                                kFree)),
        "absolved");
  items = {{kNode, {{key, 4}}}};
  answers = good(claim(link, pointers(items)));
  check(answers[0]->batches[0]->recipients[0].seq == 2, "the next one");
}

// What others have locked.
void try_locks(Link& link, Link& other) {
  must(other, "SET lock_timeout = '100ms'");
  must(link, fmt::format("BEGIN; SELECT FROM nodes WHERE key = 1 FOR SHARE; SELECT FROM batches"
                         " WHERE number = {} + 2 FOR UPDATE",
                         kFree));
  check(other.simple("UPDATE node_leases SET until = until WHERE node = 1").has_value(),
        "a renewal waits for nobody");
  check(!other.simple("UPDATE nodes SET void = 1 WHERE key = 1"), "who is given work is not void");
  const store::DeliveryKey key{kFree};
  const std::vector<Claim> items{{kNode, {{key, 2}, {key, 4}}}};
  const auto answers = good(claim(other, pointers(items)));
  check(is(ErrorKind::conflict, answers[0]->batches[0]), "somebody else is about to take it");
  check(is(ErrorKind::conflict, answers[0]->batches[1]), "already had");
  must(link, "COMMIT");
}

void try_stage(Link& link, Ids& ids) {
  store_held(link, kImport, 0);
  store_job(link, kImport, 1);
  std::vector<StageRows> items{{1, store::AccountKey{1}, kNode, some_recipients(1'000), 10},
                               {1, store::AccountKey{1}, kDeadNode, some_recipients(10), 11},
                               {2, store::AccountKey{1}, kNode, some_recipients(10), 11}};
  auto answers = good(stage(link, ids, pointers(items)));
  check(answers[0] && is(ErrorKind::conflict, answers[1]) && is(ErrorKind::not_found, answers[2]),
        "staged, each for itself");
  items.push_back(items[0]);
  answers = good(stage_by_copy(link, ids, pointers(items)));
  check(answers[0] && !answers[1] && !answers[2] && answers[3], "copied, each for itself");
  const auto rows = good(link.simple(
      "SELECT count(*), (SELECT count(*) FROM recipients WHERE batch NOT IN (SELECT number FROM"
      " batches)), (SELECT staged FROM import_jobs WHERE id = 1) FROM recipients r"
      " JOIN batches b ON b.number = r.batch WHERE b.section = 1"));
  check(std::string_view(PQgetvalue(rows.get(), 0, 1)) == "0", "no rows of who was refused");
  check(std::string_view(PQgetvalue(rows.get(), 0, 2)) == "3000", "counted");
  check(std::string_view(PQgetvalue(rows.get(), 0, 0)) == "3000", "rows");
}

void try_due(Link& link) {
  // Few: what try_accept() left for anybody.
  auto found = good(due(link, {}));
  check(found.domains.size() == 1 && !found.next, "few");
  store_due(link, kDue, 3'000, 300);
  store_bulk_due(link, kBulk, 3'000, 300, 2);
  // All of it, in pages.
  for (const store::Workload workload : {store::Workload(), {store::DeliveryKey{kBulk}}}) {
    found = good(due(link, {.workload = workload}));
    check(found.domains.size() == 256 && found.next == found.domains.back().domain, "a page");
    check(found.domains[3].batches.size() == 4 && found.domains[3].more, "its share");
    check(std::ranges::is_sorted(found.domains[3].batches, {}, &store::DueBatch::due), "by time");
    found = good(due(link, {.workload = workload, .after = found.next}));
    check(found.domains.size() + 256 >= 300 && !found.next, "the last page");
    found = good(due(link, {.workload = workload, .only = "site7.example", .limit = 8}));
    check(found.domains.size() == 1 && found.domains[0].batches.size() == 8, "only one domain");
    check(!found.upcoming, "nothing comes later");
  }
  // What is left of the bulk is little, and some of it comes later.
  must(link, fmt::format("DELETE FROM batches WHERE number >= {} AND traffic = 0", kDue));
  must(link, fmt::format("DELETE FROM batches WHERE number >= {0} + 100 AND number < {0} + 3000;"
                         " UPDATE batches SET ready_at = {1} WHERE number = {0} + 7",
                         kBulk, kLater));
  found = good(due(link, {.workload = store::DeliveryKey{kBulk}}));
  check(found.domains.size() == 99 && !found.next && found.upcoming > Milliseconds(0), "few");
  found = good(due(link, {.workload = store::DeliveryKey{kHeld}}));
  check(found.domains.empty(), "it has ended");
}

}  // namespace

std::uint64_t try_answers(Link& link, Link& other, Ids& ids) {
  const auto flights = try_accept(link, ids);
  try_settle(link);
  try_claim(link);
  try_locks(link, other);
  try_stage(link, ids);
  try_due(link);
  must(link, "UPDATE batches SET ready_at = NULL WHERE traffic = 0 AND ready_at IS NOT NULL");
  return flights;
}

}  // namespace todoku::pg_sketch
