// SPDX-License-Identifier: Apache-2.0
// todoku rules check | explain
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "async/run_blocking.h"
#include "base/bytes.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "cli/rule_words.h"
#include "delivery/policy/automations.h"
#include "delivery/policy/site_keys.h"
#include "explain/advice_book.h"
#include "feedback/classify/meaning.h"
#include "feedback/parse/quoted_reply.h"
#include "mail/address.h"
#include "mail/stage_word.h"

namespace todoku::cli {
namespace {

namespace classify = feedback::classify;
namespace policy = delivery::policy;
using policy::Site;
using policy::SiteKey;

// A whole number as people write it: the library has 1E1 for 10.
boost::json::value number_json(double number) {
  constexpr double kExact = 9'007'199'254'740'992.0;  // 2^53
  const bool is_whole = std::abs(number) < kExact && std::trunc(number) == number;
  return is_whole ? boost::json::value(static_cast<std::int64_t>(number))
                  : boost::json::value(number);
}

boost::json::value to_json(const policy::SiteValue& value) {
  return std::visit(
      [](const auto& one) -> boost::json::value {
        using Value = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<Value, std::vector<std::int64_t>> ||
                      std::is_same_v<Value, std::vector<std::string>>) {
          return boost::json::array(one.begin(), one.end());
        } else if constexpr (std::is_same_v<Value, double>) {
          return number_json(one);
        } else {
          return boost::json::value(one);
        }
      },
      value);
}

// The mistakes of what is loaded, a line each; the exit status.
int tell_mistakes(Session& session, const Error& error) {
  if (!session.common().json) return session.fail(error.detail);
  boost::json::array mistakes;
  for (const auto line : std::views::split(error.detail, '\n')) {
    mistakes.emplace_back(std::string_view(line.begin(), line.end()));
  }
  session.out() << printable_json(boost::json::serialize(
                       boost::json::object{{"mistakes", std::move(mistakes)}}))
                << '\n';
  return 1;
}

// -- a receiver's answer

struct Explained {
  classify::Answer answer;
  classify::Meaning meaning;
  classify::RuleBehind rule;
  explain::Advice advice;
  std::vector<const policy::Automation*> automations;
};

Explained explained(const RulesExplain& wish, const policy::Automations& automations, Reply reply,
                    Stage stage) {
  const classify::Answer answer{
      .stage = stage, .reply = std::move(reply), .in_clear = true, .site = wish.site};
  const classify::Meaning meaning = classify::meaning_of(answer);
  const Outcome outcome{.state = classify::state_of(meaning, false),
                        .stage = stage,
                        .reply = answer.reply,
                        .cause = meaning.cause};
  const explain::Advice& advice =
      explain::advice_in_force().find(outcome, true, explain::Where{.site = wish.site});
  return {answer, meaning, classify::rule_behind(answer), advice,
          automations.set_off_by(
              {.site = wish.site, .cause = meaning.cause, .text = answer.reply.text})};
}

// "yahoo-tss04: its source rests there for 7200 s, an alarm"
std::string automation_text(const Session& session, const policy::Automation& automation) {
  std::vector<std::string> does;
  if (automation.times > 1) {
    does.push_back(session.words({"after {0} within {1} s", "{1} 秒以内に {0} 回で"},
                                 automation.times, automation.within.count()));
  }
  if (automation.slow_to > 0) {
    does.push_back(
        session.words({"at most {0} messages a second for {1} s", "{1} 秒間は毎秒 {0} 通まで"},
                      automation.slow_to, automation.slow_for.count()));
  }
  if (automation.suspend_for > std::chrono::seconds(0)) {
    does.push_back(
        session.words({"the source rests there for {} s", "送信元はそこへの送信を {} 秒休む"},
                      automation.suspend_for.count()));
  }
  if (automation.alarm) does.push_back(session.words({"an alarm", "警報"}));
  return fmt::format("{}: {}  {} ({}, {})", automation.id, fmt::join(does, ", "), automation.place,
                     automation.source, automation.date);
}

void show_reply(Session& session, const Explained& told) {
  const auto& [answer, meaning, rule, advice, automations] = told;
  const Sentence permanence = meaning.permanence == classify::Permanence::permanent
                                  ? Sentence{"for good", "恒久"}
                                  : Sentence{"for now", "一時的"};
  const auto line = [&](const Sentence& name, std::string_view value) {
    if (value.empty()) return;
    constexpr std::size_t kColumns = 12;
    const std::string words = session.words(name);
    const std::size_t used = std::min(columns_of(words), kColumns);
    session.out() << words << std::string(kColumns - used + 1, ' ') << printable(value) << '\n';
  };
  line({"class", "分類"}, to_string(meaning.cause));
  line({"ends", "恒久性"}, session.words(permanence));
  line({"whose", "誰の問題"}, session.words(words_of(meaning.whose)));
  line({"next", "次の動き"}, session.words(words_of(meaning.next)));
  line({"suppresses", "配信停止"},
       session.words(meaning.counts_against_address() ? Sentence{"counts", "数える"}
                                                      : Sentence{"never", "数えない"}));
  line({"rule", "ルール"}, rule.id);
  line({"words", "文言"}, rule.words);
  line({"written at", "場所"}, rule.place);
  line({"source", "出どころ"},
       rule.source.empty() ? "" : fmt::format("{} ({})", rule.source, rule.date));
  line({"note", "備考"}, rule.note);
  for (const policy::Automation* each : automations) {
    line({"sets off", "自動対応"}, automation_text(session, *each));
  }
  line({"means", "意味"}, session.words(advice.meaning));
  line({"do", "対応"}, session.words(advice.action));
}

int explain_reply(Session& session, const policy::Automations& automations,
                  const RulesExplain& wish) {
  auto reply = feedback::parse::quoted_reply(wish.what);
  if (!reply) {
    return unreadable(session,
                      session.words({"{} has no reply code", "{} に応答コードがありません"},
                                    printable(wish.what)));
  }
  Stage stage = feedback::parse::quoted_stage(wish.what);
  if (!wish.stage.empty()) {
    const auto named = stage_of(wish.stage);
    if (!named) {
      return unreadable(session, session.words({"--stage {} is no stage of a dialogue: {}",
                                                "--stage {} という段階はありません: {}"},
                                               printable(wish.stage), stage_names()));
    }
    stage = *named;
  }
  const Explained told = explained(wish, automations, std::move(*reply), stage);
  if (!session.common().json) {
    show_reply(session, told);
    return 0;
  }
  boost::json::array automations_json;
  for (const policy::Automation* each : told.automations) {
    automations_json.push_back({{"id", each->id},
                                {"times", each->times},
                                {"within_seconds", each->within.count()},
                                {"slow_to", number_json(each->slow_to)},
                                {"slow_seconds", each->slow_for.count()},
                                {"suspend_seconds", each->suspend_for.count()},
                                {"alarm", each->alarm},
                                {"place", each->place},
                                {"source", each->source},
                                {"date", each->date}});
  }
  const boost::json::object object{
      {"class", to_string(told.meaning.cause)},
      {"permanent", told.meaning.permanence == classify::Permanence::permanent},
      {"suppress", told.meaning.counts_against_address()},
      {"stage", to_string(stage)},
      {"rule", told.rule.id},
      {"words", told.rule.words},
      {"place", told.rule.place},
      {"source", told.rule.source},
      {"date", told.rule.date},
      {"automations", std::move(automations_json)},
      {"meaning", told.advice.meaning.in(session.language())},
      {"action", told.advice.action.in(session.language())}};
  session.out() << printable_json(boost::json::serialize(object)) << '\n';
  return 0;
}

// -- a domain

struct FoundSite {
  const Site* site = nullptr;         // nullptr: no rule names it
  std::vector<std::string> mx_hosts;  // the most preferred ones, where they were asked for
  std::string problem;                // why they are not known
  bool was_answered = true;           // false: no name server said whether there are any
};

Task<FoundSite> find_site(
    const policy::SiteRules& rules,  // NOLINT(*-reference-coroutine-parameters)
    std::string domain,
    dns::Resolver& resolver) {  // NOLINT(*-reference-coroutine-parameters)
  FoundSite found;
  found.site = rules.find(domain, {});
  if (found.site != nullptr) co_return found;
  const auto answer = co_await resolver.mx(domain);
  if (!answer) {
    found.problem = answer.error().detail;
    found.was_answered = answer.error().kind == ErrorKind::not_found;
    co_return found;
  }
  std::optional<std::uint16_t> best;
  for (const dns::MxRecord& record : answer->records) {
    best = std::min(best.value_or(record.preference), record.preference);
  }
  for (const dns::MxRecord& record : answer->records) {
    if (record.preference == best) found.mx_hosts.push_back(to_ascii_lower(record.host));
  }
  const std::vector<std::string_view> views(found.mx_hosts.begin(), found.mx_hosts.end());
  if (!views.empty()) found.site = rules.find(domain, views);
  co_return found;
}

std::string place_of(const policy::SiteRules& rules, const Site* site, std::string_view key) {
  if (site != nullptr) {
    if (const auto at = site->places.find(key); at != site->places.end()) return at->second;
  }
  const auto at = rules.places_of_defaults().find(key);
  return at == rules.places_of_defaults().end() ? "" : at->second;
}

std::string shown_value(const boost::json::value& value) {
  return value.is_double() ? fmt::format("{}", value.get_double()) : boost::json::serialize(value);
}

int show_site(Session& session, const policy::SiteRules& rules, const std::string& domain,
              const FoundSite& found) {
  const Site everybody{.name = "defaults", .limits = rules.defaults()};
  const Site& site = found.site == nullptr ? everybody : *found.site;
  boost::json::object keys;
  for (const SiteKey& key : policy::site_keys()) {
    if (!key.for_everybody()) continue;
    const std::string place = place_of(rules, found.site, key.name);
    keys[key.name] = {{"value", to_json(key.value_in(site))}, {"place", place}};
  }
  if (session.common().json) {
    const boost::json::object object{
        {"domain", domain},
        {"site",
         found.site == nullptr ? boost::json::value(nullptr) : boost::json::value(site.name)},
        {"mx", boost::json::array(found.mx_hosts.begin(), found.mx_hosts.end())},
        {"problem", found.problem},
        {"source", site.source},
        {"date", site.date},
        {"keys", std::move(keys)}};
    session.out() << printable_json(boost::json::serialize(object)) << '\n';
    return 0;
  }
  if (!found.problem.empty()) {
    session.say({"The MX hosts of {} are not known: {}", "{} の MX ホストを調べられません: {}"},
                domain, printable(found.problem));
  }
  for (const std::string& host : found.mx_hosts) {
    session.say({"MX host {}", "MX ホスト {}"}, printable(host));
  }
  if (!found.was_answered) {
    session.say(
        {"No name server could say where its mail goes, so a site's rule may hold all the "
         "same. Of a domain that no rule names:",
         "ネームサーバーから答えを得られないため、サイトのルールが当てはまる可能性も"
         "あります。どのルールも名指ししないドメインの場合:"});
  } else if (found.site == nullptr) {
    session.say(
        {"No rule names {}: the defaults hold.", "{} を名指しするルールはなく、既定値が有効です。"},
        domain);
  } else {
    session.say({"{} is of the site {}{}.", "{} はサイト {}{} です。"}, domain, site.name,
                site.provider.empty() ? "" : fmt::format(" ({})", site.provider));
  }
  if (!site.source.empty()) {
    session.say({"Source: {} ({})", "出どころ: {}（{}）"}, site.source, site.date);
  }
  for (const auto& [key, told] : keys) {
    const std::string place(told.at("place").as_string());
    session.out() << fmt::format("  {:<24} {:<16} {}\n", std::string_view(key),
                                 shown_value(told.at("value")), place);
  }
  return 0;
}

// Whether mail can go there: a word, an address of a machine and an enhanced code are no domains.
// No top-level domain is all digits (RFC 3696 section 2).
bool is_of_the_internet(std::string_view domain) {
  const std::size_t dot = domain.rfind('.');
  if (dot == std::string_view::npos) return false;
  return !std::ranges::all_of(domain.substr(dot + 1), [](char c) { return c >= '0' && c <= '9'; });
}

int explain_domain(Session& session, const RulesInForce& rules, const RulesExplain& wish) {
  std::string_view name = wish.what;
  if (const std::size_t at = name.rfind('@'); at != std::string_view::npos) {
    name.remove_prefix(at + 1);
  }
  const auto domain = to_ascii_domain(name);
  if (!domain || !is_of_the_internet(*domain)) {
    return unreadable(session, session.words({"{} is neither a domain nor a reply",
                                              "{} はドメインでも応答でもありません"},
                                             printable(wish.what)));
  }
  auto names = session.host().installation_resolver(session.common().config, wish.resolver);
  if (!names) return unreadable(session, names.error().detail);
  const FoundSite found = async::run_blocking(
      (*names)->executor(), find_site(rules.sites, *domain, (*names)->resolver()));
  return show_site(session, rules.sites, *domain, found);
}

bool is_reply(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() >= 3 && std::ranges::all_of(text.substr(0, 3), is_digit) &&
         (text.size() == 3 || text[3] == ' ' || text[3] == '-');
}

}  // namespace

