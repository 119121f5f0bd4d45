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
  dkim_names(generate, dkim_, false);
  generate->add_flag(
      "--ed25519", dkim_.ed25519,
      book_.say({"Ed25519 instead of RSA-2048", "RSA-2048 の代わりに Ed25519 を使う"}));
  book_.speaks(generate, [this](Session& s) { return dkim_generate(s, dkim_); });
  add_dkim_import(group);
  CLI::App* list = book_.verb(group, "list", {"List them", "一覧を表示する"});
  book_.option(list, "--account", dkim_.account, calls::kListDkim, "account");
  book_.speaks(list, [this](Session& s) { return dkim_list(s, dkim_.account); });
  CLI::App* show = book_.verb(
      group, "show", {"Print the DNS record of a key again", "鍵の DNS レコードを再び表示する"});
  dkim_names(show, dkim_, true);
  book_.speaks(show, [this](Session& s) { return dkim_show(s, dkim_); });
  CLI::App* remove =
      book_.verb(group, "remove",
                 {"Remove a key; mail that was to be signed with it waits until its life ends",
                  "鍵を削除する。この鍵で署名するはずだったメールは、期限が来るまで待機する"});
  dkim_names(remove, dkim_, true);
  book_.speaks(remove, [this](Session& s) { return dkim_remove(s, dkim_); });
}

void DomainWords::add_dkim_import(CLI::App* group) {
  CLI::App* import = book_.verb(group, "import",
                                {"Take over a key made elsewhere: where mail of the domain is "
                                 "signed already, only once its record is published",
                                 "別の場所で作った鍵を取り込む。既に署名しているドメインでは、"
                                 "レコードが公開されていることを確認してから取り込む"});
  dkim_names(import, import_.key, true);
  import
      ->add_option(
          "--pem", import_.key.pem_file,
          book_.say({"File of the unencrypted private key", "暗号化していない秘密鍵のファイル"}))
      ->required();
  import->add_flag("--anyway", import_.anyway,
                   book_.say({"Let it sign though its record is not published, or in the place of "
                              "keys that change by themselves",
                              "レコードが未公開の場合や、自動で入れ替わる鍵に代わる場合も署名に使"
                              "う"}));
  server_options(import, import_.probe);
  book_.speaks(import, [this](Session& s) { return dkim_import(s, import_); });
}

void DomainWords::dkim_names(CLI::App* command, DkimGenerate& into, bool selector_required) {
  const operate::Call& call = selector_required ? calls::kShowDkim : calls::kAddDkim;
  book_.option(command, "--account", into.account, call, "account");
  book_.option(command, "--domain", into.domain, call, "domain");
  book_.option(command, "--selector", into.selector, call, "selector");
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
  verify_names(verify);
  book_.speaks(verify, [this](Session& s) { return domain_verify(s, verified_names()); });
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
  add_domain_setup(group);
  add_domain_check(group);
  add_domain_rotate(group);
  add_domain_keys(group);
  add_domain_history(group);
}

void DomainWords::add_domain_setup(CLI::App* group) {
  CLI::App* setup = book_.verb(group, "setup",
                               {"Make the keys of a domain and print all records that it needs",
                                "ドメインの鍵を作り、必要な DNS レコードをすべて表示する"});
  setup->add_option("DOMAIN", setup_.domain, book_.say({"The From domain", "差出人のドメイン"}))
      ->required();
  setup
      ->add_option("--account", setup_.account,
                   book_.say({"Whose it is; may be left out where there is one account",
                              "対象のアカウント。1 つしかなければ省略できる"}))
      ->type_name("NAME");
  setup
      ->add_option("--by", setup_.by,
                   book_.say({"How the keys are published: `txt` by yourself, each time they "
                              "change; `cname` by the platform's zone ([dkim] platform_zone), "
                              "where they change by themselves",
                              "鍵の公開方法。`txt` は入れ替えのたびに自分で登録し、`cname` "
                              "はプラットフォームのゾーン（[dkim] platform_zone）で自動的に入れ替"
                              "わる"}))
      ->check(CLI::IsMember({"txt", "cname"}))
      ->type_name("HOW");
  setup->add_flag("--zone-file", setup_.zone_file,
                  book_.say({"Only the entries of a zone file, those that are missing",
                             "不足しているレコードだけをゾーンファイルの形式で表示する"}));
  setup->add_flag("--anyway", setup_.anyway,
                  book_.say({"Also of a domain that is not registered or not delegated yet",
                             "未登録、または委任前のドメインでも行う"}));
  probe_options(setup, setup_.platform, setup_.probe);
  book_.speaks(setup, [this](Session& s) { return domain_setup(s, setup_); });
}

void DomainWords::add_domain_check(CLI::App* group) {
  CLI::App* check =
      book_.verb(group, "check",
                 {"Judge the records of a domain as receivers do, at each of its name servers",
                  "ドメインのレコードを、各 DNS サーバーに問い合わせて受信側と同じように判定する"});
  check->add_option("DOMAIN", check_.domains, book_.say({"From domains", "差出人のドメイン"}))
      ->required();
  check
      ->add_option("--account", check_.account,
                   book_.say({"Whose keys; else of all", "鍵のアカウント。省略するとすべて"}))
      ->type_name("NAME");
  check
      ->add_option("--selector", check_.selectors,
                   book_.say({"Keys to look for, instead of those of this installation",
                              "このサーバーの鍵の代わりに確認するセレクター"}))
      ->type_name("NAME")
      ->allow_extra_args(false);
  probe_options(check, check_.platform, check_.probe);
  book_.speaks(check, [this](Session& s) { return domain_check(s, check_); });
}

