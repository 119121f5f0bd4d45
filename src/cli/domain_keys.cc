// SPDX-License-Identifier: Apache-2.0
// todoku domain keys: where keys stand that change by themselves.
#include <algorithm>
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

struct Word {
  std::string_view code;
  Sentence words;
};

constexpr std::array<Word, 6> kSlotStates{{
    {"free", {"free", "空き"}},
    {"published", {"to be published", "公開待ち"}},
    {"settling", {"published, signs soon", "公開済み（まもなく署名開始）"}},
    {"signing", {"signs", "署名中"}},
    {"leaving", {"signs no longer; mail is on its way", "署名終了（配送中のメールあり）"}},
    {"drained", {"signs no longer; stays for a week", "署名終了（1 週間残す）"}},
}};

constexpr std::array<Word, 9> kSteps{{
    {"none", {"nothing, until asked to", "なし（指示があるまで）"}},
    {"make_keys", {"new keys are made", "新しい鍵を作る"}},
    {"write_zone", {"the platform's zone is written", "プラットフォームのゾーンを更新する"}},
    {"look",
     {"a look whether each name server has them", "すべての DNS サーバーで公開されたか確認する"}},
    {"sign", {"the new keys sign", "新しい鍵で署名を始める"}},
    {"wait_for_mail",
     {"a look whether mail that began with the old keys is over",
      "古い鍵で始めたメールの配送が終わったか確認する"}},
    {"remove_old_keys", {"the old keys are removed", "古い鍵を削除する"}},
    {"end", {"nothing of them is left", "すべて終了"}},
    {"wait_for_other_keys",
     {"a look whether keys in the domain's own zone sign",
      "ドメイン自身のゾーンの鍵で署名しているか確認する"}},
}};

std::string word_of(Session& session, std::span<const Word> words, const std::string& code) {
  const auto found = std::ranges::find(words, code, &Word::code);
  return found == words.end() ? code : std::string(found->words.in(session.language()));
}

std::string selectors_of(const boost::json::value& slot) {
  std::string selectors;
  for (const auto& key : list_of(slot, "keys")) {
    if (!selectors.empty()) selectors += ", ";
    selectors += text_of(key, "selector");
  }
  return selectors;
}

// Of one account, domain and algorithm the newest signs; of equally old ones the first by name.
bool signs_before(const boost::json::value& key, const boost::json::value& other) {
  const std::string made = text_of(key, "created");
  const std::string other_made = text_of(other, "created");
  if (made != other_made) return made > other_made;
  return text_of(key, "selector") < text_of(other, "selector");
}

// The key of `all` that signs in the place of this one; nullptr: it signs itself.
const boost::json::value* one_before(const boost::json::value& key, const boost::json::array& all) {
  const boost::json::value* first = nullptr;
  for (const auto& other : all) {
    const bool is_rival = std::ranges::all_of(
        std::array{"account", "domain", "algorithm"},
        [&](const char* name) { return text_of(other, name) == text_of(key, name); });
    if (!is_rival || !signs_before(other, key)) continue;
    if (first == nullptr || signs_before(other, *first)) first = &other;
  }
  return first;
}

// What signs in the place of the keys that the slots say sign: {"selector", "algorithm",
// "in_place_of"}. `all`: the keys that sign or have signed.
boost::json::array signing_instead(const boost::json::value& slots, const boost::json::array& all) {
  boost::json::array instead;
  for (const auto& slot : list_of(slots, "slots")) {
    if (text_of(slot, "state") != "signing") continue;
    for (const auto& named : list_of(slot, "keys")) {
      const auto key = std::ranges::find_if(all, [&](const boost::json::value& each) {
        return text_of(each, "account") == text_of(slots, "account") &&
               text_of(each, "domain") == text_of(slots, "domain") &&
               text_of(each, "selector") == text_of(named, "selector");
      });
      if (key == all.end()) continue;
      const boost::json::value* const before = one_before(*key, all);
      if (before == nullptr) continue;
      instead.push_back(boost::json::object{{"selector", text_of(*before, "selector")},
                                            {"algorithm", text_of(*before, "algorithm")},
                                            {"in_place_of", text_of(*key, "selector")}});
    }
  }
  return instead;
}

const boost::json::value* part_of(const boost::json::value& of, std::string_view name) {
  return of.is_object() ? of.get_object().if_contains(name) : nullptr;
}

