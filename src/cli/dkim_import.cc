// SPDX-License-Identifier: Apache-2.0
// todoku dkim import: a key made elsewhere. What it signs fails until its record is published, so
// that in the place of a key, or beside one, it signs only then.
#include <algorithm>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/findings.h"
#include "cli/published_keys.h"
#include "cli/user_files.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/key.h"

namespace todoku::cli {
namespace {

using mailauth::dkim::KeyAlgorithm;
using mailauth::dkim::KeyName;
using mailauth::dkim::SigningKey;

void warn_if_short(Session& session, const SigningKey& key) {
  if (key.algorithm() != KeyAlgorithm::rsa) return;
  if (key.bits() >= mailauth::dkim::kRsaBitsRecommended) return;
  session.err() << session.words({"todoku: the key has {} bits, and should have {} (RFC 8301): "
                                  "`todoku domain rotate` changes to such a one",
                                  "todoku: 鍵が {} ビットしかありません。{} ビット以上が推奨です"
                                  "（RFC 8301）。`todoku domain rotate` で入れ替えられます"},
                                 key.bits(), mailauth::dkim::kRsaBitsRecommended)
                << '\n';
}

bool one_signs(const boost::json::value& slots) {
  if (text_of(slots, "state") == "ending") return false;
  return std::ranges::any_of(list_of(slots, "slots"), [](const boost::json::value& slot) {
    return text_of(slot, "state") == "signing";
  });
}

// Short keys and such as are being tried (t=y) are published all the same.
void pass_what_is_there(std::vector<doctor::Finding>& findings) {
  for (doctor::Finding& finding : findings) {
    const bool is_there = finding.code == "dkim_short" || finding.code == "dkim_testing";
    if (is_there) finding.outcome = doctor::Outcome::pass;
  }
}

// 0: it is published; otherwise the exit status, and what is missing was printed.
int ask_whether_published(Session& session, const DkimImport& wish, const KeyName& name,
                          const SigningKey& key) {
  const auto servers = servers_of(wish.probe);
  if (!servers) return unreadable(session, servers.error().detail);
  auto names = session.host().installation_resolver(session.common().config, wish.probe.resolver);
  if (!names) return unreadable(session, names.error().detail);
  const std::string record = mailauth::dkim::key_record_text(key);
  auto findings =
      judge_keys({.domain = name.domain,
                  .keys = {{.selector = name.selector, .record = record, .domain = name.domain}},
                  .servers = *servers,
                  .port = wish.probe.port},
                 **names);
  pass_what_is_there(findings);
  if (is_published(findings, false)) return 0;
  const int status = std::max(show_findings(session, findings), 1);
  session.err() << session.words(
                       {"todoku: nothing was imported: mail of {} is signed already, and what this "
                        "key signs would fail. Publish its record and run this again; to let it "
                        "sign at once: --anyway",
                        "todoku: 取り込みを中止しました。{} のメールは既に署名されており、この鍵の"
                        "署名は検証に失敗します。レコードを公開してからもう一度実行してください。"
                        "すぐに署名に使うには --anyway を指定してください"},
                       name.domain)
                << '\n';
  if (!session.common().json) {
    session.out() << mailauth::dkim::zone_file_entry(name.lookup_name(), record);
  }
  return status;
}

// 0: it may sign.
int ask_whether_it_may_sign(Session& session, const DkimImport& wish, const KeyName& name,
                            const SigningKey& key) {
  const auto slots = listed_slots(session, wish.key.account);
  if (!slots) return 1;
  const boost::json::value* const by_themselves = slots->of(wish.key.account, name.domain);
  if (by_themselves != nullptr && one_signs(*by_themselves)) {
    return session.fail(session.words(
        {"nothing was imported: the keys of {0} change by themselves, and this one would sign in "
         "their place. To give them up: todoku domain setup {0} --by txt; to let it sign all the "
         "same: --anyway",
         "取り込みを中止しました。{0} の鍵は自動で入れ替わるもので、この鍵が代わりに署名することに"
         "なります。自動の入れ替えをやめるには todoku domain setup {0} --by txt、このまま署名に使う"
         "には --anyway を指定してください"},
        name.domain));
  }
  const auto signing = domain_keys(session, wish.key.account, name.domain);
  if (!signing) return 1;
  const bool is_first =
      std::ranges::all_of(*signing, [](const doctor::DomainKey& each) { return each.is_idle; });
  return is_first ? 0 : ask_whether_published(session, wish, name, key);
}

}  // namespace

int dkim_import(Session& session, const DkimImport& wish) {
  auto pem = read_secret(wish.key.pem_file, session);
  if (!pem) return session.fail(pem.error().detail);
  SecretText secret(std::move(*pem));
  // What cannot be read the engine refuses, in its own words.
  const auto key = SigningKey::from_pem(secret);
  const auto name = KeyName::parse(wish.key.domain, wish.key.selector);
  if (key && name) {
    warn_if_short(session, *key);
    if (!wish.anyway) {
      const int status = ask_whether_it_may_sign(session, wish, *name, *key);
      if (status != 0) return status;
    }
  }
  return dkim_add(session, wish.key, std::move(secret));
}

}  // namespace todoku::cli
