// SPDX-License-Identifier: Apache-2.0
// todoku domain setup
#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include "async/run_blocking.h"
#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "doctor/domain_records.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

namespace calls = operate::calls;
using doctor::DomainWish;
using doctor::WantedRecord;
using operate::Given;

struct SetupKeys {
  std::vector<doctor::DomainKey> all;
  bool some_wait = false;  // they sign only when `domain rotate` has found them published
  bool by_cname = false;   // they change by themselves
};

// Of the domain, by the kinds that sign for it: 0 to 2.
std::size_t kinds_of(const boost::json::array& keys, std::string_view domain) {
  constexpr std::array<std::string_view, 2> kKinds{"rsa-sha256", "ed25519-sha256"};
  return static_cast<std::size_t>(std::ranges::count_if(kKinds, [&](std::string_view kind) {
    return std::ranges::any_of(keys, [&](const boost::json::value& key) {
      return text_of(key, "domain") == domain && text_of(key, "algorithm") == kind;
    });
  }));
}

bool make_keys(Session& session, const std::string& account, const std::string& domain) {
  return std::ranges::all_of(std::array{"rsa", "ed25519"}, [&](const char* algorithm) {
    const Given made = Given(calls::kAddDkim)
                           .with("account", account)
                           .with("domain", domain)
                           .with("algorithm", std::string(algorithm));
    return session.ask_for(made, [](const boost::json::value&) {}) == 0;
  });
}

doctor::DomainKey key_in(const boost::json::value& key, const std::string& domain) {
  return {
      .selector = text_of(key, "selector"), .record = text_of(key, "dns_record"), .domain = domain};
}

// Keys of both kinds, made where one is missing. Where mail of the domain is signed already, by a
// key of its own or of one above it, a new key that is not published yet must not sign beside it or
// in its place: those wait. nullopt after a failure.
std::optional<SetupKeys> keys_for(Session& session, const std::string& account,
                                  const std::string& domain) {
  const auto listed = all_listed(session, Given(calls::kListDkim).with("account", account), "keys");
  if (!listed) return std::nullopt;
  auto signing = domain_keys(session, account, domain);
  if (!signing) return std::nullopt;
  const bool none_signs = signing->empty();
  if (none_signs) {
    if (!make_keys(session, account, domain)) return std::nullopt;
    signing = domain_keys(session, account, domain);
    if (!signing) return std::nullopt;
  }
  SetupKeys keys{.all = std::move(*signing)};
  if (none_signs || kinds_of(*listed, domain) == 2) return keys;
  // Those of a domain above are in its zone.
  std::erase_if(keys.all, [&](const doctor::DomainKey& key) { return key.domain != domain; });
  const Given wait = Given(calls::kMakeNextKeys).with("account", account).with("domain", domain);
  const auto take = [&](const boost::json::value& made) {
    for (const auto& key : list_of(made, "keys")) {
      keys.all.push_back(key_in(key, domain));
    }
  };
  if (session.ask_for(wait, take) != 0) return std::nullopt;
  keys.some_wait = true;
  return keys;
}

// Keys that the platform publishes: nothing is made before the CNAMEs are there.
std::optional<SetupKeys> keys_by_cname(Session& session, const std::string& account,
                                       const std::string& domain) {
  SetupKeys keys;
  const Given add = Given(calls::kAddKeySlots).with("account", account).with("domain", domain);
  const auto take = [&](const boost::json::value& slots) { keys.all = slot_keys(slots); };
  if (session.ask_for(add, take) != 0) return std::nullopt;
  keys.by_cname = true;
  return keys;
}

std::vector<std::string> selectors_of_slots(const boost::json::value& slots) {
  std::vector<std::string> selectors;
  for (const auto& slot : list_of(slots, "slots")) {
    for (const auto& key : list_of(slot, "keys")) selectors.push_back(text_of(key, "selector"));
  }
  return selectors;
}

// Those of the domain that sign and are in no slot.
std::optional<boost::json::array> own_keys(Session& session, const std::string& account,
                                           const std::string& domain,
                                           const boost::json::value& slots) {
  auto listed = all_listed(session, Given(calls::kListDkim).with("account", account), "keys");
  if (!listed) return std::nullopt;
  const auto of_slots = selectors_of_slots(slots);
  boost::json::array own;
  for (const auto& key : *listed) {
    const bool is_own = text_of(key, "domain") == domain &&
                        std::ranges::find(of_slots, text_of(key, "selector")) == of_slots.end();
    if (is_own) own.push_back(key);
  }
  return own;
}

