// SPDX-License-Identifier: Apache-2.0
// Reports that receivers send of domains: taken in, and told together.
#include "operate/domain_reports.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "access/domain_proof.h"
#include "async/file_pool.h"
#include "async/yield.h"
#include "base/log.h"
#include "feedback/reports/report_mail.h"
#include "operate/calls/call.h"
#include "operate/operations.h"
#include "operate/report_reading.h"
#include "store/account_name.h"

namespace todoku::operate {
namespace {

namespace reports = feedback::reports;
using store::Domain;
using ReportOutcome = ImportedReport::Outcome;

constexpr std::int64_t kLinesAtOnce = 2'000;
constexpr std::int64_t kSelectorsAtOnce = 1'000;
static_assert(kRawOctetsMax == reports::kHandedOverMax);

// Why something is not taken, where the error has no Japanese of its own.
BilingualText refusal_of(const Error& error) {
  return {error.detail, fmt::format("読み取れません: {}", error.detail)};
}

// What takes long goes where it keeps no mail waiting. `work` returns a Result.
template <class Work>
Task<std::invoke_result_t<Work&>> apart(async::FilePool* files, Work work) {
  if (files == nullptr) co_return work();
  co_return co_await files->run(async::FilePool::Owner{}, std::move(work));
}

ImportedReport refused(std::string name, BilingualText why) {
  return {.name = std::move(name), .outcome = ReportOutcome::refused, .why = std::move(why)};
}

// Those that have the domain, or one above it where nobody has it itself: the nearest.
Result<std::vector<Domain>> nearest_claims(store::ReadTransaction& reader,
                                           const std::string& domain) {
  const auto names = access::domain_and_above(domain);
  auto holders = reader.holders(names);
  if (!holders) return fail(std::move(holders.error()));
  std::size_t longest = 0;
  for (const Domain& claim : *holders) longest = std::max(longest, claim.domain.size());
  std::erase_if(*holders, [longest](const Domain& claim) { return claim.domain.size() < longest; });
  return holders;
}

struct OwnOfDay {
  std::int64_t messages = 0;
  std::int64_t failed = 0;
  void add(const std::vector<std::string>& own, const store::ReportLine& line) {
    const auto words = store::unpack_dmarc_line(line.words);
    if (!words || std::ranges::find(own, words->source) == own.end()) return;
    messages = store::report_sum(messages, line.messages);
    if (!words->dkim_aligned && !words->spf_aligned) {
      failed = store::report_sum(failed, line.messages);
    }
  }
  [[nodiscard]] bool is_bad() const { return own_mail_fails(messages, failed); }
};

Result<OwnOfDay> own_of_day(store::ReadTransaction& reader, const store::DomainReport& report,
                            const std::vector<std::string>& own) {
  OwnOfDay sums;
  const auto lines =
      reader.report_lines(report.account, report.domain, {.day = report.day, .after = {}},
                          static_cast<std::int64_t>(store::kReportLinesMax) + 100);
  if (!lines) return fail(lines.error());
  for (const store::DatedLine& line : *lines) {
    if (line.day == report.day) sums.add(own, line.line);
  }
  return sums;
}

struct Taken {
  bool is_new = false;
  std::optional<OwnMailFailing> failing;
};

// A part of a report, for each whose domain it is.
struct Taking {
  std::optional<store::AccountKey> only;
  store::ReportKind kind = store::ReportKind::dmarc;
  std::string organization;
  std::string report_id;
  Instant begin{};
  Instant end{};
  ReadReport::Part part;
  std::vector<std::string> own;
};

Result<Taken> take(store::WriteTransaction& writer, const Taking& taking, const Domain& claim) {
  const store::DomainReport report{
      .account = claim.account,
      .domain = claim.domain,
      .day = store::report_day_of(taking.begin),
      .id = store::report_id_of(taking.kind, taking.organization, taking.report_id,
                                taking.part.domain, taking.begin),
      .kind = taking.kind,
      .organization = taking.organization,
      .reported = taking.part.domain,
      .policy = taking.part.policy,
      .begin = taking.begin,
      .end = taking.end,
      .messages = taking.part.messages};
  // So that of two at once one sees what the other has added.
  auto held = writer.hold_domain_reports(claim.account, claim.domain);
  if (!held) return fail(std::move(held.error()));
  const auto before = own_of_day(writer.read(), report, taking.own);
  if (!before) return fail(before.error());
  const auto added = writer.add_domain_report(report, taking.part.lines);
  if (!added) return fail(added.error());
  Taken taken{.is_new = *added, .failing = {}};
  OwnOfDay after = *before;
  for (const store::ReportLine& line : taking.part.lines) after.add(taking.own, line);
  if (!taken.is_new || before->is_bad() || !after.is_bad()) return taken;
  taken.failing = {.domain = claim.domain,
                   .organization = taking.organization,
                   .day = report.day,
                   .messages = after.messages,
                   .failed = after.failed};
  return taken;
}

struct Holder {
  Domain claim;
  std::string account;  // its name, where it is not the only one
};

Result<std::vector<Holder>> holders_of(store::ReadTransaction& reader, const Taking& taking) {
  auto claims = nearest_claims(reader, taking.part.domain);
  if (!claims) return fail(std::move(claims.error()));
  if (taking.only) {
    std::erase_if(*claims, [&](const Domain& claim) { return claim.account != *taking.only; });
  }
  std::vector<Holder> holders;
  for (Domain& claim : *claims) {
    std::string name = claims->size() > 1 ? store::account_name(reader, claim.account) : "";
    holders.push_back({.claim = std::move(claim), .account = std::move(name)});
  }
  return holders;
}

BilingualText nobodys(const std::string& domain, bool of_account) {
  if (of_account) {
    return {
        fmt::format("the account has no proven claim of {}, nor of a domain above it", domain),
        fmt::format("このアカウントは {} もその上位のドメインも確認済みではありません", domain)};
  }
  return {fmt::format("no account here has a proven claim of {}, nor of a domain above it", domain),
          fmt::format("{} もその上位のドメインも、確認済みのアカウントがありません", domain)};
}

void tell_failing(const OwnMailFailing& failing) {
  log::warning("our own mail fails DMARC, as receivers report",
               {{"domain", failing.domain},
                {"day", day_text(failing.day)},
                {"messages", failing.messages},
                {"failed", failing.failed},
                {"reporter", failing.organization}});
}

// Each in a write of its own: who has too many of that day keeps the others from nothing. What
// became of `one` is added to `told`, by each who has the domain.
Task<Result<void>> take_for_each(store::Store& store, std::shared_ptr<const Taking> taking,
                                 ImportedReport one, std::vector<ImportedReport>& told,
                                 std::vector<OwnMailFailing>& failing) {
  const auto holders = co_await store.read(
      [taking](store::ReadTransaction& reader) { return holders_of(reader, *taking); });
  if (!holders) co_return fail(holders.error());
  bool is_anybodys = false;
  for (const Holder& holder : *holders) {
    const auto taken =
        co_await store.write(store::WritePriority::import,
                             [taking, claim = holder.claim](store::WriteTransaction& writer) {
                               return take(writer, *taking, claim);
                             });
    const ErrorKind trouble = taken ? ErrorKind::limit_exceeded : taken.error().kind;
    if (trouble == ErrorKind::not_found) continue;  // it has lost the domain this moment
    if (trouble != ErrorKind::limit_exceeded) co_return fail(taken.error());
    is_anybodys = true;
    ImportedReport& of_holder = told.emplace_back(one);
    of_holder.account = holder.account;
    if (!taken) {
      of_holder.why = refusal_of(taken.error());
      continue;
    }
    of_holder.outcome = taken->is_new ? ReportOutcome::added : ReportOutcome::repeated;
    if (taken->failing) failing.push_back(*taken->failing);
  }
  if (!is_anybodys) {
    one.why = nobodys(one.domain, taking->only.has_value());
    told.push_back(std::move(one));
  }
  co_return Result<void>{};
}

Result<std::set<std::string>> selectors_of(store::ReadTransaction& reader, const Domain& claim) {
  std::set<std::string> selectors;
  const auto keys = reader.dkim_keys(
      {.account = claim.account, .domain = claim.domain, .selector = {}}, kSelectorsAtOnce);
  if (!keys) return fail(keys.error());
  for (const store::DkimKey& key : *keys) {
    if (key.account != claim.account || key.domain != claim.domain) break;
    selectors.insert(key.selector);
  }
  return selectors;
}

}  // namespace

std::int64_t ImportedReports::count(ReportOutcome outcome) const {
  return std::ranges::count(reports, outcome, &ImportedReport::outcome);
}

Task<Result<void>> Operations::import_report(std::optional<store::AccountKey> account,
                                             HandedOverReports given, ImportedReports& told) {
  auto read =
      co_await apart(options_.files, [&octets = given.octets] { return read_report(octets); });
  if (!read) {
    if (read.error().kind == ErrorKind::unavailable) co_return fail(std::move(read.error()));
    told.reports.push_back(refused(std::move(given.name), refusal_of(read.error())));
    co_return Result<void>{};
  }
  given.octets = {};
  const BilingualText late = wrong_time(*read, store_.clock().now(), options_.report_days);
  for (ReadReport::Part& part : read->parts) {
    ImportedReport one{.name = given.name,
                       .outcome = ReportOutcome::refused,
                       .why = late,
                       .kind = read->kind == store::ReportKind::tls ? "tls" : "dmarc",
                       .organization = read->organization,
                       .report_id = read->report_id,
                       .domain = part.domain,
                       .begin = read->begin,
                       .end = read->end,
                       .messages = part.messages};
    if (!late.en.empty()) {
      told.reports.push_back(std::move(one));
      continue;
    }
    const auto taking = std::make_shared<const Taking>(Taking{.only = account,
                                                              .kind = read->kind,
                                                              .organization = read->organization,
                                                              .report_id = read->report_id,
                                                              .begin = read->begin,
                                                              .end = read->end,
                                                              .part = std::move(part),
                                                              .own = options_.platform.addresses});
    std::vector<OwnMailFailing> failing;
    auto done = co_await take_for_each(store_, taking, std::move(one), told.reports, failing);
    for (const OwnMailFailing& each : failing) {
      tell_failing(each);
      if (options_.own_mail_failing) options_.own_mail_failing(each);
    }
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

Task<Result<void>> Operations::import_message(std::optional<store::AccountKey> account,
                                              std::string name, std::string_view octets,
                                              ImportedReports& told) {
  auto found =
      co_await apart(options_.files, [&name, octets] { return reports::reports_in(octets, name); });
  if (!found) {
    if (found.error().kind == ErrorKind::unavailable) co_return fail(std::move(found.error()));
    told.reports.push_back(refused(std::move(name), refusal_of(found.error())));
    co_return Result<void>{};
  }
  for (reports::HandedOver& each : *found) {
    HandedOverReports one{.name = each.name.empty() ? name : std::move(each.name),
                          .octets = std::move(each.octets)};
    auto done = co_await import_report(account, std::move(one), told);
    if (!done) co_return done;
    co_await async::give_way();
  }
  co_return Result<void>{};
}

Task<Result<ImportedReports>> Operations::import_reports(std::string account_name,
                                                         HandedOverReports given) {
  std::optional<store::AccountKey> only;
  if (!account_name.empty()) {
    const auto owner = co_await account(account_name);
    if (!owner) co_return fail(owner.error());
    only = owner->key;
  }
  if (given.octets.empty()) {
    co_return fail(ErrorKind::invalid_input, "there is no report: what was handed over is empty");
  }
  ImportedReports told;
  using Messages = std::vector<std::string_view>;  // in `given`, which stays
  const auto found = co_await apart(options_.files, [&given]() -> Result<Messages> {
    return reports::messages_in(given.octets);
  });
  if (!found) co_return fail(found.error());
  const Messages& messages = *found;
  if (messages.empty()) co_return fail(ErrorKind::invalid_input, "the file has no message");
  if (messages.size() > reports::kMessagesMax) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("the file has more than {} messages: hand it over in parts",
                               reports::kMessagesMax));
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    std::string name = given.name;
    if (messages.size() > 1) name = fmt::format("{} ({})", given.name, i + 1);
    auto done = co_await import_message(only, std::move(name), messages[i], told);
    if (!done) co_return fail(std::move(done.error()));
  }
  co_return told;
}

Task<Result<Domain>> Operations::claim_of(std::string account_name, std::string domain) {
  auto name = access::claimable_domain(domain);
  if (!name) co_return fail(std::move(name.error()));
  if (!account_name.empty()) {
    const auto owner = co_await account(account_name);
    if (!owner) co_return fail(owner.error());
    co_return co_await store_.read(
        [key = owner->key, name = *name](store::ReadTransaction& reader) {
          return reader.domain(key, name);
        });
  }
  auto holders = co_await store_.read([name = *name](store::ReadTransaction& reader) {
    return reader.holders(std::span(&name, 1));
  });
  if (!holders) co_return fail(std::move(holders.error()));
  if (holders->empty()) {
    co_return fail(ErrorKind::not_found, fmt::format("no account here has the domain {}", *name));
  }
  if (holders->size() > 1) {
    co_return fail(ErrorKind::conflict,
                   fmt::format("several accounts have {}: name one with --account", *name));
  }
  co_return std::move(holders->front());
}

Task<Result<ReportOverview>> Operations::reported(std::string account_name, std::string domain,
                                                  std::int64_t days) {
  auto claim = co_await claim_of(std::move(account_name), std::move(domain));
  if (!claim) co_return fail(std::move(claim.error()));
  const Domain of = std::move(*claim);
  struct Known {
    std::string account;
    std::set<std::string> selectors;
  };
  auto known = co_await store_.read([of](store::ReadTransaction& reader) -> Result<Known> {
    auto selectors = selectors_of(reader, of);
    if (!selectors) return fail(std::move(selectors.error()));
    auto owner = reader.account(of.account);
    if (!owner) return fail(std::move(owner.error()));
    return Known{.account = std::move(owner->name), .selectors = std::move(*selectors)};
  });
  if (!known) co_return fail(std::move(known.error()));
  OwnSenders own{
      .addresses = {options_.platform.addresses.begin(), options_.platform.addresses.end()},
      .selectors = std::move(known->selectors)};
  OverviewMaker maker(of.domain, std::move(own));
  const std::int64_t last = store::report_day_of(store_.clock().now());
  const std::int64_t first = last - days;
  store::ReportPlace place{.day = first, .after = {}};
  while (true) {
    const auto some = co_await store_.read([of, place](store::ReadTransaction& reader) {
      return reader.domain_reports(of.account, of.domain, place, kLinesAtOnce);
    });
    if (!some) co_return fail(some.error());
    for (const store::DomainReport& report : *some) maker.add(report);
    if (std::ssize(*some) < kLinesAtOnce) break;
    place = {.day = some->back().day, .after = some->back().id};
  }
  place = {.day = first, .after = {}};
  while (true) {
    const auto some = co_await store_.read([of, place](store::ReadTransaction& reader) {
      return reader.report_lines(of.account, of.domain, place, kLinesAtOnce);
    });
    if (!some) co_return fail(some.error());
    for (const store::DatedLine& line : *some) {
      if (auto good = maker.add(line); !good) co_return fail(std::move(good.error()));
    }
    if (std::ssize(*some) < kLinesAtOnce) break;
    place = {.day = some->back().day, .after = some->back().line.words};
    co_await async::give_way();
  }
  ReportOverview overview = maker.take(first, last);
  overview.account = std::move(known->account);
  co_return overview;
}

}  // namespace todoku::operate
