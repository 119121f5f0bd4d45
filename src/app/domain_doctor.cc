// SPDX-License-Identifier: Apache-2.0
#include "app/domain_doctor.h"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>

#include "async/runtime.h"
#include "async/timer.h"
#include "base/log.h"
#include "operate/dkim_parts.h"
#include "operate/domain_records.h"
#include "store/account_name.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

constexpr Microseconds kLookForDueEvery = 30s;
constexpr std::int64_t kChecksOfRound = 32;
// Each asks up to 26 servers, all at once.
constexpr std::size_t kCheckedTogether = 2;

constexpr std::string_view kChecks = "todoku_domain_checks_total";
constexpr std::string_view kChecksHelp =
    "Checks of what proven domains say in the DNS, by their worst outcome; not_determined: servers "
    "or the resolver did not answer.";
constexpr std::string_view kChanges = "todoku_domain_changes_total";
constexpr std::string_view kChangesHelp =
    "Failures of domains that a check on the schedule found to be new (broken) or gone (whole).";

constexpr std::string_view kKeysGone = "todoku_domain_keys_gone_total";
constexpr std::string_view kKeysGoneHelp =
    "DKIM keys that a check on the schedule found to be no longer published, or published wrongly.";

// Of keys that sign, what findings call them.
std::vector<std::string> signing_names(const std::vector<doctor::DomainKey>& keys) {
  std::vector<std::string> names;
  for (const doctor::DomainKey& key : keys) {
    if (!key.is_idle) names.push_back(key.selector + "._domainkey." + key.domain);
  }
  return names;
}

// A key that nothing signs with yet may wait for its record for as long as its owner likes.
bool is_gone(const operate::DomainChange& change, const std::vector<std::string>& signing) {
  return change.is_fault && change.finding.code.starts_with("dkim_") &&
         std::ranges::find(signing, change.finding.subject) != signing.end();
}

std::vector<operate::DomainFinding> kept_findings(const std::vector<doctor::Finding>& findings) {
  std::vector<operate::DomainFinding> kept;
  for (const doctor::Finding& finding : findings) {
    kept.push_back({.code = std::string(finding.code),
                    .outcome = std::string(doctor::to_string(finding.outcome)),
                    .subject = finding.subject,
                    .sentence = finding.sentence});
  }
  return kept;
}

}  // namespace

struct DomainDoctor::Round {
  std::vector<store::DomainPlace> due;
  std::size_t next = 0;
  Result<void> result;
};

DomainDoctor::DomainDoctor(World world, Options options, const async::Executor& executor)
    : world_(std::move(world)),
      options_(std::move(options)),
      executor_(executor),
      tasks_(executor) {}

void DomainDoctor::start() {
  // There before it rises, or nobody sees that it did.
  (void)world_.metrics.counter(kKeysGone, kKeysGoneHelp);
  boost::asio::post(executor_, [this] { tasks_.spawn("checks of domains", run()); });
}

Task<void> DomainDoctor::stop() {
  co_await async::run_on(executor_, tasks_.stop());
}

Task<void> DomainDoctor::run() {
  while (true) {
    bool is_more = false;
    try {
      const auto looked = co_await look();
      if (looked) {
        looking_.worked(world_.clock.steady_now());
        is_more = static_cast<std::int64_t>(*looked) == kChecksOfRound;
      } else {
        looking_.failed(world_.clock.steady_now(), {{"reason", looked.error().detail}});
      }
    } catch (const std::exception&) {
      async::report_exception("checking domains", std::current_exception());
    }
    const bool awake = co_await async::sleep_for(is_more ? Microseconds(1s) : kLookForDueEvery);
    if (!awake) co_return;
  }
}

Task<Result<std::size_t>> DomainDoctor::look() {
  auto due = co_await world_.store.read(
      [](store::ReadTransaction& reader) { return reader.domains_to_check(kChecksOfRound); });
  if (!due) co_return fail(std::move(due.error()));
  const auto round = std::make_shared<Round>();
  round->due = std::move(*due);
  async::TaskGroup workers(executor_);
  const std::size_t workers_max = std::min(kCheckedTogether, round->due.size());
  for (std::size_t i = 0; i < workers_max; ++i) workers.spawn("domain", check_some(round));
  // False: we are to end.
  while (!co_await workers.wait_empty_until(SteadyInstant::max())) workers.cancel();
  if (!round->result) co_return fail(round->result.error());
  co_return round->due.size();
}

Task<void> DomainDoctor::check_some(std::shared_ptr<Round> round) {
  while (round->next < round->due.size()) {
    store::DomainPlace place = std::move(round->due[round->next++]);
    auto checked = co_await check(std::move(place));
    if (!checked) round->result = std::move(checked);
  }
}

