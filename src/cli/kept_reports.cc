// SPDX-License-Identifier: Apache-2.0
// todoku reports import|show
#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/commands.h"
#include "cli/mail_checks.h"
#include "cli/printable_stream.h"
#include "cli/user_files.h"
#include "feedback/reports/report_mail.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using boost::json::value;
namespace calls = operate::calls;
namespace reports = feedback::reports;

constexpr std::size_t kMailboxOctetsMax = std::size_t{256} << 20U;
constexpr std::size_t kMailboxMessagesMax = 100'000;
constexpr std::size_t kSourcesShownOfDomain = 20;

const value& member_of(const value& object, std::string_view name) {
  static const value kNothing;
  const auto* const whole = object.if_object();
  const auto* const found = whole == nullptr ? nullptr : whole->if_contains(name);
  return found == nullptr ? kNothing : *found;
}

// In the session's language, of a text and its Japanese.
std::string in_language(Session& session, const value& object, const std::string& name) {
  return printable(text_of(object, session.language() == Language::japanese ? name + "_ja" : name));
}

std::string percent_of(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f}%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// What the parts of one command came to.
struct Imported {
  boost::json::array all;
  std::int64_t added = 0;
  std::int64_t repeated = 0;
  std::int64_t refused = 0;
};

void show_imported(Session& session, const value& report) {
  const std::string outcome = text_of(report, "outcome");
  std::string name = printable(text_of(report, "name"));
  // Where several accounts have the domain there is one for each.
  if (const std::string account = printable(text_of(report, "account")); !account.empty()) {
    name += fmt::format(" [{}]", account);
  }
  const std::string domain = printable(text_of(report, "domain"));
  const std::string by = printable(text_of(report, "organization"));
  if (outcome == "refused") {
    session.say({"{}: not taken: {}", "{}: 取り込めません: {}"}, name,
                in_language(session, report, "reason"));
  } else if (outcome == "repeated") {
    session.say({"{}: {} by {}: was there already", "{}: {}（{}）: 取り込み済み"}, name, domain,
                by);
  } else {
    session.say({"{}: {} by {}: {} of {}", "{}: {}（{}）: {} {} 件"}, name, domain, by,
                text_of(report, "kind"), number_of(report, "messages"));
  }
}

// The engine takes no more at once, and could not say of which file it is.
void refuse_too_large(Session& session, const std::string& name, std::size_t octets,
                      Imported& imported) {
  constexpr std::size_t kMiB = std::size_t{1} << 20U;
  const double size = static_cast<double>(octets) / static_cast<double>(kMiB);
  const value report{
      {"name", name},
      {"outcome", "refused"},
      {"reason", fmt::format("has {:.1f} MiB, more than {}", size, reports::kHandedOverMax / kMiB)},
      {"reason_ja", fmt::format("{:.1f} MiB あり、上限の {} MiB を超えています", size,
                                reports::kHandedOverMax / kMiB)}};
  ++imported.refused;
  if (session.common().json) {
    imported.all.push_back(report);
  } else {
    show_imported(session, report);
  }
}

int import_one(Session& session, const ReportsWish& wish, const std::string& name,
               std::string_view octets, Imported& imported) {
  if (octets.size() > reports::kHandedOverMax) {
    refuse_too_large(session, name, octets.size(), imported);
    return 0;
  }
  operate::Given given(calls::kImportReports);
  given.with("name", name).with("report", std::string(octets));
  if (!wish.account.empty()) given.with("account", wish.account);
  const int status = session.ask_for(given, [&](const value& answer) {
    imported.added += number_of(answer, "added");
    imported.repeated += number_of(answer, "repeated");
    imported.refused += number_of(answer, "refused");
    for (const value& report : list_of(answer, "reports")) {
      if (session.common().json) {
        imported.all.push_back(report);
      } else {
        show_imported(session, report);
      }
    }
  });
  if (status != 0) {
    (void)session.fail(session.words({"{}: not imported", "{}: 取り込めませんでした"}, name));
  }
  return status;
}

// A mailbox goes message by message: it may be larger than what is taken at once.
int import_file(Session& session, const ReportsWish& wish, const std::string& path,
                Imported& imported) {
  const auto octets = read_octets(path, session.host().input(), kMailboxOctetsMax);
  if (!octets) return unreadable(session, octets.error().detail);
  if (octets->empty()) {
    return unreadable(session,
                      session.words({"{}: the file is empty", "{}: ファイルが空です"}, path));
  }
  const bool is_mailbox = octets->starts_with("From ");
  const auto messages = reports::messages_in(*octets, kMailboxMessagesMax + 1);
  if (messages.size() > kMailboxMessagesMax) {
    return unreadable(session, session.words({"{}: more than {} messages: divide it",
                                              "{}: メールが {} 通を超えています。分けてください"},
                                             path, kMailboxMessagesMax));
  }
  std::size_t number = 0;
  for (const std::string_view message : messages) {
    const std::string name = is_mailbox ? fmt::format("{} ({})", path, ++number) : path;
    const int status = import_one(session, wish, name, message, imported);
    if (status != 0) return status;
  }
  return 0;
}