// False after a failure, which has been printed.
bool put_signing_instead(Session& session, const std::string& account,
                         boost::json::array& domains) {
  operate::Given given(operate::calls::kListDkim);
  if (!account.empty()) given.with("account", account);
  const auto keys = all_listed(session, std::move(given), "keys");
  if (!keys) return false;
  for (auto& each : domains) {
    each.as_object()["signs_instead"] = signing_instead(each, *keys);
  }
  return true;
}

}  // namespace

void print_slots(Session& session, const boost::json::value& slots) {
  session.say({"{} (account {}), in {}", "{}（アカウント {}）: {}"}, text_of(slots, "domain"),
              text_of(slots, "account"), text_of(slots, "zone"));
  if (text_of(slots, "state") == "ending") {
    session.say({"  These keys are being given up.", "  これらの鍵の使用は終了します。"});
  }
  for (const auto& slot : list_of(slots, "slots")) {
    const std::string since = time_of(slot, "since");
    const std::string state = word_of(session, kSlotStates, text_of(slot, "state"));
    if (since.empty()) {
      session.say({"  {}: {} [{}]", "  {}: {} [{}]"}, text_of(slot, "slot"), state,
                  selectors_of(slot));
    } else {
      session.say({"  {}: {}, since {} [{}]", "  {}: {}（{} から） [{}]"}, text_of(slot, "slot"),
                  state, since, selectors_of(slot));
    }
  }
  for (const auto& each : list_of(slots, "signs_instead")) {
    session.say(
        {"  In the place of {0} signs {1}, which is newer and no key of these slots: `todoku "
         "domain "
         "check {2}` says whether it is published, `todoku dkim remove` takes it away.",
         "  {0} ではなく、スロット外の新しい鍵 {1} で署名しています。公開されているかは `todoku "
         "domain check {2}` で確認し、不要なら `todoku dkim remove` で削除してください。"},
        text_of(each, "in_place_of"), text_of(each, "selector"), text_of(slots, "domain"));
  }
  if (const auto* const next = part_of(slots, "next"); next != nullptr) {
    const std::string at = time_of(*next, "at");
    session.say({"  Next: {}{}", "  次: {}{}"}, word_of(session, kSteps, text_of(*next, "step")),
                at.empty() ? std::string() : session.words({", {}", "（{}）"}, at));
  }
  if (const auto* const waits = part_of(slots, "waits"); waits != nullptr) {
    session.say(
        {"  It waits since {}: {}", "  {} から待っています: {}"}, time_of(*waits, "since"),
        text_of(*waits, session.language() == Language::japanese ? "sentence_ja" : "sentence"));
  }
  if (truth_of(slots, "gone")) {
    session.say({"  The keys that sign are not published: what they sign fails. See `todoku domain "
                 "check {}`.",
                 "  署名に使っている鍵が公開されていません。署名の検証は失敗します。`todoku "
                 "domain check {}` で確認してください。"},
                text_of(slots, "domain"));
  } else if (truth_of(slots, "stalled")) {
    session.say({"  The change stalls for a day and longer: see `todoku domain check {}`.",
                 "  入れ替えが 1 日以上止まっています。`todoku domain check {}` "
                 "で確認してください。"},
                text_of(slots, "domain"));
  }
}

int domain_keys_command(Session& session, const DomainKeysWish& wish) {
  const auto listed = listed_slots(session, wish.account);
  if (!listed) return 1;
  boost::json::array shown;
  for (const auto& each : listed->all) {
    if (wish.domain.empty() || text_of(each, "domain") == wish.domain) shown.push_back(each);
  }
  if (!shown.empty() && !put_signing_instead(session, wish.account, shown)) return 1;
  if (shown.empty() && !wish.domain.empty()) {
    return session.fail(
        session.words({"the keys of {0} do not change by themselves: todoku domain setup {0} --by "
                       "cname",
                       "{0} の鍵は自動では入れ替わりません: todoku domain setup {0} --by cname"},
                      wish.domain));
  }
  const bool is_wrong = std::ranges::any_of(shown, [](const boost::json::value& each) {
    const bool is_displaced =
        text_of(each, "state") != "ending" && !list_of(each, "signs_instead").empty();
    return truth_of(each, "stalled") || truth_of(each, "gone") || is_displaced;
  });
  if (session.common().json) {
    const boost::json::object answer{{"domains", shown}};
    session.out() << printable_json(boost::json::serialize(answer)) << '\n';
  } else {
    for (const auto& each : shown) print_slots(session, each);
  }
  return is_wrong ? 1 : 0;
}

}  // namespace todoku::cli