int rules_check(Session& session) {
  const auto rules = session.host().rules(session.common().config);
  if (!rules) return tell_mistakes(session, rules.error());
  const std::size_t sites = rules->sites.sites().size();
  const std::size_t replies = rules->replies.rules().size();
  const std::size_t advice = rules->advice.rules().size() - 1;
  const std::size_t automations = rules->automations.all().size();
  if (session.common().json) {
    session.out() << boost::json::serialize(boost::json::object{{"sites", sites},
                                                                {"replies", replies},
                                                                {"advice", advice},
                                                                {"automations", automations},
                                                                {"mistakes", boost::json::array()}})
                  << '\n';
    return 0;
  }
  session.say(
      {"{} sites, {} rules for replies, {} pieces of advice, {} automations: no mistakes "
       "found",
       "サイト {} 件、応答のルール {} 件、説明文 {} 件、自動対応 {} 件: 誤りは見つかりません"
       "でした"},
      sites, replies, advice, automations);
  return 0;
}

int rules_explain(Session& session, const RulesExplain& wish) {
  auto rules = session.host().rules(session.common().config);
  if (!rules) return tell_mistakes(session, rules.error());
  if (!is_reply(wish.what)) return explain_domain(session, *rules, wish);
  if (!wish.site.empty() && !rules->sites.sites().contains(wish.site)) {
    return unreadable(session, session.words({"--site {} is no site of the rules",
                                              "--site {} というサイトはルールにありません"},
                                             printable(wish.site)));
  }
  classify::put_in_force(std::move(rules->replies));
  explain::put_in_force(std::move(rules->advice));
  return explain_reply(session, rules->automations, wish);
}

}  // namespace todoku::cli