// Keys whose records are in the domain's own zone, in the place of those in the platform's: those
// sign until these do.
std::optional<SetupKeys> keys_in_place(Session& session, const std::string& account,
                                       const std::string& domain, const boost::json::value& slots) {
  const auto of_domain = [&](const operate::Call& call) {
    return Given(call).with("account", account).with("domain", domain);
  };
  const auto nothing = [](const boost::json::value&) {};
  if (session.ask_for(of_domain(calls::kEndKeySlots), nothing) != 0) return std::nullopt;
  auto own = own_keys(session, account, domain, slots);
  if (!own) return std::nullopt;
  // Those from before the CNAMEs were never taken away.
  if (kinds_of(*own, domain) == 2) {
    SetupKeys there;
    for (const auto& key : *own) there.all.push_back(key_in(key, domain));
    return there;
  }
  SetupKeys keys;
  const auto take = [&](const boost::json::value& made) {
    for (const auto& key : list_of(made, "keys")) {
      keys.all.push_back(key_in(key, domain));
    }
  };
  if (session.ask_for(of_domain(calls::kMakeNextKeys), take) != 0) return std::nullopt;
  keys.some_wait = true;
  return keys;
}

std::optional<SetupKeys> keys_as_wished(Session& session, const std::string& account,
                                        const std::string& domain, const std::string& by) {
  const auto listed = listed_slots(session, account);
  if (!listed) return std::nullopt;
  const boost::json::value* const slots = listed->of(account, domain);
  const bool is_ending = slots != nullptr && text_of(*slots, "state") == "ending";
  const bool is_by_cname = slots != nullptr && !is_ending;
  if (by == "cname" || (by.empty() && is_by_cname)) return keys_by_cname(session, account, domain);
  // While they are given up, the keys that take their place are the same, asked for again.
  if (slots != nullptr) return keys_in_place(session, account, domain, *slots);
  return keys_for(session, account, domain);
}

// A name that nobody serves, most often misspelt: told before anything is made for it.
bool says_absent(Session& session, const std::string& domain, CheckResolver& names) {
  const auto findings = async::run_blocking(names.executor(), domain_is_absent(domain, names));
  for (const doctor::Finding& finding : findings) {
    (void)session.fail(
        session.words({"{} Nothing was made; to go on all the same: --anyway",
                       "{}何も作成していません。このまま進めるには --anyway を指定してください"},
                      finding.sentence.in(session.language())));
  }
  return !findings.empty();
}

// RFC 9990 section 4: what stands in somebody else's zone nobody has looked at yet. Whose answer is
// not known stays to be published.
Task<void> look_elsewhere(
    std::vector<WantedRecord>& records,  // NOLINT(*-reference-coroutine-parameters)
    dns::Resolver& resolver) {           // NOLINT(*-reference-coroutine-parameters)
  for (WantedRecord& record : records) {
    if (!record.is_elsewhere || record.type != "TXT") continue;
    const auto answer = co_await resolver.txt(record.name);
    if (!answer) continue;
    record.is_there = std::ranges::any_of(
        answer->records, [&](const std::string& text) { return text.starts_with(record.value); });
  }
}

// The claim, made where there is none; the record that proves it, where that is still to be done.
bool put_claim(Session& session, const std::string& account, DomainWish& wish) {
  const auto take = [&](const boost::json::value& claim) {
    if (truth_of(claim, "vouched") || text_of(claim, "state") == "proven") return;
    wish.proof_name = text_of(claim, "dns_name");
    wish.proof_value = text_of(claim, "dns_record");
  };
  const auto claims =
      all_listed(session, Given(calls::kListDomains).with("account", account), "domains");
  if (!claims) return false;
  const auto found = std::ranges::find_if(*claims, [&](const boost::json::value& claim) {
    return text_of(claim, "domain") == wish.domain;
  });
  if (found != claims->end()) {
    take(*found);
    return true;
  }
  const Given claim = Given(calls::kAddDomain).with("account", account).with("domain", wish.domain);
  return session.ask_for(claim, take) == 0;
}

