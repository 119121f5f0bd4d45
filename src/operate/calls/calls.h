// SPDX-License-Identifier: Apache-2.0
// The operations that can be called from outside.
#pragma once

#include <array>
#include <span>

#include "operate/calls/call.h"

namespace todoku::operate::calls {

namespace arguments {
using enum Argument::Kind;

inline constexpr Argument kAccount{
    "account",
    {"Its name, which is its login id", "アカウント名（ログイン ID と同じ）"},
    text,
    true};
inline constexpr Argument kOnlyAccount{"account",
                                       {"Only of this account", "このアカウントの分だけ"}};
inline constexpr Argument kAfter{"after", {"Where the list goes on", "一覧の続きの位置"}};
inline constexpr Argument kLimit{"limit", {"At most so many", "最大件数"}, number, false, 1, 1'000};
inline constexpr Argument kOffset{
    "utc_offset_minutes",
    {"Of the times for people, east of UTC", "表示する時刻の UTC との差（分、東が正）"},
    number,
    false,
    -720,
    840};
inline constexpr Argument kWeight{
    "weight", {"Share of the engine, 1 to 1000", "エンジンを使う割合（1～1000）"}, number, false, 1,
    1'000};

inline constexpr std::int64_t kLimitMax = 1'000'000'000'000;

inline constexpr Argument kSandboxed{
    "sandbox",
    {"Of the account's sandbox, ACCOUNT.sandbox, made with the first: its mail never leaves this "
     "machine",
     "サンドボックス（ACCOUNT.sandbox、初回に作成）用にする。そのメールは外に出ない"},
    truth};

inline constexpr std::array kList{kAfter, kLimit};
inline constexpr std::array kAddAccount{
    Argument{"name", kAccount.help, text, true}, kWeight,
    Argument{"with_key", {"With an API key", "API キーも作る"}, truth},
    Argument{
        "sandbox",
        {"For trials: its mail never leaves this machine", "試験用にする。そのメールは外に出ない"},
        truth}};
inline constexpr std::array kChangeAccount{
    kAccount,
    kWeight,
    Argument{"suspended",
             {"Its requests are refused, nothing new starts",
              "リクエストを拒否し、新たな配信を始めない"},
             truth},
    Argument{"text_from_html",
             {"Its mail with HTML only gets a text part made from it",
              "HTML だけのメールにテキストパートを作って付ける"},
             truth},
    Argument{"open_tracking",
             {"Whether opening its mail's HTML is told, where api.public_url is https",
              "HTML メールの開封を記録する（api.public_url が https の場合）"},
             truth},
    Argument{"preflight",
             {"Of bulk that would not arrive, before it is committed: off, warn (tell) or enforce "
              "(refuse)",
              "届かない一括配信を確定前に調べる：off（調べない）、warn（知らせる）、"
              "enforce（拒否する）"}},
    Argument{"requests_per_minute",
             {"Requests a minute; 0: as the installation lets everybody",
              "1 分あたりのリクエスト数。0 は全体の設定どおり"},
             number,
             false,
             0,
             kLimitMax},
    Argument{"mails_per_minute",
             {"Mails of transactions a minute; 0: no limit",
              "1 分あたりのトランザクションメールの通数。0 は無制限"},
             number,
             false,
             0,
             kLimitMax},
    Argument{"mails_per_day",
             {"Mails a day of Japan's time; 0: no limit", "1 日（日本時間）の通数。0 は無制限"},
             number,
             false,
             0,
             kLimitMax},
    Argument{"mails_per_month",
             {"Mails a month of Japan's time; 0: no limit", "1 か月（日本時間）の通数。0 は無制限"},
             number,
             false,
             0,
             kLimitMax},
    Argument{"allowed_recipients",
             {"To whom alone it may send: addresses, domains, and *.domain for what is below it, "
              "with commas between; empty: to everybody",
              "送信を許可する宛先だけを、アドレス、ドメイン、*.ドメイン（その下すべて）で指定する"
              "（カンマ区切り）。空なら制限なし"},
             words}};
inline constexpr std::array kKeepFor{
    kAccount,
    Argument{"content_days",
             {"What was said is kept so many days after a delivery is over; 0: as the installation "
              "has it",
              "配信が終わってから本文を残す日数。0 は全体の設定どおり"},
             number,
             false,
             0,
             3'650},
    Argument{"story_days",
             {"Deliveries with their recipients are kept so many days; 0: as the installation has "
              "it",
              "配信とその宛先・結果を残す日数。0 は全体の設定どおり"},
             number,
             false,
             0,
             3'650}};
inline constexpr std::array kOfAccount{kAccount};
inline constexpr std::array kAddKey{
    kAccount,
    Argument{"label", {"What it is for", "用途"}},
    Argument{"scopes",
             {"What it opens: send, read, content, suppress, admin, with commas between, or ses "
              "alone; all but "
              "admin if not given",
              "できること: send、read、content、suppress、admin（カンマ区切り）、または ses "
              "だけ。省略時は admin "
              "以外のすべて"},
             words},
    Argument{"networks",
             {"From where it may be used, e.g. 192.0.2.0/24,2001:db8::/32; from anywhere if not "
              "given",
              "使えるネットワーク。例: 192.0.2.0/24,2001:db8::/32。省略時はどこからでも"},
             words},
    Argument{
        "days", {"After so many days it opens nothing", "有効な日数"}, number, false, 1, 3'660},
    kSandboxed};
inline constexpr std::array kRotateKey{
    kAccount, Argument{"id", {"As `key list` says", "`key list` に出る ID"}, number, true, 1},
    Argument{"overlap_hours",
             {"So long the old one still works; 0: not at all",
              "古いキーをあと何時間使えるようにするか。0 ならすぐに無効"},
             number,
             false,
             0,
             8'784}};
inline constexpr std::array kRevokeKey{
    kAccount, Argument{"id", {"As `key list` says", "`key list` に出る ID"}, number, true, 1}};
inline constexpr std::array kListDkim{kOnlyAccount, kAfter, kLimit};
inline constexpr Argument kDkimAccount{"account", {"Whose mail", "対象のアカウント"}, text, true};
inline constexpr Argument kDomain{
    "domain",
    {"The From domain, and those below it", "差出人のドメイン（そのサブドメインも含む）"},
    text,
    true};
inline constexpr std::array kAddDkim{
    kDkimAccount, kDomain,
    Argument{"selector", {"Name of the key in the DNS", "DNS での鍵の名前（セレクター）"}},
    Argument{"algorithm", {"rsa or ed25519", "rsa または ed25519"}},
    Argument{"private_key",
             {"The unencrypted private key in PEM, made elsewhere",
              "別の場所で作った、暗号化していない PEM 形式の秘密鍵"},
             secret}};
inline constexpr std::array kOfDkim{
    kDkimAccount, kDomain,
    Argument{
        "selector", {"Name of the key in the DNS", "DNS での鍵の名前（セレクター）"}, text, true}};
inline constexpr Argument kClaimAccount{"account", {"Whose it is", "対象のアカウント"}, text, true};
inline constexpr Argument kClaim{
    "domain",
    {"The From domain, and those below it", "差出人のドメイン（そのサブドメインも含む）"},
    text,
    true};
inline constexpr Argument kSmtpName{"name", {"The user name", "ユーザー名"}, text, true};
inline constexpr Argument kSmtpPassword{
    "password",
    {"The password; one is made if not given", "パスワード。省略時は自動で作る"},
    secret};
inline constexpr Argument kSmtpTraffic{
    "traffic",
    {"automatic (as the message looks), transactional or bulk",
     "automatic（メッセージから判断）、transactional、bulk のいずれか"}};
inline constexpr Argument kSmtpPurpose{
    "purpose",
    {"automatic, advertisement, notice or transactional",
     "automatic、advertisement、notice、transactional のいずれか"}};
inline constexpr Argument kSmtpOptions{
    "options",
    {"What its messages may say in their header: tag, purpose, send-at, expires-in, list-id, "
     "idempotency-key, reference, with commas between; none if not given",
     "メッセージのヘッダーで指定できるもの: tag、purpose、send-at、expires-in、list-id、"
     "idempotency-key、reference（カンマ区切り）。省略時はなし"},
    words};
inline constexpr Argument kSmtpNetworks{
    "networks",
    {"From where it may be used, e.g. 192.0.2.0/24,2001:db8::/32; from anywhere if not given",
     "使えるネットワーク。例: 192.0.2.0/24,2001:db8::/32。省略時はどこからでも"},
    words};
inline constexpr Argument kSmtpFrom{
    "from_address", {"The From of messages that have none", "From のないメッセージに付ける差出人"}};
inline constexpr Argument kSmtpDays{
    "days", {"After so many days it opens nothing; 0: without an end", "有効な日数。0 は無期限"},
    number, false,
    0,      3'660};
inline constexpr Argument kSmtpConnections{
    "connections_max",
    {"Connections at once; 0: no limit of its own", "同時接続数。0 は個別の上限なし"},
    number,
    false,
    0,
    100'000};
inline constexpr Argument kSmtpUid{
    "uid",
    {"The user of this machine whose `todoku sendmail` hands in by it; -1: none",
     "`todoku sendmail` でこの認証情報を使う、このマシンのユーザーの UID。-1 はなし"},
    number,
    false,
    -1,
    4'294'967'294};
inline constexpr Argument kSmtpShowClient{
    "show_client",
    {"Received tells the client's address", "Received にクライアントのアドレスを書く"},
    truth};
inline constexpr Argument kSmtpBounces{
    "bounces",
    {"Failures are returned to the sender", "配信できなかったことを差出人に知らせる"},
    truth};
inline constexpr Argument kSmtpMessages{
    "messages_per_minute",
    {"Messages a minute; 0: no limit", "1 分あたりのメッセージ数。0 は無制限"},
    number,
    false,
    0,
    10'000'000};
inline constexpr Argument kSmtpRecipients{
    "recipients_per_minute",
    {"Recipients a minute; 0: no limit", "1 分あたりの宛先の数。0 は無制限"},
    number,
    false,
    0,
    10'000'000};
inline constexpr Argument kSmtpBytes{
    "bytes_per_minute",
    {"Bytes of messages a minute; 0: no limit", "1 分あたりのメッセージのバイト数。0 は無制限"},
    number,
    false,
    0,
    1'000'000'000'000};
inline constexpr std::array kListSmtpCredentials{kOnlyAccount, kAfter, kLimit};
inline constexpr std::array kAddSmtpCredential{
    kAccount,   kSmtpName,        kSmtpTraffic, kSmtpPurpose,    kSmtpOptions,  kSmtpNetworks,
    kSmtpFrom,  kSmtpDays,        kSmtpBounces, kSmtpShowClient, kSmtpMessages, kSmtpRecipients,
    kSmtpBytes, kSmtpConnections, kSmtpUid,     kSmtpPassword,   kSandboxed};
inline constexpr std::array kChangeSmtpCredential{
    kAccount,      kSmtpName,       kSmtpTraffic, kSmtpPurpose,     kSmtpOptions,
    kSmtpNetworks, kSmtpFrom,       kSmtpDays,    kSmtpBounces,     kSmtpShowClient,
    kSmtpMessages, kSmtpRecipients, kSmtpBytes,   kSmtpConnections, kSmtpUid};
inline constexpr std::array kRotateSmtpCredential{
    kAccount, kSmtpName,
    Argument{"overlap_hours",
             {"So long the old password still works; 0: not at all",
              "古いパスワードをあと何時間使えるようにするか。0 ならすぐに無効"},
             number,
             false,
             0,
             8'760},
    kSmtpPassword};
inline constexpr std::array kOfSmtpCredential{kAccount, kSmtpName};
inline constexpr std::array kHoldSmtpCredential{
    kAccount, kSmtpName,
    Argument{"because",
             {"Why, in a few words: its clients and its owner are told",
              "理由。クライアントと持ち主に伝わる"}}};
inline constexpr std::array kDropSmtpMail{
    kAccount, kSmtpName, Argument{"from", {"Where to go on", "続きの位置"}, number, true, 0},
    Argument{"preview",
             {"Tell what would be cancelled, and cancel nothing", "取り消さずに、対象を表示する"},
             truth},
    Argument{"since",
             {"Only what was accepted then or later: 2026-04-01T09:00:00+09:00",
              "この日時以降に受け取ったものだけ。例: 2026-04-01T09:00:00+09:00"}}};
inline constexpr std::array kUnlock{
    Argument{"which",
             {"The user name, or the network or address: 192.0.2.7, 2001:db8::/64",
              "ユーザー名、またはネットワークやアドレス。例: 192.0.2.7、2001:db8::/64"},
             text,
             true}};
inline constexpr std::array kListDomains{kOnlyAccount, kAfter, kLimit};
inline constexpr std::array kAddDomain{
    kClaimAccount, kClaim,
    Argument{"proven",
             {"You stand for it: no record in the DNS is asked for",
              "運用者が保証する。DNS のレコードを求めない"},
             truth}};
inline constexpr std::array kOfDomain{kClaimAccount, kClaim};
inline constexpr std::array kConsent{
    kClaimAccount, kClaim,
    Argument{"to",
             {"The account that may have it, or domains below it, too",
              "同じドメインやそのサブドメインの登録を認めるアカウント"},
             text,
             true},
    Argument{"withdrawn", {"Takes the consent back", "同意を取り消す"}, truth}};
inline constexpr std::array kImportReports{
    kOnlyAccount, Argument{"name", {"Of the file, for who reads the answer", "ファイルの名前"}},
    Argument{"report",
             {"A report as it came, or a message that carries one",
              "届いたままのレポート、またはレポートを添付したメール"},
             text,
             true}};
inline constexpr std::array kShowReports{
    Argument{"domain",
             {"The domain; reports of those below it lie with it",
              "対象のドメイン（サブドメインの分も含む）"},
             text,
             true},
    Argument{"account",
             {"Whose domain it is; needed where several have it",
              "対象のアカウント。複数のアカウントが持つドメインでは必須"}},
    Argument{"days", {"So many days up to today", "今日までの日数"}, number, false, 1, 400}};
inline constexpr std::array kExplain{
    Argument{"address",
             {"The recipient's address, or the number of a delivery",
              "受信者のアドレス、または配信の番号"}},
    Argument{"email", {"The same", "address と同じ"}},
    Argument{"reference",
             {"The reference that the sender gave, e.g. an order number",
              "送信時に指定した参照番号（注文番号など）"}},
    Argument{"message_id",
             {"The Message-ID of the mail, or that of the message that was relayed",
              "メールの Message-ID、または中継したメッセージの Message-ID"}},
    Argument{"email_id",
             {"One mail by its number, as stories and logs name it",
              "メールの番号（説明やログに出る番号）"},
             number,
             false,
             1},
    Argument{"delivery_id",
             {"A delivery as a whole, by receiver and cause",
              "この配信全体を受信側と原因ごとにまとめる"},
             number,
             false,
             1},
    Argument{"domain",
             {"Only at the receiver that this domain's mail goes to",
              "このドメイン宛てのメールの受信側だけ"}},
    Argument{"site",
             {"Only at this receiver, e.g. docomo; other: those that are not counted by name",
              "この受信側だけ。例: docomo。other は名前ごとに数えないもの全体"}},
    Argument{
        "since",
        {"All mail from then on, by whole hours: 2026-04-01T09:00:00+09:00; by itself the last "
         "24 hours",
         "この日時以降のすべてのメール（1 時間単位）。例: 2026-04-01T09:00:00+09:00。省略時は直近 "
         "24 時間"}},
    Argument{"until", {"Up to then", "この日時まで"}},
    Argument{"account", {"Only mail of this account", "このアカウントのメールだけ"}},
    Argument{"lang", {"en or ja", "en または ja"}},
    Argument{"limit",
             {"At most so many mails, newest first, or causes (50 at most)",
              "メールの最大件数（新しい順）、または原因の最大件数（50 まで）"},
             number,
             false,
             1,
             1'000},
    kOffset};
inline constexpr std::array kListStuck{
    Argument{"limit",
             {"At most so many, since long ago first", "最大件数（古い順）"},
             number,
             false,
             1,
             1'000},
    kOffset};
inline constexpr std::array kListNodes{kOffset};
inline constexpr std::array kReleaseStuck{
    Argument{"account", {"As `stuck` says", "`stuck` に出る値"}, text, true},
    Argument{"email_id", {"As `stuck` says", "`stuck` に出る値"}, number, true, 1}};
inline constexpr Argument kListOwner{"account",
                                     {"Whose list; without: the installation's",
                                      "対象のアカウント。省略するとインストール全体のリスト"}};
inline constexpr Argument kSuppressed{
    "address", {"An address, or a domain", "アドレスまたはドメイン"}, text, true};
inline constexpr Argument kStopReason{
    "reason",
    {"hard_error, complaint, unsubscribe, manual or imported",
     "hard_error、complaint、unsubscribe、manual、imported のいずれか"}};
inline constexpr Argument kStopList{"list_id", {"Of this list", "対象のリスト"}};
inline constexpr std::array kListSuppressions{kListOwner, kAfter, kLimit};
inline constexpr std::array kExportSuppressions{kListOwner, kAfter};
inline constexpr std::array kLookSuppression{kListOwner, kSuppressed};
inline constexpr std::array kAddSuppression{
    kListOwner,
    kSuppressed,
    kStopReason,
    Argument{
        "scope",
        {"What it stops: all, advertisements or list", "止めるもの（all、advertisements、list）"}},
    kStopList,
    Argument{"note", {"Why, for who reads it later", "備考"}},
    Argument{"days", {"Until it expires", "有効日数"}, number, false, 1, 3'650}};
inline constexpr std::array kRemoveSuppression{
    kListOwner, kSuppressed, kStopReason, kStopList,
    Argument{"why", {"Needed to take back an opt-out", "配信停止を取り消すときは必須"}}};
inline constexpr std::array kImportSuppressions{
    kListOwner, Argument{"csv", {"Rows of a CSV", "CSV の行"}, text, true}};
inline constexpr Argument kPerson{
    "email", {"Whose data: an address", "対象のアドレス"}, text, true};
// For the audit; the REST API says both itself.
inline constexpr Argument kActor{"actor", {"Who asks", "依頼した人"}};
inline constexpr Argument kOrigin{"origin", {"From where", "依頼元"}};
inline constexpr Argument kWithoutCodes{
    "without_insert_codes", {"Insert codes are left out", "差し込みコードを含めない"}, truth};
inline constexpr std::array kExportPersonal{kPerson, kOnlyAccount, kAfter,
                                            kActor,  kOrigin,      kWithoutCodes};
inline constexpr std::array kErasePersonal{
    kPerson,
    kOnlyAccount,
    kAfter,
    kActor,
    kOrigin,
    Argument{"stop",
             {"What has not gone out is cancelled first, instead of being left",
              "まだ送信していないメールを、残さずに取り消す"},
             truth}};
inline constexpr std::array kOfAsker{kActor, kOrigin};
inline constexpr std::array kListPeople{
    Argument{"account",
             {"Those of this account; the operators if not given",
              "このアカウントの利用者。省略時は運用者"}}};
inline constexpr Argument kWho{"email", {"Whose: an address", "対象の人のアドレス"}, text, true};
inline constexpr std::array kInvitePerson{
    kWho,
    Argument{"account",
             {"Of which account; an operator of the installation if not given",
              "所属するアカウント。省略時はインストール全体の運用者"}},
    Argument{"role",
             {"owner, sender, viewer or support; of an operator left out",
              "owner、sender、viewer、support のどれか。運用者なら省略"}},
    Argument{"name", {"As others see it; the address if not given", "表示名。省略時はアドレス"}},
    Argument{"language", {"Of mails to it: ja or en", "その人へのメールの言語。ja または en"}},
    kActor,
    kOrigin};
inline constexpr std::array kOfPerson{kWho, kActor, kOrigin};
inline constexpr std::array kSuspendPerson{
    kWho, Argument{"suspended", {"Signs in no more", "サインインを止める"}, truth, true}, kActor,
    kOrigin};
inline constexpr Argument kProbeMailbox{
    "mailbox", {"Only this mailbox; all if not given", "このメールボックスだけ。省略時はすべて"}};
inline constexpr std::array kAskProbes{
    kProbeMailbox,
    Argument{"from",
             {"Only from this address; from all of probe.from if not given",
              "この差出人だけ。省略時は probe.from のすべて"}},
    kOffset};
inline constexpr std::array kListProbes{kProbeMailbox, kLimit, kOffset};
inline constexpr std::array kTlsReport{
    Argument{"domain", {"Only mail to this domain", "この宛先ドメインの分だけ"}},
    Argument{"days", {"So many days, with today", "今日を含む日数"}, number, false, 1, 60}, kLimit};
inline constexpr std::array kLanes{
    Argument{"site", {"Only mail to this site", "この受信側サイトの分だけ"}},
    Argument{"source", {"Only from this source", "この送信元の分だけ"}},
    Argument{"all",
             {"Also what is remembered of lanes that are not at work",
              "動いていないレーンについて覚えていることも"},
             truth},
    kLimit, kOffset};
inline constexpr std::array kRates{
    kAccount,
    Argument{"delivery_id", {"Only of this delivery", "この配信の分だけ"}, number, false, 1},
    Argument{"hours", {"Of the last so many hours", "直近の時間数"}, number, false, 1, 336}};
inline constexpr std::array kLimitRates{
    kAccount,
    Argument{"complaint_warn",
             {"Percent of complaints from which on its owner is told; 0: never; usual: as the "
              "installation",
              "苦情がこの割合（%）に達したら知らせる（0 は知らせない、usual は全体の設定）"}},
    Argument{"complaint_pause",
             {"From which on its bulk mail is paused", "この割合（%）に達したら一斉配信を止める"}},
    Argument{"complaint_minimum",
             {"Of fewer mails nothing is said", "この通数に満たないうちは判断しない"},
             number,
             false,
             1,
             100'000'000},
    Argument{"bounce_warn", {"The same for hard bounces", "ハードバウンスについて同様（警告）"}},
    Argument{"bounce_pause", {"The same for hard bounces", "ハードバウンスについて同様（停止）"}},
    Argument{"bounce_minimum",
             {"Of fewer answers nothing is said", "応答がこの通数に満たないうちは判断しない"},
             number,
             false,
             1,
             100'000'000},
    Argument{"canary_recipients",
             {"Its bulk goes to so many at each receiver first; 0: to all at once",
              "一斉配信を、まず受信側ごとにこの人数にだけ送る（0 は最初から全員）"},
             number,
             false,
             0,
             1'000'000},
    Argument{"canary_minutes",
             {"And to the rest after so long, if it went well", "問題がなければ残りを送るまでの分"},
             number,
             false,
             1,
             1'440}};
inline constexpr std::array kListAudit{
    Argument{"since",
             {"Only from then on: 2026-04-01T09:00:00+09:00",
              "この日時以降の記録だけ。例: 2026-04-01T09:00:00+09:00"}},
    Argument{"address", {"Only what was about this address", "このアドレスに関する記録だけ"}},
    Argument{"after", {"Where the list goes on", "一覧の続きの位置"}, number, false, 0}, kLimit,
    kOffset};
inline constexpr std::array kCancelWaiting{
    Argument{"from", {"Where to go on", "続きの位置"}, number, true, 0},
    Argument{"unknown",
             {"Ended as unknown: it may have been sent", "送信済みかもしれない（unknown）とする"},
             truth}};
inline constexpr std::array kFold{
    Argument{"from", {"Where to go on", "続きの位置"}, number, true, 0}};
inline constexpr std::array kAdopt{
    Argument{"send_waiting", {"What waits is sent", "送信待ちのものを送る"}, truth, true}};
}  // namespace arguments

inline constexpr Call kListAccounts{Verb::get, "/accounts", arguments::kList};
inline constexpr Call kAddAccount{Verb::post, "/accounts", arguments::kAddAccount};
inline constexpr Call kShowAccount{Verb::get, "/accounts/{account}", arguments::kOfAccount};
inline constexpr Call kChangeAccount{Verb::patch, "/accounts/{account}", arguments::kChangeAccount};
inline constexpr Call kKeepFor{Verb::patch, "/accounts/{account}/retention", arguments::kKeepFor};
inline constexpr Call kListKeys{Verb::get, "/accounts/{account}/keys", arguments::kOfAccount};
inline constexpr Call kAddKey{Verb::post, "/accounts/{account}/keys", arguments::kAddKey};
inline constexpr Call kRevokeKey{Verb::remove, "/accounts/{account}/keys/{id}",
                                 arguments::kRevokeKey};
inline constexpr Call kRotateKey{Verb::post, "/accounts/{account}/keys/{id}/rotate",
                                 arguments::kRotateKey};
inline constexpr Call kListSmtpCredentials{Verb::get, "/smtp-credentials",
                                           arguments::kListSmtpCredentials};
inline constexpr Call kShowSmtpCredential{Verb::get, "/smtp-credentials/{account}/{name}",
                                          arguments::kOfSmtpCredential};
inline constexpr Call kAddSmtpCredential{Verb::post, "/smtp-credentials",
                                         arguments::kAddSmtpCredential};
inline constexpr Call kChangeSmtpCredential{Verb::patch, "/smtp-credentials/{account}/{name}",
                                            arguments::kChangeSmtpCredential};
inline constexpr Call kRotateSmtpCredential{Verb::post, "/smtp-credentials/{account}/{name}/rotate",
                                            arguments::kRotateSmtpCredential};
inline constexpr Call kRevokeSmtpCredential{Verb::remove, "/smtp-credentials/{account}/{name}",
                                            arguments::kOfSmtpCredential};
inline constexpr Call kHoldSmtpCredential{Verb::post, "/smtp-credentials/{account}/{name}/hold",
                                          arguments::kHoldSmtpCredential};
inline constexpr Call kReleaseSmtpCredential{
    Verb::post, "/smtp-credentials/{account}/{name}/release", arguments::kOfSmtpCredential};
inline constexpr Call kDropSmtpMail{Verb::post, "/smtp-credentials/{account}/{name}/drop",
                                    arguments::kDropSmtpMail};
inline constexpr Call kListLockouts{Verb::get, "/smtp-lockouts", {}};
inline constexpr Call kUnlock{Verb::post, "/smtp-lockouts/unlock", arguments::kUnlock};
inline constexpr Call kListDkim{Verb::get, "/dkim", arguments::kListDkim};
inline constexpr Call kAddDkim{Verb::post, "/dkim", arguments::kAddDkim};
inline constexpr Call kShowDkim{Verb::get, "/dkim/{account}/{domain}/{selector}",
                                arguments::kOfDkim};
inline constexpr Call kRemoveDkim{Verb::remove, "/dkim/{account}/{domain}/{selector}",
                                  arguments::kOfDkim};
inline constexpr Call kListDomains{Verb::get, "/domains", arguments::kListDomains};
inline constexpr Call kAddDomain{Verb::post, "/domains", arguments::kAddDomain};
inline constexpr Call kVerifyDomain{Verb::post, "/domains/{account}/{domain}/verify",
                                    arguments::kOfDomain};
// What checks on the schedule found, and what has changed.
inline constexpr Call kDomainHistory{Verb::get, "/domains/{account}/{domain}/history",
                                     arguments::kOfDomain};
// The records that it needs, with what checks on the schedule saw of them.
inline constexpr Call kDomainRecords{Verb::get, "/domains/{account}/{domain}/records",
                                     arguments::kOfDomain};
// Its first keys.
inline constexpr Call kMakeDomainKeys{Verb::post, "/domains/{account}/{domain}/keys",
                                      arguments::kOfDomain};
inline constexpr Call kRemoveDomain{Verb::remove, "/domains/{account}/{domain}",
                                    arguments::kOfDomain};
// Keys that do not sign yet, and those that no longer do.
inline constexpr Call kNextKeys{Verb::get, "/domains/{account}/{domain}/next_keys",
                                arguments::kOfDomain};
inline constexpr Call kMakeNextKeys{Verb::post, "/domains/{account}/{domain}/next_keys",
                                    arguments::kOfDomain};
inline constexpr Call kBeginNextKeys{Verb::post, "/domains/{account}/{domain}/next_keys/begin",
                                     arguments::kOfDomain};
inline constexpr Call kRetireKeys{Verb::post, "/domains/{account}/{domain}/retired_keys",
                                  arguments::kOfDomain};
// Keys that rotate by themselves.
inline constexpr Call kListKeySlots{Verb::get, "/key_slots", arguments::kListDomains};
inline constexpr Call kAddKeySlots{Verb::post, "/domains/{account}/{domain}/key_slots",
                                   arguments::kOfDomain};
inline constexpr Call kRotateKeySlots{Verb::post, "/domains/{account}/{domain}/key_slots/rotate",
                                      arguments::kOfDomain};
inline constexpr Call kLookAtKeySlots{Verb::post, "/domains/{account}/{domain}/key_slots/look",
                                      arguments::kOfDomain};
inline constexpr Call kEndKeySlots{Verb::remove, "/domains/{account}/{domain}/key_slots",
                                   arguments::kOfDomain};
inline constexpr Call kConsent{Verb::post, "/domains/{account}/{domain}/consent",
                               arguments::kConsent};
inline constexpr Call kImportReports{Verb::post, "/reports", arguments::kImportReports, "report"};
inline constexpr Call kShowReports{Verb::get, "/reports/{domain}", arguments::kShowReports};
inline constexpr Call kExplain{Verb::get, "/explain", arguments::kExplain};
inline constexpr Call kListStuck{Verb::get, "/stuck", arguments::kListStuck};
inline constexpr Call kReleaseStuck{Verb::post, "/stuck/{account}/{email_id}/release",
                                    arguments::kReleaseStuck};
inline constexpr Call kReleaseAllStuck{Verb::post, "/stuck/release", {}};
inline constexpr Call kListSuppressions{Verb::get, "/suppressions", arguments::kListSuppressions};
inline constexpr Call kExportSuppressions{Verb::get, "/suppressions/export",
                                          arguments::kExportSuppressions};
inline constexpr Call kLookSuppression{Verb::get, "/suppressions/look",
                                       arguments::kLookSuppression};
inline constexpr Call kAddSuppression{Verb::post, "/suppressions", arguments::kAddSuppression};
inline constexpr Call kRemoveSuppression{Verb::post, "/suppressions/remove",
                                         arguments::kRemoveSuppression};
inline constexpr Call kImportSuppressions{Verb::post, "/suppressions/import",
                                          arguments::kImportSuppressions};
inline constexpr Call kExportPersonal{Verb::get, "/personal-data", arguments::kExportPersonal};
inline constexpr Call kErasePersonal{Verb::remove, "/personal-data", arguments::kErasePersonal};
inline constexpr Call kOperatorLink{Verb::post, "/console/operator", arguments::kOfAsker};
inline constexpr Call kListPeople{Verb::get, "/people", arguments::kListPeople};
inline constexpr Call kInvitePerson{Verb::post, "/people", arguments::kInvitePerson};
inline constexpr Call kPersonLink{Verb::post, "/people/link", arguments::kOfPerson};
inline constexpr Call kSuspendPerson{Verb::post, "/people/suspend", arguments::kSuspendPerson};
inline constexpr Call kRemovePerson{Verb::post, "/people/remove", arguments::kOfPerson};
inline constexpr Call kListAudit{Verb::get, "/audit", arguments::kListAudit};
inline constexpr Call kTlsReport{Verb::get, "/tls-report", arguments::kTlsReport};
// Probes of mailboxes: which there are, some more, what they came to.
inline constexpr Call kProbePlan{Verb::get, "/probes/plan", {}};
inline constexpr Call kAskProbes{Verb::post, "/probes", arguments::kAskProbes};
inline constexpr Call kListProbes{Verb::get, "/probes", arguments::kListProbes};
inline constexpr Call kSources{Verb::get, "/sources", {}};
inline constexpr Call kLanes{Verb::get, "/lanes", arguments::kLanes};
inline constexpr Call kRates{Verb::get, "/rates", arguments::kRates};
inline constexpr Call kLimitRates{Verb::post, "/rates/limits", arguments::kLimitRates};
inline constexpr Call kListNodes{Verb::get, "/nodes", arguments::kListNodes};
inline constexpr Call kCluster{Verb::get, "/cluster", {}};
inline constexpr Call kWaiting{Verb::get, "/cluster/waiting", {}};
inline constexpr Call kCancelWaiting{Verb::post, "/cluster/cancel", arguments::kCancelWaiting};
inline constexpr Call kFold{Verb::post, "/cluster/fold", arguments::kFold};
inline constexpr Call kAdopt{Verb::post, "/cluster/adopt", arguments::kAdopt};
inline constexpr Call kStatus{Verb::get, "/status", {}};
inline constexpr Call kDrain{Verb::post, "/drain", {}};

}  // namespace todoku::operate::calls