void DomainWords::add_domain_rotate(CLI::App* group) {
  CLI::App* rotate = book_.verb(
      group, "rotate",
      {"Change the keys of a domain: new ones first, which sign once every name server has them",
       "ドメインの鍵を入れ替える。新しい鍵は、全 DNS サーバーで公開されてから署名を始める"});
  rotate->add_option("DOMAIN", rotate_.domain, book_.say({"The From domain", "差出人のドメイン"}))
      ->required();
  rotate
      ->add_option("--account", rotate_.account,
                   book_.say({"Whose it is; may be left out where there is one account",
                              "対象のアカウント。1 つしかなければ省略できる"}))
      ->type_name("NAME");
  rotate->add_flag("--anyway", rotate_.anyway,
                   book_.say({"Let the new keys sign though not every server of the zone was "
                              "asked, or a resolver fails on them",
                              "全 DNS サーバーで確認できない場合や、リゾルバーで引けない場合も署名"
                              "を始める"}));
  server_options(rotate, rotate_.probe);
  book_.speaks(rotate, [this](Session& s) { return domain_rotate(s, rotate_); });
}

void DomainWords::add_domain_keys(CLI::App* group) {
  CLI::App* keys = book_.verb(
      group, "keys",
      {"Where the keys of a domain stand that change by themselves: exits 1 where a change stalls",
       "自動で入れ替わる鍵の状態を表示する。入れ替えが止まっていれば終了コード 1"});
  keys->add_option("DOMAIN", keys_.domain,
                   book_.say({"The From domain; else all", "差出人のドメイン。省略するとすべて"}));
  keys->add_option("--account", keys_.account,
                   book_.say({"Only of this account", "このアカウントの分だけ"}))
      ->type_name("NAME");
  book_.speaks(keys, [this](Session& s) { return domain_keys_command(s, keys_); });
}

void DomainWords::add_domain_history(CLI::App* group) {
  CLI::App* history = book_.verb(group, "history",
                                 {"What checks of a domain on the schedule found, and what changed",
                                  "ドメインの定期検査の結果と、その変化を表示する"});
  history->add_option("DOMAIN", history_.domain, book_.say({"The From domain", "差出人のドメイン"}))
      ->required();
  history
      ->add_option("--account", history_.account,
                   book_.say({"Whose it is; may be left out where there is one account",
                              "対象のアカウント。1 つしかなければ省略できる"}))
      ->type_name("NAME");
  book_.speaks(history, [this](Session& s) { return domain_history(s, history_); });
}

void DomainWords::probe_options(CLI::App* command, PlatformWish& platform, ProbeOptions& probe) {
  command
      ->add_option("--source", platform.sources,
                   book_.say({"Public addresses that send, instead of those configured",
                              "設定の代わりに使う、送信元の公開アドレス"}))
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  command
      ->add_option("--spf-include", platform.spf_include,
                   book_.say({"A name whose SPF record lists the sources, instead of addresses",
                              "アドレスの代わりに include する、送信元一覧の SPF レコードの名前"}))
      ->type_name("NAME");
  command
      ->add_option("--return-path", platform.return_path,
                   book_.say({"The domain of MAIL FROM, instead of the one configured",
                              "設定の代わりに使う、MAIL FROM のドメイン"}))
      ->type_name("DOMAIN");
  command
      ->add_option("--reports", platform.reports,
                   book_.say({"The address that reports of DMARC and TLS go to",
                              "DMARC と TLS のレポートの送り先"}))
      ->type_name("ADDRESS");
  server_options(command, probe);
}

void DomainWords::server_options(CLI::App* command, ProbeOptions& probe) {
  command
      ->add_option("--resolver", probe.resolver,
                   book_.say({"The name server to ask, HOST:PORT, instead of those of the "
                              "configuration ([dns] servers; else the system's)",
                              "設定（[dns] servers。なければシステム）の代わりに問い合わせる DNS "
                              "サーバー（HOST:PORT）"}))
      ->type_name("SERVER");
  command
      ->add_option("--server", probe.servers,
                   book_.say({"Name servers with the zone, ADDRESS[:PORT], instead of its own: "
                              "before it is delegated to them",
                              "ゾーンを持つ DNS サーバー（ADDRESS[:PORT]）。委任前の確認に使う"}))
      ->type_name("SERVER")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--port", probe.port,
          book_.say({"The port of the zone's own name servers", "ゾーンの DNS サーバーのポート"}))
      ->check(CLI::Range(1, 65'535));
}

DomainNames DomainWords::verified_names() const {
  if (!domain_.domain.empty()) return domain_;
  return {.account = domain_account_, .domain = domain_.account};
}

// `verify ACCOUNT DOMAIN`, as `add`, or `verify DOMAIN`, as `setup` and `check`.
void DomainWords::verify_names(CLI::App* verify) {
  verify
      ->add_option("ACCOUNT", domain_.account,
                   book_.say({"Whose it is; may be left out where there is one account",
                              "対象のアカウント。1 つしかなければ省略できる"}))
      ->required();
  CLI::Option* const second =
      verify->add_option("DOMAIN", domain_.domain,
                         std::string(calls::kVerifyDomain.find("domain")->help.in(book_.language)));
  verify
      ->add_option("--account", domain_account_,
                   book_.say({"The same as ACCOUNT", "ACCOUNT と同じ"}))
      ->type_name("NAME")
      ->excludes(second);
}

void DomainWords::domain_names(CLI::App* command, const operate::Call& call) {
  book_.option(command, "ACCOUNT", domain_.account, call, "account");
  book_.option(command, "DOMAIN", domain_.domain, call, "domain");
}

}  // namespace todoku::cli