// Each line of an entry as a comment of a zone file.
std::string commented(std::string_view entry) {
  std::string text;
  while (!entry.empty()) {
    const std::size_t end = std::min(entry.find('\n'), entry.size() - 1) + 1;
    text.append("; ").append(entry.substr(0, end));
    entry.remove_prefix(end);
  }
  return text;
}

void print_warnings(Session& session, const WantedRecord& record, std::string_view indent) {
  for (const BilingualText& warning : record.warnings) {
    session.say({"{}warning: {}: {}", "{}警告: {}: {}"}, indent, record.name,
                warning.in(session.language()));
  }
}

boost::json::array warnings_json(const WantedRecord& record, Language language) {
  boost::json::array warnings;
  for (const BilingualText& warning : record.warnings) warnings.emplace_back(warning.in(language));
  return warnings;
}

void print_zone_file(Session& session, const std::vector<WantedRecord>& records) {
  for (const WantedRecord& record : records) {
    if (record.is_there) {
      print_warnings(session, record, "; ");
      continue;
    }
    session.out() << "; " << record.purpose.in(session.language()) << '\n';
    if (!record.problem.en.empty()) {
      session.out() << "; " << record.problem.in(session.language()) << '\n';
      continue;
    }
    if (record.replaces) {
      session.say({"; in the place of the record that is there", "; 既存のレコードと置き換え"});
    }
    print_warnings(session, record, "; ");
    for (const std::string& term : record.left_out) {
      session.say({"; left out, because it cannot be read: {}", "; 解釈できないため除いた項目: {}"},
                  in_language_of(session, term));
    }
    if (record.is_elsewhere) {
      session.say({"; in the zone of the domain that takes the reports, not in this one:",
                   "; このゾーンではなく、レポートを受け取るドメインのゾーンに登録:"});
    }
    if (record.is_for_later) {
      session.say({"; if you like, and only then:", "; 任意。上記の準備が済んでから登録:"});
    }
    const bool is_shown_only = record.is_elsewhere || record.is_for_later;
    session.out() << (is_shown_only ? commented(record.zone_entry()) : record.zone_entry());
  }
}

void print_record(Session& session, const WantedRecord& record) {
  const std::string note =
      !record.problem.en.empty() ? std::string()
      : record.is_there          ? session.words({" (is there)", "（登録済み）"})
      : record.replaces          ? session.words({" (in the place of the one that is there)",
                                                  "（既存のレコードと置き換え）"})
      : record.is_elsewhere      ? session.words({" (in the zone of who takes the reports)",
                                                  "（レポートを受け取る側のゾーンに登録）"})
      : record.is_optional       ? session.words({" (if you like)", "（任意）"})
                                 : std::string();
  session.say({"\n{}{}\n  name   {}\n  type   {}\n  value  {}",
               "\n{}{}\n  名前   {}\n  種類   {}\n  値     {}"},
              record.purpose.in(session.language()), note, record.name, record.type,
              record.problem.en.empty() ? record.value : record.problem.in(session.language()));
  print_warnings(session, record, "  ");
  for (const std::string& term : record.left_out) {
    session.say({"  left out, because it cannot be read: {}", "  解釈できないため除いた項目: {}"},
                in_language_of(session, term));
  }
}

boost::json::object to_json(const WantedRecord& record, Language language) {
  const bool is_refused = !record.problem.en.empty();
  return {{"name", record.name},
          {"type", record.type},
          {"value", is_refused ? std::string() : record.value},
          {"purpose", record.purpose.in(language)},
          {"is_there", record.is_there},
          {"replaces", record.replaces},
          {"is_optional", record.is_optional},
          {"is_elsewhere", record.is_elsewhere},
          {"left_out", boost::json::value_from(record.left_out)},
          {"warnings", warnings_json(record, language)},
          {"problem", record.problem.in(language)},
          {"zone_entry", is_refused ? std::string() : record.zone_entry()}};
}