void show_sources(Session& session, const value& answer) {
  std::vector<std::vector<std::string>> rows{
      {session.words({"FROM", "送信元"}), session.words({"WHO", "種別"}),
       session.words({"MESSAGES", "通数"}), session.words({"FAILED", "不合格"}), "DKIM", "SPF",
       session.words({"AUTHENTICATED AS", "認証されたドメイン"})}};
  const auto& sources = list_of(answer, "sources");
  for (const value& source : sources) {
    if (rows.size() > kSourcesShownOfDomain) break;
    std::string names;
    for (const value& name : list_of(source, "authenticated")) {
      if (!names.empty()) names += ' ';
      if (name.is_string()) names += name.get_string();
    }
    std::string who = session.words({"unknown", "不明"});
    if (truth_of(source, "relays_ours")) who = session.words({"passes ours on", "転送"});
    if (truth_of(source, "ours")) who = session.words({"ours", "当方"});
    rows.push_back({text_of(source, "source_ip"), who,
                    fmt::format("{}", number_of(source, "messages")),
                    fmt::format("{}", number_of(source, "failed")),
                    fmt::format("{}", number_of(source, "dkim_aligned")),
                    fmt::format("{}", number_of(source, "spf_aligned")), names});
  }
  const auto shown = static_cast<std::int64_t>(rows.size()) - 1;
  if (shown == 0) return;
  print_table(session.out(), std::move(rows));
  const std::int64_t more =
      static_cast<std::int64_t>(sources.size()) - shown + number_of(answer, "sources_more");
  if (more > 0) {
    session.say({"... and {} more addresses", "ほか {} アドレス"}, more);
  }
  const std::int64_t nameless = number_of(member_of(answer, "others"), "messages");
  if (nameless > 0) {
    session.say({"... and {} messages of addresses that are not kept by name",
                 "ほか、個別に保存していないアドレスからの {} 通"},
                nameless);
  }
}

void show_days(Session& session, const value& answer) {
  std::vector<std::vector<std::string>> rows{
      {session.words({"DAY (UTC)", "日付（UTC）"}), session.words({"MESSAGES", "通数"}),
       session.words({"PASSED", "合格"}), session.words({"OURS", "当方"}),
       session.words({"OURS PASSED", "当方の合格"}), session.words({"TLS FAILED", "TLS 失敗"})}};
  for (const value& day : list_of(answer, "days")) {
    rows.push_back({text_of(day, "day"), fmt::format("{}", number_of(day, "messages")),
                    percent_of(number_of(day, "passed"), number_of(day, "messages")),
                    fmt::format("{}", number_of(day, "ours")),
                    percent_of(number_of(day, "ours_passed"), number_of(day, "ours")),
                    fmt::format("{}", number_of(day, "tls_failed"))});
  }
  if (rows.size() > 1) print_table(session.out(), std::move(rows));
}

void show_findings_of(Session& session, const value& answer) {
  for (const value& finding : list_of(answer, "findings")) {
    const std::string outcome = text_of(finding, "outcome");
    std::string mark = session.words({"pass", "合格"});
    if (outcome == "warning") mark = session.words({"warning", "注意"});
    if (outcome == "fail") mark = session.words({"FAIL", "不合格"});
    if (outcome == "not_determined") mark = session.words({"not determined", "判定不能"});
    session.out() << fmt::format("  [{}] {}\n", mark, in_language(session, finding, "sentence"));
    const std::string advice = in_language(session, finding, "advice");
    if (!advice.empty()) {
      session.out() << fmt::format("      {}: {}\n", session.words({"do", "対処"}), advice);
    }
  }
}

}  // namespace

int reports_import(Session& session, const ReportsWish& wish) {
  Imported imported;
  int status = 0;
  for (const std::string& file : wish.files) {
    const int of_this = import_file(session, wish, file, imported);
    if (of_this != 0 && status == 0) status = of_this;
  }
  if (session.common().json) {
    const boost::json::object answer{{"added", imported.added},
                                     {"repeated", imported.repeated},
                                     {"refused", imported.refused},
                                     {"reports", std::move(imported.all)}};
    session.out() << printable_json(boost::json::serialize(answer)) << '\n';
  } else {
    session.say({"{} added, {} there already, {} not taken",
                 "取り込み {} 件、取り込み済み {} 件、取り込めないもの {} 件"},
                imported.added, imported.repeated, imported.refused);
  }
  return status == 0 && imported.refused > 0 ? 1 : status;
}

int reports_show(Session& session, const ReportsWish& wish) {
  operate::Given given(calls::kShowReports);
  given.with("domain", wish.domain).with("days", wish.days);
  if (!wish.account.empty()) given.with("account", wish.account);
  return session.call(given, [&](const value& answer) {
    const value& sums = member_of(answer, "dmarc");
    const std::string policy = printable(text_of(answer, "policy"));
    session.say({"{}  {} to {}, {} reports", "{}  {} 〜 {}、レポート {} 件"},
                text_of(answer, "domain"), text_of(answer, "first_day"),
                text_of(answer, "last_day"), number_of(answer, "reports"));
    if (number_of(sums, "messages") > 0) {
      session.say({"DMARC: {} of {} messages pass ({}), policy {}; put into spam {}, refused {}",
                   "DMARC: 合格 {} / {} 通（{}）、ポリシー {}、迷惑メール {} 通、拒否 {} 通"},
                  number_of(sums, "passed"), number_of(sums, "messages"),
                  percent_of(number_of(sums, "passed"), number_of(sums, "messages")), policy,
                  number_of(sums, "quarantined"), number_of(sums, "rejected"));
    }
    const value& tls = member_of(answer, "tls");
    if (number_of(tls, "successful") > 0 || number_of(tls, "failed") > 0) {
      session.say({"TLS: {} sessions succeeded, {} failed", "TLS: 成功 {}、失敗 {} セッション"},
                  number_of(tls, "successful"), number_of(tls, "failed"));
    }
    show_findings_of(session, answer);
    show_sources(session, answer);
    show_days(session, answer);
  });
}

}  // namespace todoku::cli
