// SPDX-License-Identifier: Apache-2.0
// The words themselves, by cause. A rule with a state or a stage stands before the one without.
#include "explain/advice_table.h"

#include <array>

namespace todoku::explain {
namespace {

using enum RecipientState;

constexpr std::array kRules = {
    // -- our own doing
    AdviceRule{.cause = Cause::too_large,
               .advice = {{"It was not sent: what its insert codes put in makes it larger than "
                           "limits.message_bytes_max.",
                           "差し込みコードの値を入れると limits.message_bytes_max "
                           "を超えるため、送信していません。"},
                          {"Send this recipient shorter values, or raise limits.message_bytes_max "
                           "and send the mail again.",
                           "この宛先の値を短くするか、limits.message_bytes_max "
                           "を上げて、送り直してください。"}}},
    // -- states that need no reason
    AdviceRule{.state = delivered,
               .advice = {{"The receiving server accepted the mail and took responsibility for it.",
                           "受信側サーバーがメールを受け取り、責任を引き継ぎました。"},
                          {"If it is not in the inbox, look in the spam folder and ask the "
                           "receiving side to search for it with the words of the answer above.",
                           "受信箱に見当たらないときは迷惑メールフォルダーを確かめ、上の応答の文言"
                           "を伝えて受信側に調べてもらってください。"}}},
    AdviceRule{
        .state = unknown,
        .advice = {{"The connection or our engine ended before the receiver's answer was "
                    "known: it may have arrived or not.",
                    "受信側の応答が分かる前に、接続またはエンジンが終了しました。届いたかどうか"
                    "分かりません。"},
                   {"It is not sent again by itself: its delivery was stopped, or asked for "
                    "at most one copy. Ask the recipient before sending it anew.",
                    "停止された配信、または二重に送らない指定の配信なので、自動では再送しま"
                    "せん。受信者に確かめてから送り直してください。"}}},
    AdviceRule{
        .state = dropped,
        .advice = {{"It was not tried, because this address is on the suppression list.",
                    "このアドレスは配信停止リストにあるため、送信していません。"},
                   {"`todoku suppression look ADDRESS --account ACCOUNT` tells why and until "
                    "when. Take an entry off (`suppression remove`) only if the address is "
                    "known to work again; who unsubscribed or complained must have asked "
                    "for mail anew.",
                    "理由と期限は `todoku suppression look ADDRESS --account ACCOUNT` "
                    "で確認できます。解除（`suppression remove`）は、届くことが確かな場合だけ"
                    "にしてください。配信停止の申し出や苦情の場合は、本人が改めて希望した"
                    "ときに限ります。"}}},
    AdviceRule{.state = cancelled,
               .advice = {{"It was withdrawn before it was sent.", "送信前に取り消されました。"},
                          {"Nothing.", "必要な対応はありません。"}}},
    AdviceRule{
        .cause = Cause::key_missing,
        .state = expired,
        .advice =
            {{"Its time ran out while the signing key that it goes out with, named above, was "
              "not there. It is no fault of the receiver.",
              "上に示した署名鍵がないまま期限が過ぎました。受信側の問題ではありません。"},
             {"Put the key back (`todoku dkim import`) or set up another one, then send the "
              "mail again.",
              "鍵を `todoku dkim import` "
              "で戻すか別の鍵を用意してから、送り直してください。"}}},
    AdviceRule{
        .cause = Cause::in_doubt,
        .state = expired,
        .advice = {{"The connection broke after the mail was written and before the answer came: "
                    "it may have arrived or not. Its time is over, so it is not sent again.",
                    "メールを送り終えたあと、応答が届く前に接続が切れました。届いたかどうか分かりま"
                    "せん。期限が過ぎるため、再送しません。"},
                   {"Ask the recipient before sending it anew.",
                    "受信者に確かめてから送り直してください。"}}},
    AdviceRule{
        .cause = Cause::garbled_in_doubt,
        .state = expired,
        .advice = {{"The receiver's server said something that is no SMTP, or that has no place in "
                    "it, after the mail was written: it may have arrived or not. Its time is over, "
                    "so it is not sent again.",
                    "メールを送り終えたあと、受信側サーバーが SMTP として正しくない応答をしました。"
                    "届いたかどうか分かりません。期限が過ぎるため、再送しません。"},
                   {"Ask the recipient before sending it anew.",
                    "受信者に確かめてから送り直してください。"}}},
    AdviceRule{
        .state = expired,
        .stage = Stage::none,
        .advice = {{"Its time ran out before it could be delivered.",
                    "配送できないまま期限が過ぎました。"},
                   {"The attempts before tell the reason. Once it is solved, send the mail again.",
                    "原因はそれまでの試行の記録にあります。解消してから送り直してください。"}}},
    AdviceRule{
        .cause = Cause::out_of_time,
        .advice = {{"Its time ran out in the middle of the dialogue.",
                    "やり取りの途中で期限が過ぎました。"},
                   {"The attempts before tell the reason. Once it is solved, send the mail again.",
                    "原因はそれまでの試行の記録にあります。解消してから送り直してください。"}}},
    // -- ours
    AdviceRule{
        .cause = Cause::key_missing,
        .advice = {{"The signing key that this delivery goes out with is not there, so the mail "
                    "could not be made. It is no fault of the receiver, and no attempt is used up.",
                    "この配信の署名に使う鍵がないため、メールを作れませんでした。受信側の問題ではな"
                    "く、試行回数にも数えません。"},
                   {"Put the key back by `todoku dkim import`, if you have a copy of it: one that "
                    "was made by `todoku dkim generate` cannot come back once it is removed. Then "
                    "make another one and send the delivery anew.",
                    "鍵の控えがあれば `todoku dkim import` で戻してください。`todoku dkim "
                    "generate` で作った鍵は、削除すると戻せません。その場合は別の鍵を作り、配信し直"
                    "してください。"},
                   {"It is tried every 15 minutes until its time is up, and goes out by itself "
                    "once the key is there.",
                    "期限まで 15 分ごとに試し、鍵が戻れば自動で送信します。"}}},
    AdviceRule{
        .cause = Cause::content_unreadable,
        .advice = {{"The stored content of this delivery cannot be read, so the mail could not be "
                    "made. It is no fault of the receiver, and no attempt is used up.",
                    "保存してある配信の内容を読めないため、メールを作れませんでした。受信側の問題で"
                    "はなく、試行回数にも数えません。"},
                   {"Restore the database from a backup, or send the delivery anew. The log has "
                    "the reason.",
                    "データベースをバックアップから戻すか、配信し直してください。理由はログにありま"
                    "す。"}}},
    AdviceRule{.cause = Cause::cannot_compose,
               .advice = {{"We could not make the mail, for the reason above. It is no fault of "
                           "the receiver, and no attempt is used up.",
                           "上の理由により、当方でメールを作れませんでした。受信側の問題ではなく、"
                           "試行回数にも数えません。"},
                          {"Mend the reason, which is also in the log. If a signing key is gone, "
                           "put it back: `todoku dkim import`.",
                           "理由を取り除いてください（ログにもあります）。署名鍵がないときは "
                           "`todoku dkim import` で戻してください。"},
                          {"It is tried every 15 minutes until its time is up, and goes out by "
                           "itself once the reason is mended.",
                           "期限まで 15 分ごとに試し、直れば自動で送信します。"}}},
    AdviceRule{
        .cause = Cause::set_aside,
        .advice =
            {{"The engine died again and again with this mail alone in hand, so it was set aside "
              "for the others to go on. Unless the process was killed from outside it is a bug of "
              "ours; it is no fault of the receiver.",
              "このメールだけを扱っている間にエンジンが繰り返し異常終了したため、ほかのメールの送信"
              "を続けられるよう隔離しました。外部から強制終了されたのでなければ当方の不具合です。受"
              "信側の問題ではありません。"},
             {"Report it to the maintainers with the log and the core of the process. While "
              "`todoku stuck` lists it nothing is sent; `todoku stuck release` has it tried again.",
              "プロセスのログとコアダンプを添えて開発元に知らせてください。`todoku stuck` "
              "の一覧にある間は送信しません。`todoku stuck release` "
              "で隔離を解除すると、また送信します。"}}},
    AdviceRule{
        .cause = Cause::engine_failure,
        .advice =
            {{"A failure of the engine itself ended the attempt. It is no fault of the receiver.",
              "エンジン自身の不具合で試行が終わりました。受信側の問題ではありません。"},
             {"Report it to the maintainers with the log, which has the failure.",
              "不具合の記録がログにあるので、それを添えて開発元に知らせてください。"},
             {"It is tried again.", "このメールは再送します。"}}},
    AdviceRule{.cause = Cause::stopping,
               .advice = {{"The engine was stopped while it talked with the receiver, so we broke "
                           "off. It is no fault of the receiver, and no attempt is used up.",
                           "やり取りの途中でエンジンを停止したため、当方から打ち切りました。受信側"
                           "の問題ではなく、試行回数にも数えません。"},
                          {"Nothing.", "いまは対応不要です。"},
                          {"It is tried again once the engine runs.",
                           "エンジンが動けば、また試します。"}}},
    AdviceRule{
        .cause = Cause::put_back,
        .advice =
            {{"It was put back to wait for its turn. It is no fault of the receiver, and no "
              "attempt is used up.",
              "順番を待つため、いったん戻しました。受信側の問題ではなく、試行回数にも数えません。"},
             {"Nothing for now.", "いまは対応不要です。"}}},
    AdviceRule{
        .cause = Cause::own_shortage,
        .advice =
            {{"This machine had no file, port or memory left for the connection, or not the "
              "address to send from. It is no fault of the receiver, and no attempt is used up.",
              "接続に使うファイル、ポート、メモリーのどれかがこのマシンで足りなかったか、送信元アド"
              "レスがこのマシンにありませんでした。受信側の問題ではなく、試行回数にも数えません。"},
             {"See the log for what is short: raise the limit of open files (`ulimit -n`), or "
              "lower smtp_out.connections_max.",
              "何が足りないかはログにあります。開けるファイルの上限（`ulimit "
              "-n`）を上げるか、smtp_out.connections_max を下げてください。"}}},
    // -- what the DNS said
    AdviceRule{.cause = Cause::null_mx,
               .advice = {{"The domain says that it takes no mail (null MX).",
                           "そのドメインはメールを受け取らないと宣言しています（null MX）。"},
                          {"Remove the address from the list.", "宛先から外してください。"}}},
    AdviceRule{.cause = Cause::points_to_ourselves,
               .advice = {{"The domain's mail servers are this installation itself.",
                           "そのドメインのメールサーバーは、この環境自身を指しています。"},
                          {"The domain's owner must correct its MX records; if this machine takes "
                           "mail for it, that mail must not be sent through here.",
                           "ドメインの管理者に MX "
                           "レコードを直してもらってください。このマシンがそのドメインのメールを受"
                           "け取っているなら、ここからは送れません。"}}},
    AdviceRule{
        .cause = Cause::no_such_domain,
        .advice = {{"The domain does not exist, or it has no mail server that may be used.",
                    "ドメインが存在しないか、使えるメールサーバーがありません。"},
                   {"Look for a typing mistake in the address; else remove it from the list.",
                    "アドレスの打ち間違いを確かめ、なければ宛先から外してください。"}}},
    AdviceRule{
        .cause = Cause::resolver_doubted,
        .advice =
            {{"Our own resolver denies names that exist, invents names that do not, or does not "
              "answer, so nothing is known of the domain yet. It is no fault of the receiver.",
              "当方の DNS "
              "リゾルバーが、存在する名前を存在しないと答えるか、存在しない名前に答えるか、応答しま"
              "せん。そのためドメインのことはまだ何も分かりません。受信側の問題ではありません。"},
             {"Mend or replace the name servers that dns.servers names (/etc/resolv.conf if it "
              "names none). In a network without the public DNS name zones that exist there in "
              "dns.check_names.",
              "dns.servers の DNS サーバー（空なら /etc/resolv.conf "
              "のもの）を直すか取り替えてください。公開の DNS "
              "がないネットワークでは、そこに存在するゾーンを dns.check_names "
              "に書いてください。"},
             {"Once they are, the mail goes out by itself soon after.",
              "直ればほどなく自動で送信します。"}}},
    AdviceRule{
        .cause = Cause::dns_failed,
        .advice =
            {{"The domain could not be looked up: its name servers, or ours, did not answer.",
              "ドメインを調べられませんでした。相手または当方の DNS サーバーが応答しません。"},
             {"Nothing for one domain. If many are affected, check the resolver of this machine "
              "(dns.servers).",
              "1 つのドメインだけなら対応は不要です。多くのドメインで起きているなら、このマシンの "
              "DNS リゾルバー（dns.servers）を確かめてください。"}}},
    AdviceRule{
        .cause = Cause::unusable_mx,
        .advice =
            {{"The domain's mail servers (MX) lead to nobody whom we may connect to: to private or "
              "reserved addresses or this machine, or they have an IP address where a name "
              "belongs. "
              "Its records are wrong, or it is a receiver of your own network.",
              "ドメインのメールサーバー（MX）が、プライベートや予約済みのアドレス、このマシン自身な"
              "ど接続してはならない先を指しているか、ホスト名の代わりに IP "
              "アドレスなどを書いています。ドメインの設定の誤りか、社内の受信側です。"},
             {"Tell the domain's owner. If the receiver is in your own network and the words "
              "above name allow_private_receivers, set smtp_out.allow_private_receivers.",
              "ドメインの管理者に知らせてください。社内の受信側で、上の文言に "
              "allow_private_receivers とあれば、smtp_out.allow_private_receivers "
              "を設定してください。"},
             {"The mail is tried again meanwhile.", "その間も再送します。"}}},
    AdviceRule{
        .cause = Cause::ipv6_only,
        .advice =
            {{"The receiver has addresses of one IP version only, and the source that sends has "
              "the other one.",
              "受信側のアドレスは IPv4 か IPv6 の一方だけで、送信元にはもう一方しかありません。"},
             {"Give the source an address of that version ([[egress]]), if this machine has one.",
              "このマシンにそのバージョンのアドレスがあれば、送信元（[[egress]]"
              "）に加えてください。"}}},
    AdviceRule{
        .cause = Cause::no_route,
        .state = bounced,
        .advice = {{"Mail is not sent to an address literal such as user@[192.0.2.1].",
                    "user@[192.0.2.1] のような、IP アドレスを直接書いた宛先には送りません。"},
                   {"Use an address with a domain name.",
                    "ドメイン名のアドレスを使ってください。"}}},
    AdviceRule{.cause = Cause::no_route,
               .advice = {{"There is no source or route of ours to reach the receiver by.",
                           "受信側に届ける送信元または経路がありません。"},
                          {"Check the sources ([[egress]]).",
                           "送信元の設定（[[egress]]）を確かめてください。"}}},
    // -- what the network did
    AdviceRule{
        .cause = Cause::unreachable,
        .advice =
            {{"No server of the receiver could be connected to.",
              "受信側のどのサーバーにも接続できませんでした。"},
             {"Nothing for one receiver. If many are affected, check that this machine may open "
              "connections to port 25: many networks block it.",
              "1 "
              "つの受信側だけなら対応は不要です。多くの受信側で起きているなら、このマシンからポート"
              " 25 へ接続できるか確かめてください（多くのネットワークで塞がれています）。"}}},
    AdviceRule{
        .cause = Cause::in_doubt,
        .advice = {{"The connection broke after the mail was written and before the answer came: "
                    "it may have arrived or not.",
                    "メールを送り終えたあと、応答が届く前に接続が切れました。届いたかどうか分かりま"
                    "せん。"},
                   {"Nothing for now.", "いまは対応不要です。"},
                   {"It is sent again, so it may arrive twice.",
                    "再送するので、二重に届くことがあります。"}}},
    AdviceRule{
        .cause = Cause::garbled_in_doubt,
        .advice =
            {{"The receiver's server said something that is no SMTP, or that has no place in it, "
              "after the mail was written: it may have arrived or not.",
              "メールを送り終えたあと、受信側サーバーが SMTP "
              "として正しくない応答をしました。届いたかどうか分かりません。"},
             {"Tell the receiver's postmaster the words above.",
              "上の文言を受信側の管理者に知らせてください。"},
             {"It is sent again, so it may arrive twice.",
              "再送するので、二重に届くことがあります。"}}},
    AdviceRule{
        .cause = Cause::garbled,
        .advice =
            {{"The receiver's server said something that is no SMTP, or that has no place in it, "
              "so we broke off.",
              "受信側サーバーが SMTP として正しくない応答をしたため、打ち切りました。"},
             {"Nothing on our side. If it lasts, tell the receiver's postmaster the words above.",
              "当方での対応は不要です。続くなら、上の文言を受信側の管理者に知らせてください。"},
             {"It is tried again.", "再送します。"}}},
    AdviceRule{.cause = Cause::connection_lost,
               .stage = Stage::data,
               .advice = {{"The connection broke while the mail was being handed over.",
                           "メールを渡している途中で接続が切れました。"},
                          {"Nothing for now. If it happens again and again, the mail may be too "
                           "large for the way there.",
                           "いまは対応不要です。何度も続くなら、通信経路の都合で大きなメールが通ら"
                           "ないのかもしれません。"}}},
    AdviceRule{
        .cause = Cause::silence,
        .stage = Stage::data,
        .advice = {{"The receiver's server stopped answering while the mail was being handed over.",
                    "メールを渡している途中で、受信側サーバーが応答しなくなりました。"},
                   {"Nothing for now. If it happens again and again, the mail may be too large for "
                    "the way there.",
                    "いまは対応不要です。何度も続くなら、通信経路の都合で大きなメールが通らないのか"
                    "もしれません。"}}},
    AdviceRule{
        .cause = Cause::connection_lost,
        .advice =
            {{"The receiver's server closed or lost the connection in the middle of the dialogue.",
              "受信側サーバーとの接続が、やり取りの途中で切れました。"},
             {"Nothing for now.", "いまは対応不要です。"}}},
    AdviceRule{.cause = Cause::silence,
               .advice = {{"The receiver's server stopped answering in the middle of the dialogue.",
                           "受信側サーバーがやり取りの途中で応答しなくなりました。"},
                          {"Nothing for now.", "いまは対応不要です。"}}},
    AdviceRule{.cause = Cause::tls_failed,
               .advice = {{"The encrypted connection could not be set up.",
                           "暗号化した接続を確立できませんでした。"},
                          {"If this site requires TLS by your rules, its certificate must become "
                           "valid, or the rule must be relaxed.",
                           "このサイトに TLS "
                           "を必須とする設定をしているなら、相手の証明書が正しくなるのを待つか、設"
                           "定を緩めてください。"}}},
    AdviceRule{
        .cause = Cause::dane_failed,
        .advice =
            {{"The receiver publishes in the signed DNS (TLSA records, DANE) which certificate its "
              "mail server has, and the server did not show that one. Usually the certificate was "
              "renewed and the records were not; it could also be somebody in between.",
              "受信側は、署名された DNS（TLSA レコード、DANE）でメールサーバーの証明書を公開してい"
              "ますが、サーバーの証明書がそれと一致しません。多くは、証明書の更新に合わせて TLSA "
              "レコードを直していないためです。通信経路への割り込みの可能性もあります。"},
             {"Tell the receiver's postmaster: the TLSA records at _25._tcp of the mail host have "
              "to "
              "fit its certificate. Only if you know that it is their mistake and the mail cannot "
              "wait: `dane = false` for the site ([sites.*]).",
              "受信側の管理者に、メールサーバーの _25._tcp の TLSA "
              "レコードが証明書と合っていないと伝えてください。相手の誤りと確認でき、待てない場合に"
              "限り、サイトの設定（[sites.*]）で `dane = false` にします。"},
             {"The mail is tried again.", "メールは再送します。"}}},
    AdviceRule{
        .cause = Cause::tlsa_not_answered,
        .advice =
            {{"The receiver's DNS zone is signed, and its name servers did not say, or not with a "
              "valid signature, whether its mail server has TLSA records (DANE). Until they do, "
              "the "
              "server is not used: otherwise whoever holds back the answer could read the mail.",
              "受信側の DNS ゾーンは署名されていますが、メールサーバーの TLSA "
              "レコード（DANE）の有無"
              "について、正しい署名の付いた応答が得られません。応答を妨げてメールを盗み見られるのを"
              "防ぐため、応答が得られるまでそのサーバーには送りません。"},
             {"Tell the receiver's DNS operator: questions for TLSA records at _25._tcp of the "
              "mail "
              "host fail. If all receivers with signed zones fail, look at your own resolver: "
              "`todoku doctor`.",
              "受信側の DNS 管理者に、メールサーバーの _25._tcp の TLSA の問い合わせが失敗すると"
              "伝えてください。署名された宛先すべてで失敗するなら、自分のリゾルバーを確認してくださ"
              "い"
              "（`todoku doctor`）。"},
             {"The mail is tried again.", "メールは再送します。"}}},
    AdviceRule{
        .cause = Cause::no_tls_offered,
        .advice =
            {{"Your rules require an encrypted connection (TLS) for this site, and the receiver "
              "does not offer it.",
              "設定でこのサイトに暗号化した接続（TLS）を必須としていますが、受信側が対応していませ"
              "ん。"},
             {"Wait until the receiver offers TLS, or relax the rule: `tls` in [sites.*].",
              "受信側が TLS に対応するのを待つか、設定（[sites.*] の `tls`）を緩めてください。"}}},
    AdviceRule{
        .cause = Cause::tls_switched_off,
        .advice =
            {{"The receiver takes mail only over an encrypted connection (TLS), which your rules "
              "switch off for this site.",
              "受信側は暗号化した接続（TLS）でしかメールを受け取りませんが、設定でこのサイトへの "
              "TLS を切っています。"},
             {"Remove `tls = \"none\"` from the site's rule ([sites.*]).",
              "サイトの設定（[sites.*]）から `tls = \"none\"` を外してください。"},
             {"The mail is tried again.", "メールは再送します。"}}},
    AdviceRule{.cause = Cause::tls_required,
               .advice = {{"The receiver takes mail only over an encrypted connection (TLS), and "
                           "none could be set up.",
                           "受信側は暗号化した接続（TLS）でしかメールを受け取らず、その接続を確立で"
                           "きませんでした。"},
                          {"If it lasts, tell the receiver's postmaster why TLS failed, as the "
                           "answer above says.",
                           "続くなら、上の応答にある TLS "
                           "失敗の理由を受信側の管理者に知らせてください。"},
                          {"The mail is tried again.", "メールは再送します。"}}},
    // -- what the receiver cannot do
    AdviceRule{
        .cause = Cause::over_size_limit,
        .advice =
            {{"The mail is larger than the receiver takes, as its server said before it was sent.",
              "メールが受信側の上限より大きすぎます（送信前に、受信側サーバーが上限を告げました）"
              "。"},
             {"Send smaller attachments, or a link instead.",
              "添付を小さくするか、リンクに替えてください。"}}},
    AdviceRule{.cause = Cause::size,
               .advice = {{"The mail is larger than the receiver takes.",
                           "メールが受信側の上限より大きすぎます。"},
                          {"Send smaller attachments, or a link instead.",
                           "添付を小さくするか、リンクに替えてください。"}}},
    AdviceRule{
        .cause = Cause::no_smtputf8,
        .advice =
            {{"The receiver does not take mail for addresses beyond ASCII (SMTPUTF8).",
              "受信側が、ASCII 以外の文字を含むアドレス宛のメール（SMTPUTF8）に対応していません。"},
             {"Use an address in ASCII.", "ASCII だけのアドレスを使ってください。"}}},
    AdviceRule{
        .cause = Cause::no_8bitmime,
        .advice = {{"The receiver does not take content with 8-bit octets (8BITMIME).",
                    "受信側が、8 ビット文字を含む内容（8BITMIME）に対応していません。"},
                   {"Send the content in a 7-bit encoding (quoted-printable or base64).",
                    "内容を 7 ビットの形式（quoted-printable か base64）にして送ってください。"}}},
    AdviceRule{.cause = Cause::long_lines,
               .advice = {{"The message has lines of over 998 octets, which SMTP does not carry.",
                           "メッセージに 998 オクテットを超える行があり、SMTP では送れません。"},
                          {"Encode it (quoted-printable or base64) before it is signed.",
                           "署名する前に quoted-printable か base64 で符号化してください。"}}},
    AdviceRule{.cause = Cause::form,
               .advice = {{"The receiver cannot handle the form of the content.",
                           "受信側が内容の形式を扱えません。"},
                          {"Try plain text in UTF-8 without attachments.",
                           "添付のない UTF-8 のテキストで試してください。"}}},
    // -- the address
    AdviceRule{
        .cause = Cause::mailbox,
        .state = deferred,
        .advice =
            {{"The receiver does not know this mailbox, or cannot tell yet whether it exists.",
              "受信側にこのメールボックスがないか、あるかどうかをまだ確かめられません。"},
             {"Nothing for now; check the address for typing mistakes.",
              "いまは対応不要です。アドレスの打ち間違いがないか確かめてください。"}}},
    AdviceRule{
        .cause = Cause::mailbox,
        .advice =
            {{"There is no such mailbox.", "そのメールボックスは存在しません。"},
             {"Remove the address from the list, or correct it: mail to dead addresses harms the "
              "sender's reputation.",
              "宛先から外すか訂正してください。存在しないアドレスへの送信は、送信元の評価を下げます"
              "。"}}},
    AdviceRule{
        .cause = Cause::mailbox_full,
        .advice = {{"The recipient's mailbox is full.", "受信者のメールボックスがいっぱいです。"},
                   {"Only the recipient can make room; reach them another way if it is urgent.",
                    "空けられるのは受信者だけです。急ぐ場合は別の手段で連絡してください。"}}},
    AdviceRule{.cause = Cause::mailbox_disabled,
               .advice = {{"The mailbox exists but is disabled.",
                           "メールボックスは存在しますが、停止されています。"},
                          {"Remove the address unless the recipient says that it works again.",
                           "使えるようになったと分かるまで、宛先から外してください。"}}},
    AdviceRule{
        .cause = Cause::mailbox_busy,
        .advice = {{"So much mail comes to this mailbox that the receiver takes no more just now.",
                    "このメールボックスにメールが集中しているため、受信側がいまは受け取りません。"},
                   {"Nothing.", "いまは対応不要です。"},
                   {"A later attempt usually succeeds.", "あとの試行でたいてい成功します。"}}},
    AdviceRule{.cause = Cause::bad_address,
               .advice = {{"The receiver cannot read the address.",
                           "受信側がアドレスを解釈できませんでした。"},
                          {"Check the address for stray characters.",
                           "アドレスに余計な文字がないか確かめてください。"}}},
    AdviceRule{.cause = Cause::moved,
               .advice = {{"The recipient has moved and left no address.",
                           "受信者のアドレスは変わっており、転送先は登録されていません。"},
                          {"Ask the recipient for the new address.",
                           "受信者に新しいアドレスを確かめてください。"}}},
    AdviceRule{.cause = Cause::loop,
               .advice = {{"The receiver found that the mail goes round in a circle.",
                           "受信側が、メールがループしていると判断しました。"},
                          {"The recipient's forwarding has to be repaired.",
                           "受信者の転送設定を直してもらう必要があります。"}}},
    AdviceRule{
        .cause = Cause::relay,
        .advice = {{"The host that takes the mail of this domain does not accept the domain.",
                    "そのドメインのメールを受け取るはずのホストが、そのドメインを扱っていません。"},
                   {"Check the part after the @. If it is right, the domain's owner must correct "
                    "its MX records.",
                    "@ より後ろを確かめてください。正しければ、ドメインの管理者に MX "
                    "レコードを直してもらう必要があります。"}}},
    // -- at its pace
    AdviceRule{
        .cause = Cause::greylist,
        .advice =
            {{"The receiver refuses first attempts on purpose and takes a later one (greylisting).",
              "受信側は、初めての送信をわざと断り、あとの再送で受け取ります（グレイリスト）。"},
             {"Nothing.", "いまは対応不要です。"},
             {"A later attempt usually succeeds.", "あとの試行でたいてい成功します。"}}},
    AdviceRule{
        .cause = Cause::unsolicited,
        .advice =
            {{"The receiver trusts our address or domain too little for so much mail: some of its "
              "users call it unwanted, or it does not know us yet.",
              "受信側での当方の IP "
              "アドレスまたはドメインの評価（レピュテーション）が、送信量に見合っていません。迷惑メ"
              "ールと報告した受信者がいるか、まだ送信実績が足りません。"},
             {"Send less, first to those who read it, and let the amount grow over days "
              "(messages_per_second in [sites.*]); see that it can be unsubscribed from; look at "
              "what Postmaster Tools of the receiver say.",
              "よく読まれている宛先から少量ずつ送り、数日かけて増やしてください（[sites.*] の "
              "messages_per_second）。受信者が配信停止できることを確かめ、受信側の Postmaster "
              "Tools で評価を調べてください。"},
             {"It is tried again later than usual.", "通常より間を空けて再送します。"}}},
    AdviceRule{.cause = Cause::rate,
               .state = bounced,
               .advice = {{"The receiver sees more mail from us than it wants.",
                           "受信側が許容する量を超えてメールを送っています。"},
                          {"Send less to this site for some days and lower its pace "
                           "(messages_per_second in [sites.*]).",
                           "数日は通数を減らし、このサイトへの送信速度（[sites.*] の "
                           "messages_per_second）を下げてください。"}}},
    AdviceRule{
        .cause = Cause::rate,
        .advice = {{"The receiver takes mail from us more slowly than we send.",
                    "受信側が受け取る速さを超えて送っています。"},
                   {"Nothing for now. If it goes on, lower the site's pace (messages_per_second in "
                    "[sites.*]).",
                    "いまは対応不要です。続くようなら、このサイトへの送信速度（[sites.*] の "
                    "messages_per_second）を下げてください。"},
                   {"It is tried again later than usual.", "通常より間を空けて再送します。"}}},
    AdviceRule{.cause = Cause::too_many_recipients,
               .advice = {{"The receiver takes no more recipients at once.",
                           "一度に送った宛先の数が、受信側の上限を超えました。"},
                          {"Nothing.", "いまは対応不要です。"},
                          {"It is tried again.", "再送します。"}}},
    // -- who we are
    AdviceRule{
        .cause = Cause::reputation,
        .advice =
            {{"The sending address is on a blocklist that the receiver uses, or has a bad name "
              "there.",
              "送信元の IP "
              "アドレスが、受信側の使うブロックリストに載っているか、受信側での評価が低くなっていま"
              "す。"},
             {"Find the list named in the answer, see why the address is listed, stop the cause, "
              "then ask for removal.",
              "応答にあるリストで掲載の理由を調べ、原因を止めてから解除を申請してください。"}}},
    AdviceRule{.cause = Cause::dmarc,
               .advice = {{"The mail failed the sender domain's DMARC policy.",
                           "送信元ドメインの DMARC に適合しませんでした。"},
                          {"The From domain needs a DKIM signature of its own, or an SPF record "
                           "that allows this sender: `todoku dkim generate`.",
                           "From のドメイン自身の DKIM 署名か、この送信元を許可する SPF "
                           "レコードが必要です: `todoku dkim generate`"}}},
    AdviceRule{
        .cause = Cause::authentication,
        .is_signed = true,
        .advice =
            {{"Neither SPF nor DKIM proves to the receiver that the mail is from the From domain, "
              "although it was signed with the key named above.",
              "上に示した鍵で署名しましたが、受信側では SPF でも DKIM でも、From "
              "のドメインからのメールだと確かめられませんでした。"},
             {"See that the key is of the From domain and that what the DNS says of it is what "
              "`todoku dkim list` shows; it may be missing, cut short or an older one.",
              "鍵が From のドメインのものか、DNS の公開鍵が `todoku dkim list` "
              "の表示と同じかを確かめてください（未登録、途中で切れている、古いままなど）。"}}},
    AdviceRule{
        .cause = Cause::authentication,
        .advice =
            {{"Neither SPF nor DKIM proves that the mail is from the From domain.",
              "SPF でも DKIM でも、From のドメインからのメールだと証明できません。"},
             {"Sign with a DKIM key of the From domain and publish it: `todoku dkim generate`.",
              "From のドメインの DKIM 鍵を作り、DNS に登録してください: `todoku dkim generate`"}}},
    AdviceRule{.cause = Cause::dkim,
               .advice = {{"The receiver asks for a valid DKIM signature and found none.",
                           "受信側が求める有効な DKIM 署名がありません。"},
                          {"Publish the key and check it: `todoku dkim list`.",
                           "公開鍵を DNS に登録し、確かめてください: `todoku dkim list`"}}},
    AdviceRule{
        .cause = Cause::spf,
        .advice =
            {{"SPF does not allow this machine to send for the return path's domain.",
              "Return-Path（MAIL FROM）のドメインの SPF "
              "が、このマシンからの送信を許可していません。"},
             {"Add the sending addresses to the SPF record of smtp_out.return_path_domain.",
              "smtp_out.return_path_domain の SPF レコードに送信元アドレスを加えてください。"}}},
    AdviceRule{
        .cause = Cause::reverse_dns,
        .advice =
            {{"The sending address has no matching reverse DNS entry.",
              "送信元 IP アドレスの逆引きが正しく設定されていません。"},
             {"Have the owner of the IP address set a PTR record that names the EHLO name, and "
              "make that name resolve back to the address.",
              "IP アドレスの管理元に、EHLO の名前を指す PTR "
              "レコードの設定を依頼し、その名前が同じアドレスに正引きできるようにしてください。"}}},
    AdviceRule{
        .cause = Cause::hello_name,
        .advice =
            {{"The receiver does not like the name that we introduce ourselves with.",
              "受信側が、当方が EHLO で名乗る名前を受け付けません。"},
             {"Set smtp_out.hello_name to a name that resolves to the sending address, and back.",
              "smtp_out.hello_name "
              "を、送信元アドレスと正引き・逆引きで対応する名前にしてください。"}}},
    AdviceRule{
        .cause = Cause::sender_address,
        .advice = {{"The receiver does not accept the sender's address (MAIL FROM): its domain "
                    "cannot be looked up, or cannot take mail back.",
                    "受信側が差出人（MAIL "
                    "FROM）のアドレスを受け付けません。そのドメインを調べられないか、返送メールを受"
                    "け取れないドメインだからです。"},
                   {"Give smtp_out.return_path_domain an MX or address record, and no null MX.",
                    "smtp_out.return_path_domain に MX レコードかアドレスを設定し、null MX "
                    "にはしないでください。"}}},
    AdviceRule{.cause = Cause::client_auth,
               .advice = {{"The host takes mail only from clients that log in.",
                           "そのホストは、ログイン（SMTP "
                           "AUTH）したクライアントからしかメールを受け取りません。"},
                          {"The domain's MX records name a server that is not meant for mail from "
                           "outside; its owner must correct that.",
                           "ドメインの MX "
                           "レコードが、外部からのメールを受けるためのものではないサーバーを指して"
                           "います。ドメインの管理者に直してもらう必要があります。"}}},
    AdviceRule{
        .cause = Cause::no_service,
        .advice =
            {{"The receiver's server refuses to talk with us at all.",
              "受信側サーバーが、当方との通信そのものを拒否しています。"},
             {"Check whether the sending address is on a blocklist, and its reverse DNS.",
              "送信元の IP "
              "アドレスがブロックリストに載っていないか、逆引きが正しいかを確かめてください。"},
             {"Other hosts of the receiver are asked first; then it is tried again at long "
              "intervals.",
              "受信側のほかのホストも試し、そのあとは間隔を空けて再送します。"}}},
    // -- what we send
    AdviceRule{
        .cause = Cause::content,
        .advice =
            {{"The receiver looked at the content and refused it as spam or harmful.",
              "受信側が内容を見て、迷惑メールまたは有害と判定して拒否しました。"},
             {"Read its words for the reason; check DKIM, SPF and DMARC, links and wording.",
              "応答の文言で理由を確かめ、DKIM、SPF、DMARC、リンク、文面を見直してください。"}}},
    AdviceRule{
        .cause = Cause::policy,
        .state = bounced,
        .advice =
            {{"The receiver refuses the mail as unwanted: content, sender or sending address.",
              "受信側が、内容・差出人・送信元アドレスのいずれかを理由に拒否しました。"},
             {"Read its words for the reason; check DKIM, SPF, DMARC and reverse DNS, and whether "
              "recipients asked for this mail.",
              "応答の文言で理由を確かめ、DKIM、SPF、DMARC、逆引きの設定と、受信者が望んだメールかど"
              "うかを見直してください。"}}},
    AdviceRule{.cause = Cause::policy,
               .advice = {{"The receiver does not want mail from us just now.",
                           "受信側が、いまは当方からのメールを受け取りません。"},
                          {"Nothing for now. If it goes on, check DKIM, SPF, DMARC, reverse DNS "
                           "and the pace to this site.",
                           "いまは対応不要です。続くなら、DKIM、SPF、DMARC、逆引きと、このサイトへ"
                           "の送信速度を見直してください。"}}},
    // -- the receiver itself
    AdviceRule{
        .cause = Cause::receiver_trouble,
        .advice = {{"The receiver has a problem of its own, with its mail system, its storage or "
                    "its network, or is busy.",
                    "受信側のメールシステム、容量、ネットワークに問題があるか、受信側が混み合ってい"
                    "ます。"},
                   {"Nothing on our side; if it lasts, tell the receiver's postmaster.",
                    "当方での対応は不要です。長引くなら受信側の管理者に知らせてください。"}}},
    AdviceRule{.cause = Cause::protocol,
               .advice = {{"The receiver and we misunderstand each other in the protocol.",
                           "SMTP のやり取りに食い違いがありました。"},
                          {"Report it to the maintainers with the answer above.",
                           "上の応答を添えて開発元に知らせてください。"}}},
    AdviceRule{
        .cause = Cause::unclear,
        .state = bounced,
        .stage = Stage::rcpt_to,
        .advice = {{"The receiver refuses this address: most often there is no such mailbox.",
                    "受信側がこの宛先を拒否しました。多くの場合、メールボックスが存在しません。"},
                   {"Remove the address from the list unless its words say something else.",
                    "応答の文言が別の理由を示していなければ、宛先から外してください。"}}},
    AdviceRule{
        .cause = Cause::unclear,
        .state = bounced,
        .stage = Stage::data,
        .advice =
            {{"The receiver looked at the content and refused it, most often as spam.",
              "受信側が内容を見て拒否しました。多くの場合、迷惑メールと判定されています。"},
             {"Read its words for the reason; check DKIM, SPF and DMARC, links and wording.",
              "応答の文言で理由を確かめ、DKIM、SPF、DMARC、リンク、文面を見直してください。"}}},
    AdviceRule{
        .cause = Cause::unclear,
        .state = bounced,
        .advice = {{"The receiver refused the mail for good.", "受信側がメールを拒否しました。"},
                   {"Read its words for the reason.", "応答の文言で理由を確かめてください。"}}},
    AdviceRule{
        .cause = Cause::unclear,
        .advice =
            {{"The receiver cannot take the mail right now (a lock, a check, or greylisting).",
              "受信側が、いまは受け取れません（ロック中、検査中、グレイリストなど）。"},
             {"Nothing for now.", "いまは対応不要です。"}}},
    AdviceRule{.advice = {{"The attempt did not succeed.", "送信は成功しませんでした。"},
                          {"Read the words of the attempt for the reason.",
                           "試行の記録の文言で理由を確かめてください。"}}},
};

}  // namespace

std::span<const AdviceRule> advice_rules() {
  return kRules;
}

}  // namespace todoku::explain
