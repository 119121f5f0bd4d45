// SPDX-License-Identifier: Apache-2.0
#include "cli/domain_words.h"

#include <utility>

#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

DomainWords::DomainWords(WordBook book) : book_(std::move(book)) {
  add_dkim();
  add_domain();
}

void DomainWords::add_dkim() {
  CLI::App* group = book_.verb(book_.app, "dkim",
                               {"The keys that sign mail, and whether a signature is good",
                                "メールに署名する鍵を管理し、署名を検証する"});
  group->require_subcommand(1);
  CLI::App* generate =
      book_.verb(group, "generate",
                 {"Make a key and print its DNS record", "鍵を作り、DNS レコードを表示する"});
  dkim_names(generate, false);
  generate->add_flag(
      "--ed25519", dkim_.ed25519,
      book_.say({"Ed25519 instead of RSA-2048", "RSA-2048 の代わりに Ed25519 を使う"}));
  book_.speaks(generate, [this](Session& s) { return dkim_generate(s, dkim_); });
  CLI::App* import = book_.verb(group, "import",
                                {"Take over a key made elsewhere", "別の場所で作った鍵を取り込む"});
  dkim_names(import, true);
  import
      ->add_option(
          "--pem", dkim_.pem_file,
          book_.say({"File of the unencrypted private key", "暗号化していない秘密鍵のファイル"}))
      ->required();
  book_.speaks(import, [this](Session& s) { return dkim_generate(s, dkim_); });
  CLI::App* list = book_.verb(group, "list", {"List them", "一覧を表示する"});
  book_.option(list, "--account", dkim_.account, calls::kListDkim, "account");
  book_.speaks(list, [this](Session& s) { return dkim_list(s, dkim_.account); });
  CLI::App* show = book_.verb(
      group, "show", {"Print the DNS record of a key again", "鍵の DNS レコードを再び表示する"});
  dkim_names(show, true);
  book_.speaks(show, [this](Session& s) { return dkim_show(s, dkim_); });
  CLI::App* remove =
      book_.verb(group, "remove",
                 {"Remove a key; mail that was to be signed with it waits until its life ends",
                  "鍵を削除する。この鍵で署名するはずだったメールは、期限が来るまで待機する"});
  dkim_names(remove, true);
  book_.speaks(remove, [this](Session& s) { return dkim_remove(s, dkim_); });
}

void DomainWords::dkim_names(CLI::App* command, bool selector_required) {
  const operate::Call& call = selector_required ? calls::kShowDkim : calls::kAddDkim;
  book_.option(command, "--account", dkim_.account, call, "account");
  book_.option(command, "--domain", dkim_.domain, call, "domain");
  book_.option(command, "--selector", dkim_.selector, call, "selector");
}

void DomainWords::add_domain() {
  CLI::App* group = book_.verb(
      book_.app, "domain",
      {"The domains that accounts send from", "アカウントが差出人に使うドメインを管理する"});
  group->require_subcommand(1);
  CLI::App* add = book_.verb(group, "add",
                             {"Claim a domain and print the record that proves it",
                              "ドメインを登録し、所有を証明する DNS レコードを表示する"});
  domain_names(add, calls::kAddDomain);
  add->add_flag("--proven", domain_proven_,
                std::string(calls::kAddDomain.find("proven")->help.in(book_.language)));
  book_.speaks(add, [this](Session& s) { return domain_add(s, domain_, domain_proven_); });
  CLI::App* list = book_.verb(group, "list", {"List them", "一覧を表示する"});
  book_.option(list, "--account", domain_.account, calls::kListDomains, "account");
  book_.speaks(list, [this](Session& s) { return domain_list(s, domain_.account); });
  CLI::App* verify =
      book_.verb(group, "verify", {"Look for its record now", "DNS レコードをすぐに確認する"});
  domain_names(verify, calls::kVerifyDomain);
  book_.speaks(verify, [this](Session& s) { return domain_verify(s, domain_); });
  CLI::App* remove =
      book_.verb(group, "remove",
                 {"Let the account send from it no longer", "そのドメインからの送信を終える"});
  domain_names(remove, calls::kRemoveDomain);
  book_.speaks(remove, [this](Session& s) { return domain_remove(s, domain_); });
  CLI::App* consent =
      book_.verb(group, "consent",
                 {"Let another account have it, or domains below it, too",
                  "別のアカウントが同じドメインやサブドメインを使うことに同意する"});
  domain_names(consent, calls::kConsent);
  book_.option(consent, "TO", domain_to_, calls::kConsent, "to");
  consent->add_flag("--withdraw", domain_withdrawn_,
                    std::string(calls::kConsent.find("withdrawn")->help.in(book_.language)));
  book_.speaks(consent, [this](Session& s) {
    return domain_consent(s, domain_, domain_to_, domain_withdrawn_);
  });
}

void DomainWords::domain_names(CLI::App* command, const operate::Call& call) {
  book_.option(command, "ACCOUNT", domain_.account, call, "account");
  book_.option(command, "DOMAIN", domain_.domain, call, "domain");
}

}  // namespace todoku::cli