void print_json(Session& session, const std::string& account, const DomainWish& wish,
                const std::vector<WantedRecord>& records, bool zone_was_read, bool keys_wait) {
  boost::json::array list;
  for (const WantedRecord& record : records) list.push_back(to_json(record, session.language()));
  const boost::json::object answer{{"account", account},
                                   {"domain", wish.domain},
                                   {"zone_was_read", zone_was_read},
                                   {"keys_wait", keys_wait},
                                   {"records", std::move(list)}};
  session.out() << printable_json(boost::json::serialize(answer)) << '\n';
}

void print_doubts(Session& session, const DomainWish& wish, bool zone_was_read) {
  if (!zone_was_read) {
    session.err()
        << session.words(
               {"todoku: the zone could not be read: the records are as for an empty one. "
                "Is there an SPF record already, keep what it says.",
                "todoku: ゾーンを読めなかったため、空のゾーンとして表示します。SPF レコード"
                "が既にある場合は、その内容を残してください。"})
        << '\n';
  }
  for (const std::string& source : wish.platform.unknown_sources) {
    session.err()
        << session.words(
               {"todoku: the public address of the source {} is not known: name it by "
                "--source",
                "todoku: 送信元 {} の公開アドレスが不明です。--source で指定してください"},
               source)
        << '\n';
  }
}

// Beside the records, which may go into a file.
void print_wait(Session& session, const std::string& domain) {
  session.err() << session.words(
                       {"todoku: mail of {} is signed already, so the new keys do not sign yet. "
                        "Once their records are published: todoku domain rotate {}",
                        "todoku: {} のメールは既に署名されているため、新しい鍵はまだ署名に使いま"
                        "せん。レコードの公開後に todoku domain rotate {} を実行してください。"},
                       domain, domain)
                << '\n';
}

}  // namespace

int domain_setup(Session& session, const DomainSetup& given) {
  const auto servers = servers_of(given.probe);
  if (!servers) return unreadable(session, servers.error().detail);
  auto names = session.host().installation_resolver(session.common().config, given.probe.resolver);
  if (!names) return unreadable(session, names.error().detail);
  auto wish = domain_wish(session, given.domain, given.platform);
  if (!wish) return kUnreadable;
  const auto account = account_for(session, given.account);
  if (!account) return 1;
  if (!given.anyway && servers->empty() && says_absent(session, wish->domain, **names)) return 1;
  if (!put_claim(session, *account, *wish)) return 1;
  auto keys = keys_as_wished(session, *account, wish->domain, given.by);
  if (!keys) return 1;
  wish->keys = std::move(keys->all);
  const ProbedDomain probed = async::run_blocking(
      (*names)->executor(), probe_domain(*wish, *servers, given.probe.port, **names));
  auto records = doctor::wanted_records(*wish, probed.now);
  if (!records) return session.fail(records.error().detail);
  async::run_blocking((*names)->executor(), look_elsewhere(*records, (*names)->resolver()));
  print_doubts(session, *wish, probed.is_known);
  if (keys->some_wait && !session.common().json) print_wait(session, wish->domain);
  if (session.common().json) {
    print_json(session, *account, *wish, *records, probed.is_known, keys->some_wait);
  } else if (given.zone_file) {
    print_zone_file(session, *records);
  } else {
    session.say({"The records of {}, for account {}:", "{} のレコード（アカウント {}）:"},
                wish->domain, *account);
    for (const WantedRecord& record : *records) print_record(session, record);
    session.say(
        {"\nOnce they are there: todoku domain check {}", "\n登録後の確認: todoku domain check {}"},
        wish->domain);
    if (!wish->proof_name.empty()) {
      session.say({"That the domain is the account's is looked for by itself, and at once by: "
                   "todoku domain verify {} {}",
                   "ドメインの所有は自動で確認します。すぐに確認するには: todoku domain verify {} "
                   "{}"},
                  *account, wish->domain);
    }
    if (keys->by_cname) {
      session.say(
          {"The keys sign by themselves once each name server has these CNAMEs: todoku "
           "domain keys {}",
           "鍵は、すべての DNS サーバーにこれらの CNAME が登録されると自動で署名を始めます: "
           "todoku domain keys {}"},
          wish->domain);
    }
  }
  const bool is_whole = std::ranges::all_of(
      *records, [](const WantedRecord& record) { return record.problem.en.empty(); });
  return is_whole ? 0 : 1;
}

}  // namespace todoku::cli