Task<Result<void>> DomainDoctor::check(store::DomainPlace place) {
  // Whatever becomes of this check, the next one is an hour later: nobody's servers are asked more
  // often because a process dies at it.
  const Instant until = world_.store.clock().now() + kSeldomest;
  const auto taken = co_await world_.store.write(
      store::WritePriority::retention, [place, until](store::WriteTransaction& transaction) {
        return transaction.take_domain_check(place.account, place.domain, until);
      });
  if (!taken) co_return fail(taken.error());
  if (!*taken) co_return Result<void>{};
  const auto noted = co_await note_keys_over(place);
  if (!noted) co_return fail(noted.error());
  auto keys = co_await world_.store.read(
      [place](store::ReadTransaction& reader) { return operate::signing_keys(reader, place); });
  if (!keys) co_return fail(std::move(keys.error()));
  doctor::DomainWish wish;
  wish.domain = place.domain;
  wish.platform = options_.platform;
  wish.keys = std::move(*keys);
  std::vector<std::string> signing = signing_names(wish.keys);
  auto examined = co_await world_.examine(std::move(wish));
  if (!examined) {
    if (examined.error().kind != ErrorKind::cancelled) count(doctor::Outcome::not_determined);
    co_return Result<void>{};
  }
  count(doctor::worst_of(examined->findings));
  auto changes = co_await keep(place, std::move(*examined));
  // Removed meanwhile.
  if (!changes && changes.error().kind == ErrorKind::not_found) co_return Result<void>{};
  if (!changes) co_return fail(std::move(changes.error()));
  co_await tell(std::move(place), std::move(*changes), std::move(signing));
  co_return Result<void>{};
}

Task<Result<void>> DomainDoctor::note_keys_over(store::DomainPlace place) {
  const Instant now = world_.store.clock().now();
  auto over = co_await world_.store.read([place, now](store::ReadTransaction& reader) {
    return operate::dkim_keys_over(reader, place.account, place.domain, now);
  });
  if (!over) co_return fail(std::move(over.error()));
  if (over->empty()) co_return Result<void>{};
  co_return co_await world_.store.write(
      store::WritePriority::retention,
      [place, over = std::move(*over), now](store::WriteTransaction& transaction) {
        return operate::note_dkim_keys_over(transaction, place.account, place.domain, over, now);
      });
}

Task<Result<std::vector<operate::DomainChange>>> DomainDoctor::keep(store::DomainPlace place,
                                                                    Examined examined) {
  const Instant now = world_.store.clock().now();
  const Instant next = next_check(now);
  auto changes = co_await world_.store.write(
      store::WritePriority::retention,
      [place = std::move(place), now, next, kept = kept_findings(examined.findings),
       records = std::move(examined.records)](
          store::WriteTransaction& transaction) -> Result<std::vector<operate::DomainChange>> {
        const auto before = transaction.read().domain_check(place.account, place.domain);
        if (!before) return fail(before.error());
        auto history = operate::unpack_history(before->found);
        // One that a later version wrote, or that is broken, begins anew.
        if (!history) history = operate::DomainHistory();
        auto noted = operate::note_check(*history, kept, now);
        operate::note_records(*history, operate::seen_records(records, history->is_determined));
        auto done = transaction.keep_domain_check(
            place.account, place.domain, {.next = next, .found = operate::pack_history(*history)});
        if (!done) return fail(std::move(done.error()));
        std::erase_if(noted, [](const operate::DomainChange& change) {
          return change.finding.outcome != doctor::to_string(doctor::Outcome::fail);
        });
        for (const operate::DomainChange& change : noted) {
          transaction.tell_of_domain_check(
              change.is_fault ? store::EventKind::domain_broken : store::EventKind::domain_whole,
              place.account, place.domain, change.finding.code + ": " + change.finding.sentence.en);
        }
        return noted;
      });
  co_return changes;
}

Task<void> DomainDoctor::tell(store::DomainPlace place, std::vector<operate::DomainChange> changes,
                              std::vector<std::string> signing) {
  if (changes.empty()) co_return;
  const auto account = co_await world_.store.read(
      [key = place.account](store::ReadTransaction& reader) -> Result<std::string> {
        return store::account_name(reader, key);
      });
  for (const operate::DomainChange& change : changes) {
    const std::string_view what = change.is_fault ? "broken" : "whole";
    world_.metrics.counter(kChanges, kChangesHelp, {{"change", std::string(what)}}).add();
    if (is_gone(change, signing)) {
      world_.metrics.counter(kKeysGone, kKeysGoneHelp).add();
    }
    log::write(change.is_fault ? log::Level::warning : log::Level::info,
               change.is_fault ? "a domain fails a check" : "a domain passes a check again",
               {{"account", account.value_or(std::string())},
                {"domain", place.domain},
                {"code", change.finding.code},
                {"subject", change.finding.subject},
                {"found", change.finding.sentence.en}});
  }
}

void DomainDoctor::count(doctor::Outcome outcome) {
  world_.metrics.counter(kChecks, kChecksHelp, {{"outcome", std::string(to_string(outcome))}})
      .add();
}

Instant DomainDoctor::next_check(Instant now) {
  const double share = 0.9 + 0.2 * world_.random.unit();
  const auto spread = std::chrono::duration_cast<Milliseconds>(options_.every * share);
  return now + std::max(spread, kSeldomest);
}

}  // namespace todoku::app
