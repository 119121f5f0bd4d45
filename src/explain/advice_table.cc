// SPDX-License-Identifier: Apache-2.0
// The words themselves. To add one: put it before every more general rule, and add a line to
// tests/corpus/explain/replies.tsv.
#include "explain/advice_table.h"

#include <array>

namespace todoku::explain {
namespace {

using enum RecipientState;

constexpr std::array kRules = {
    // -- our own doing, before anything was sent
    // ---------------------------------------------------
    AdviceRule{
        .state = dropped,
        .answered = false,
        .subject = 3,
        .detail = 4,
        .advice =
            {{"It was not sent: what its insert codes put in makes it larger than "
              "limits.message_bytes_max.",
              "差し込みコードの値を入れると limits.message_bytes_max を超えるため、送信していませ"
              "ん。"},
             {"Send this recipient shorter values, or raise limits.message_bytes_max and send the "
              "mail again.",
              "この宛先の値を短くするか、limits.message_bytes_max を上げて、送り直してくださ"
              "い。"}}},
    AdviceRule{
        .state = deferred,
        .stage = Stage::none,
        .answered = false,
        .subject = 3,
        .detail = 5,
        .advice =
            {{"We could not make the mail, for the reason above. It is no fault of the receiver, "
              "and no attempt is used up.",
              "上の理由により、当方でメールを作れませんでした。受信側の問題ではなく、試行回数にも"
              "数えません。"},
             {"Mend the reason, which is also in the log. It is tried every 15 minutes until its "
              "time is up, and goes out by itself. If a signing key is gone, put it back: `todoku "
              "dkim import`.",
              "理由を取り除いてください（ログにもあります）。期限まで 15 分ごとに試し、直れば自動"
              "で送信します。署名鍵がないときは `todoku dkim import` で戻してください。"}}},
    AdviceRule{
        .state = deferred,
        .stage = Stage::none,
        .answered = false,
        .subject = 3,
        .detail = 0,
        .phrases = "set aside:",
        .advice =
            {{"The engine died again and again with this mail alone in hand, so it was set aside "
              "for the others to go on. Unless the process was killed from outside it is a bug of "
              "ours; "
              "it is no fault of the receiver.",
              "このメールだけを扱っている間にエンジンが繰り返し異常終了したため、ほかのメールを続"
              "けられるよう取り分けました。外部から強制終了されたのでなければ当方の不具合です。受信"
              "側の"
              "問題ではありません。"},
             {"Report it to the maintainers with the log and the core of the process. While "
              "`todoku stuck` lists it nothing is sent; `todoku stuck release` has it tried again.",
              "プロセスのログと core を添えて開発元に知らせてください。`todoku stuck` に出ている間"
              "は送信しません。`todoku stuck release` で再び送信します。"}}},

    // -- states that need no reply ---------------------------------------------------------------
    AdviceRule{
        .state = delivered,
        .advice =
            {{"The receiving server accepted the mail and took responsibility for it.",
              "受信側サーバーがメールを受け取り、責任を引き継ぎました。"},
             {"If it is not in the inbox, look in the spam folder and ask the receiving side "
              "to search for it with the words of the answer above.",
              "受信箱に見当たらないときは迷惑メールフォルダーを確かめ、上の応答の文言を伝えて受"
              "信側に調べてもらってください。"}}},
    AdviceRule{
        .state = unknown,
        .advice =
            {{"The connection broke after the mail was written and before the answer came: "
              "it may have arrived or not.",
              "メールを送り終えたあと、応答が届く前に接続が切れました。届いたかどうか分かりま"
              "せん。"},
             {"This delivery asked for at most one copy, so it is not sent again by itself. "
              "Ask the recipient before sending it anew.",
              "二重に送らない指定の配信なので、自動では再送しません。受信者に確かめてから送り直"
              "してください。"}}},
    AdviceRule{.state = dropped,
               .advice = {{"It was not tried, because this address is on the suppression list.",
                           "このアドレスは配信停止リストにあるため、送信していません。"},
                          {"Release the address if it is known to work again.",
                           "使えることが確かなら、アドレスの停止を解除してください。"}}},
    AdviceRule{.state = cancelled,
               .advice = {{"It was withdrawn before it was sent.", "送信前に取り消されました。"},
                          {"Nothing.", "必要な対応はありません。"}}},
    AdviceRule{
        .state = expired,
        .stage = Stage::none,
        .advice = {{"Its time ran out before it could be delivered.",
                    "配送できないまま期限が過ぎました。"},
                   {"The attempts before tell the reason. Once it is solved, send the mail again.",
                    "原因はそれまでの試行の記録にあります。解消してから送り直してください。"}}},

    // -- no answer ------------------------------------------------------------------------------
    AdviceRule{
        .answered = false,
        .subject = 3,
        .detail = 0,
        .phrases = "an error of ours",
        .advice =
            {{"A failure of the engine itself ended the attempt. It is no fault of the receiver.",
              "エンジン自身の不具合で試行が終わりました。受信側の問題ではありません。"},
             {"Nothing for this mail: it is tried again. Report it to the maintainers with the "
              "log, which has the failure.",
              "このメールは再送されるので対応不要です。不具合はログにあるので、添えて開発元に知ら"
              "せてください。"}}},
    AdviceRule{.stage = Stage::dns,
               .subject = 1,
               .detail = 10,
               .advice = {{"The domain says that it takes no mail (null MX).",
                           "そのドメインはメールを受け取らないと宣言しています（null MX）。"},
                          {"Remove the address from the list.", "宛先から外してください。"}}},
    AdviceRule{
        .stage = Stage::dns,
        .subject = 4,
        .detail = 6,
        .advice =
            {{"The domain's mail servers are this installation itself.",
              "そのドメインのメールサーバーは、この環境自身を指しています。"},
             {"The domain's owner must correct its MX records; if this machine takes mail "
              "for it, that mail must not be sent through here.",
              "ドメインの管理者に MX レコードを直してもらってください。このマシンがそのドメイン"
              "のメールを受け取っているなら、ここからは送れません。"}}},
    AdviceRule{
        .state = bounced,
        .stage = Stage::dns,
        .advice = {{"The domain does not exist, or it has no mail server that may be used.",
                    "ドメインが存在しないか、使えるメールサーバーがありません。"},
                   {"Look for a typing mistake in the address; else remove it from the list.",
                    "アドレスの打ち間違いを確かめ、なければ宛先から外してください。"}}},
    AdviceRule{
        .stage = Stage::dns,
        .phrases = "our own resolver cannot be believed",
        .advice =
            {{"Our own resolver denies names that exist, invents names that do not, or does not "
              "answer, so nothing is known of the domain yet. It is no fault of the receiver.",
              "当方の DNS "
              "リゾルバーが、存在する名前を存在しないと答えるか、存在しない名前に答えるか、"
              "応答しません。そのためドメインのことはまだ何も分かりません。受信側の問題ではありま"
              "せん。"},
             {"Mend or replace the name servers that dns.servers names (/etc/resolv.conf if it "
              "names none); the mail goes out by itself soon after. In a network without the "
              "public DNS name zones that exist there in dns.check_names.",
              "dns.servers の DNS サーバー（空なら /etc/resolv.conf "
              "のもの）を直すか取り替えてください。直ればほどなく自動で送信します。公開の DNS が"
              "ないネットワークでは、そこに存在するゾーンを dns.check_names に書いてください。"}}},
    AdviceRule{
        .stage = Stage::dns,
        .advice =
            {{"The domain could not be looked up: its name servers, or ours, did not answer.",
              "ドメインを調べられませんでした。相手または当方の DNS サーバーが応答しません。"},
             {"Nothing for one domain. If many are affected, check the resolver of this "
              "machine (dns.servers).",
              "1 つのドメインだけなら対応は不要です。多くのドメインで起きているなら、このマシン"
              "の DNS リゾルバー（dns.servers）を確かめてください。"}}},
    AdviceRule{
        .stage = Stage::connect,
        .advice =
            {{"No server of the receiver could be connected to.",
              "受信側のどのサーバーにも接続できませんでした。"},
             {"Nothing for one receiver. If many are affected, check that this machine may "
              "open connections to port 25: many networks block it.",
              "1 つの受信側だけなら対応は不要です。多くで起きているなら、このマシンからポート "
              "25 への接続が許されているか確かめてください（塞いでいるネットワークが多くありま"
              "す）。"}}},
    AdviceRule{
        .stage = Stage::starttls,
        .answered = false,
        .advice =
            {{"The encrypted connection could not be set up.",
              "暗号化した接続を確立できませんでした。"},
             {"If this site requires TLS by your rules, its certificate must become valid, or "
              "the rule must be relaxed.",
              "このサイトに TLS を必須とする設定をしているなら、相手の証明書が正しくなるのを待"
              "つか、設定を緩めてください。"}}},
    AdviceRule{
        .stage = Stage::starttls,
        .phrases = "without tls: switched off",
        .advice =
            {{"The receiver takes mail only over an encrypted connection (TLS), which your rules "
              "switch off for this site.",
              "受信側は暗号化した接続（TLS）でしかメールを受け取りませんが、設定でこのサイトへの "
              "TLS を切っています。"},
             {"Remove `tls = \"none\"` from the site's rule ([sites.*]); the mail is tried again.",
              "サイトの設定（[sites.*]）から `tls = \"none\"` "
              "を外してください。メールは再送されます。"}}},
    AdviceRule{
        .stage = Stage::starttls,
        .answered = true,
        .advice =
            {{"The receiver takes mail only over an encrypted connection (TLS), and none could be "
              "set up.",
              "受信側は暗号化した接続（TLS）でしかメールを受け取らず、その接続を確立できませんで"
              "した。"},
             {"Nothing for now: the mail is tried again. If it lasts, tell the receiver's "
              "postmaster why TLS failed, as the answer above says.",
              "再送されるので、いまは対応不要です。続くなら、上の応答にある TLS 失敗の理由を受信側"
              "の管理者に知らせてください。"}}},
    AdviceRule{.stage = Stage::data,
               .answered = false,
               .advice = {{"The connection broke while the mail was being handed over.",
                           "メールを渡している途中で接続が切れました。"},
                          {"Nothing for now. If it happens again and again, the mail may be too "
                           "large for the way there.",
                           "いまは対応不要です。何度も続くなら、経路に対してメールが大きすぎ"
                           "るのかもしれません。"}}},
    // What a server offers tells whether a mail can be given to it, before anything is said.
    AdviceRule{.stage = Stage::mail_from,
               .answered = false,
               .subject = 3,
               .detail = 4,
               .advice = {{"The mail is larger than the receiver takes.",
                           "メールが受信側の上限より大きすぎます。"},
                          {"Send smaller attachments, or a link instead.",
                           "添付を小さくするか、リンクに替えてください。"}}},
    AdviceRule{
        .stage = Stage::mail_from,
        .answered = false,
        .subject = 6,
        .detail = 7,
        .advice =
            {{"The receiver does not take mail for addresses beyond ASCII (SMTPUTF8).",
              "受信側が、ASCII 以外の文字を含むアドレス宛のメール（SMTPUTF8）に対応していません。"},
             {"Use an address in ASCII.", "ASCII だけのアドレスを使ってください。"}}},
    AdviceRule{
        .stage = Stage::mail_from,
        .answered = false,
        .subject = 6,
        .detail = 3,
        .advice = {{"The receiver does not take content with 8-bit octets (8BITMIME).",
                    "受信側が、8 ビット文字を含む内容（8BITMIME）に対応していません。"},
                   {"Send the content in a 7-bit encoding (quoted-printable or base64).",
                    "内容を 7 ビットの形式（quoted-printable か base64）にして送ってください。"}}},
    AdviceRule{.answered = false,
               .advice = {{"The receiver's server stopped answering in the middle of the dialogue.",
                           "受信側サーバーがやり取りの途中で応答しなくなりました。"},
                          {"Nothing for now.", "いまは対応不要です。"}}},

    // -- known words ----------------------------------------------------------------------------
    AdviceRule{
        .code_low = 400,
        .code_high = 499,
        .phrases = "greylist|graylist|grey list|gray list|greylisting",
        .advice =
            {{"The receiver refuses first attempts on purpose and takes a later one "
              "(greylisting).",
              "受信側は、初めての送信をわざと断り、あとの再送で受け取ります（グレイリスト）。"},
             {"Nothing: a later attempt usually succeeds.",
              "あとの試行でたいてい成功するので、対応は不要です。"}}},
    AdviceRule{
        .phrases = "spamhaus|spamcop|barracudacentral|blocklist|block list|blacklist|dnsbl| rbl",
        .advice =
            {{"The sending address is on a blocklist that the receiver uses.",
              "送信元の IP アドレスが、受信側の使うブロックリストに載っています。"},
             {"Find the list named in the answer, see why the address is listed, stop the "
              "cause, then ask for removal.",
              "応答にあるリストで掲載の理由を調べ、原因を止めてから解除を申請してください。"}}},
    AdviceRule{
        .phrases = "dmarc",
        .advice =
            {{"The mail failed the sender domain's DMARC policy.",
              "送信元ドメインの DMARC に適合しませんでした。"},
             {"The From domain needs a DKIM signature of its own, or an SPF record that allows "
              "this sender: `todoku dkim generate`.",
              "From のドメイン自身の DKIM 署名か、この送信元を許す SPF レコードが必要です: "
              "`todoku dkim generate`"}}},
    AdviceRule{
        .phrases = "reverse dns|rdns|ptr record|ptr lookup",
        .advice =
            {{"The sending address has no matching reverse DNS entry.",
              "送信元 IP アドレスの逆引きが正しく設定されていません。"},
             {"Have the owner of the IP address set a PTR record that names the EHLO name, and "
              "make that name resolve back to the address.",
              "IP アドレスの管理元に、EHLO の名前を指す PTR レコードの設定を依頼し、その名前が同"
              "じアドレスに正引きできるようにしてください。"}}},
    AdviceRule{
        .code_low = 400,
        .code_high = 599,
        .phrases =
            "mailbox full|mailbox is full|over quota|overquota|quota exceeded|out of storage",
        .advice = {{"The recipient's mailbox is full.", "受信者のメールボックスがいっぱいです。"},
                   {"Only the recipient can make room; reach them another way if it is urgent.",
                    "空けられるのは受信者だけです。急ぐ場合は別の手段で連絡してください。"}}},
    AdviceRule{
        .code_low = 400,
        .code_high = 499,
        .phrases =
            "too many|rate limit|ratelimit|throttl|too fast|unusual rate|deferred due to user",
        .advice = {{"The receiver takes mail from us more slowly than we send.",
                    "受信側が受け取る速さを超えて送っています。"},
                   {"Nothing for now. If it goes on, lower the site's pace "
                    "(messages_per_second in [sites.*]).",
                    "いまは対応不要です。続くようなら、このサイトへの速さ（[sites.*] の "
                    "messages_per_second）を下げてください。"}}},

    AdviceRule{
        .stage = Stage::rcpt_to,
        .code_low = 550,
        .code_high = 554,
        .phrases = "user unknown|unknown user|no such user|recipientnotfound|recipient not found|"
                   "unknown recipient|mailbox not found|no such recipient",
        .advice =
            {{"There is no such mailbox.", "そのメールボックスは存在しません。"},
             {"Remove the address from the list, or correct it: mail to dead addresses harms "
              "the sender's reputation.",
              "宛先から外すか訂正してください。存在しないアドレスへの送信は評判を落とします。"}}},

    // -- enhanced status codes (RFC 3463, RFC 7372, RFC 7505; IANA registry)
    // -----------------------
    AdviceRule{
        .subject = 1,
        .detail = 1,
        .advice =
            {{"There is no such mailbox.", "そのメールボックスは存在しません。"},
             {"Remove the address from the list, or correct it: mail to dead addresses harms "
              "the sender's reputation.",
              "宛先から外すか訂正してください。存在しないアドレスへの送信は評判を落とします。"}}},
    AdviceRule{
        .subject = 1,
        .detail = 2,
        .advice = {{"The receiver knows no such domain.", "受信側はそのドメインを扱っていません。"},
                   {"Check the part after the @.", "@ より後ろを確かめてください。"}}},
    AdviceRule{.subject = 1,
               .detail = 3,
               .advice = {{"The receiver cannot read the address.",
                           "受信側がアドレスを解釈できませんでした。"},
                          {"Check the address for stray characters.",
                           "アドレスに余計な文字がないか確かめてください。"}}},
    AdviceRule{.subject = 1,
               .detail = 6,
               .advice = {{"The recipient has moved and left no address.",
                           "受信者は移転し、転送先はありません。"},
                          {"Ask the recipient for the new address.",
                           "新しいアドレスを確かめてください。"}}},
    AdviceRule{.subject = 1,
               .detail = 7,
               .advice = {{"The receiver does not accept the sender's address.",
                           "受信側が差出人（MAIL FROM）のアドレスを受け付けません。"},
                          {"Check that smtp_out.return_path_domain exists in the DNS.",
                           "smtp_out.return_path_domain が DNS に存在するか確かめてください。"}}},
    AdviceRule{
        .subject = 1,
        .detail = 8,
        .advice = {{"The sender's domain cannot be looked up or cannot take mail back.",
                    "差出人のドメインを調べられないか、返信を受け取れません。"},
                   {"Give smtp_out.return_path_domain an MX or address record.",
                    "smtp_out.return_path_domain に MX レコードかアドレスを設定してください。"}}},
    AdviceRule{.subject = 1,
               .detail = 10,
               .advice = {{"The domain says that it takes no mail (null MX).",
                           "そのドメインはメールを受け取らないと宣言しています（null MX）。"},
                          {"Remove the address from the list.", "宛先から外してください。"}}},
    AdviceRule{.subject = 2,
               .detail = 1,
               .advice = {{"The mailbox exists but is disabled.",
                           "メールボックスは存在しますが、停止されています。"},
                          {"Remove the address unless the recipient says that it works again.",
                           "使えるようになったと分かるまで、宛先から外してください。"}}},
    AdviceRule{
        .subject = 2,
        .detail = 2,
        .advice = {{"The recipient's mailbox is full.", "受信者のメールボックスがいっぱいです。"},
                   {"Only the recipient can make room; reach them another way if it is urgent.",
                    "空けられるのは受信者だけです。急ぐ場合は別の手段で連絡してください。"}}},
    AdviceRule{.subject = 2,
               .detail = 3,
               .advice = {{"The mail is larger than this mailbox takes.",
                           "メールがこのメールボックスの上限より大きすぎます。"},
                          {"Send smaller attachments, or a link instead.",
                           "添付を小さくするか、リンクに替えてください。"}}},
    AdviceRule{.subject = 3,
               .detail = 4,
               .advice = {{"The mail is larger than the receiver takes.",
                           "メールが受信側の上限より大きすぎます。"},
                          {"Send smaller attachments, or a link instead.",
                           "添付を小さくするか、リンクに替えてください。"}}},
    AdviceRule{
        .subject = 3,
        .advice = {{"The receiver's mail system has a problem of its own.",
                    "受信側のメールシステム自身に問題があります。"},
                   {"Nothing on our side; if it lasts, tell the receiver's postmaster.",
                    "当方での対応は不要です。長引くなら受信側の管理者に知らせてください。"}}},
    AdviceRule{.subject = 4,
               .detail = 6,
               .advice = {{"The receiver found that the mail goes round in a circle.",
                           "受信側が、メールが循環していると判断しました。"},
                          {"The recipient's forwarding has to be repaired.",
                           "受信者の転送設定を直してもらう必要があります。"}}},
    AdviceRule{
        .subject = 4,
        .advice = {{"The receiver has trouble with its network or with routing the mail.",
                    "受信側のネットワークまたは経路に問題があります。"},
                   {"Nothing on our side; if it lasts, tell the receiver's postmaster.",
                    "当方での対応は不要です。長引くなら受信側の管理者に知らせてください。"}}},
    AdviceRule{.subject = 5,
               .advice = {{"The receiver and we misunderstand each other in the protocol.",
                           "SMTP のやり取りに食い違いがありました。"},
                          {"Report it to the maintainers with the answer above.",
                           "上の応答を添えて開発元に知らせてください。"}}},
    AdviceRule{.subject = 6,
               .advice = {{"The receiver cannot handle the form of the content.",
                           "受信側が内容の形式を扱えません。"},
                          {"Try plain text in UTF-8 without attachments.",
                           "添付のない UTF-8 のテキストで試してください。"}}},
    AdviceRule{.subject = 7,
               .detail = 20,
               .advice = {{"The receiver asks for a valid DKIM signature and found none.",
                           "受信側が求める有効な DKIM 署名がありません。"},
                          {"Publish the key and check it: `todoku dkim list`.",
                           "公開鍵を DNS に登録し、確かめてください: `todoku dkim list`"}}},
    AdviceRule{
        .subject = 7,
        .detail = 23,
        .advice =
            {{"SPF does not allow this machine to send for the return path's domain.",
              "戻り先ドメインの SPF が、このマシンからの送信を許していません。"},
             {"Add the sending addresses to the SPF record of smtp_out.return_path_domain.",
              "smtp_out.return_path_domain の SPF レコードに送信元アドレスを加えてください。"}}},
    AdviceRule{
        .subject = 7,
        .detail = 25,
        .advice =
            {{"The sending address has no matching reverse DNS entry.",
              "送信元 IP アドレスの逆引きが正しく設定されていません。"},
             {"Have the owner of the IP address set a PTR record that names the EHLO name, and "
              "make that name resolve back to the address.",
              "IP アドレスの管理元に、EHLO の名前を指す PTR レコードの設定を依頼し、その名前が同"
              "じアドレスに正引きできるようにしてください。"}}},
    AdviceRule{.subject = 7,
               .detail = 26,
               .advice = {{"Neither SPF nor DKIM proves that the mail is from the From domain.",
                           "SPF でも DKIM でも、From のドメインからのメールだと証明できません。"},
                          {"Sign with a DKIM key of the From domain and publish it: "
                           "`todoku dkim generate`.",
                           "From のドメインの DKIM 鍵を作り、DNS に登録してください: "
                           "`todoku dkim generate`"}}},
    AdviceRule{
        .subject = 7,
        .detail = 27,
        .advice = {{"The sender's domain says that it takes no mail, so no mail is taken from it.",
                    "差出人のドメインがメールを受け取らないと宣言しているため、拒否されました。"},
                   {"Remove the null MX of smtp_out.return_path_domain.",
                    "smtp_out.return_path_domain の null MX をやめてください。"}}},
    AdviceRule{
        .subject = 7,
        .detail = 28,
        .advice =
            {{"The receiver sees more mail from us than it wants.",
              "受信側が望むより多くのメールを送っています。"},
             {"Send less to this site for some days and lower its pace "
              "(messages_per_second in [sites.*]).",
              "数日は通数を減らし、このサイトへの速さ（[sites.*] の messages_per_second）を下げ"
              "てください。"}}},
    AdviceRule{
        .code_low = 500,
        .code_high = 599,
        .subject = 7,
        .advice =
            {{"The receiver refuses the mail as unwanted: content, sender or sending address.",
              "受信側が、内容・差出人・送信元アドレスのいずれかを理由に拒否しました。"},
             {"Read its words for the reason; check DKIM, SPF, DMARC and reverse DNS, and "
              "whether recipients asked for this mail.",
              "応答の文言で理由を確かめ、DKIM、SPF、DMARC、逆引きの設定と、受信者が望んだメール"
              "かどうかを見直してください。"}}},
    AdviceRule{
        .subject = 7,
        .advice =
            {{"The receiver does not want mail from us just now.",
              "受信側が、いまは当方からのメールを受け取りません。"},
             {"Nothing for now. If it goes on, check DKIM, SPF, DMARC, reverse DNS and the "
              "pace to this site.",
              "いまは対応不要です。続くなら、DKIM、SPF、DMARC、逆引きと、このサイトへの速さを見"
              "直してください。"}}},

    // -- codes alone (RFC 5321 section 4.2.3)
    // ------------------------------------------------------
    AdviceRule{.code_low = 421,
               .code_high = 421,
               .advice = {{"The receiver is busy or has had enough of us for now.",
                           "受信側が混んでいるか、当方からの受信を一時的に止めています。"},
                          {"Nothing for now: the site gets a rest.",
                           "いまは対応不要です。このサイトへの送信はしばらく休みます。"}}},
    AdviceRule{.code_low = 452,
               .code_high = 452,
               .advice = {{"The receiver has no room for the mail right now.",
                           "受信側に、いまメールを置く余裕がありません。"},
                          {"Nothing for now.", "いまは対応不要です。"}}},
    AdviceRule{
        .code_low = 450,
        .code_high = 451,
        .advice =
            {{"The receiver cannot take the mail right now (a lock, a check, or greylisting).",
              "受信側が、いまは受け取れません（処理中、検査、グレイリストなど）。"},
             {"Nothing for now.", "いまは対応不要です。"}}},
    AdviceRule{.code_low = 400,
               .code_high = 499,
               .advice = {{"The receiver cannot take the mail right now.",
                           "受信側が、いまは受け取れません。"},
                          {"Nothing for now.", "いまは対応不要です。"}}},
    AdviceRule{
        .stage = Stage::greeting,
        .code_low = 500,
        .code_high = 599,
        .advice = {{"The receiver's server refuses to talk with us at all.",
                    "受信側サーバーが、当方との通信そのものを拒否しています。"},
                   {"Check whether the sending address is on a blocklist.",
                    "送信元の IP アドレスがブロックリストに載っていないか確かめてください。"}}},
    AdviceRule{
        .stage = Stage::hello,
        .code_low = 500,
        .code_high = 599,
        .advice =
            {{"The receiver does not like the name that we introduce ourselves with.",
              "受信側が、当方の名乗る名前（EHLO）を受け付けません。"},
             {"Set smtp_out.hello_name to a name that resolves to the sending address, and "
              "back.",
              "smtp_out.hello_name を、送信元アドレスと正引き・逆引きで対応する名前にしてくださ"
              "い。"}}},
    AdviceRule{
        .stage = Stage::rcpt_to,
        .code_low = 550,
        .code_high = 551,
        .advice = {{"The receiver refuses this address: most often there is no such mailbox.",
                    "受信側がこの宛先を拒否しました。多くの場合、メールボックスが存在しません。"},
                   {"Remove the address from the list unless its words say something else.",
                    "応答の文言が別の理由を示していなければ、宛先から外してください。"}}},
    AdviceRule{.code_low = 552,
               .code_high = 552,
               .advice = {{"The mail is too large, or the mailbox is full.",
                           "メールが大きすぎるか、メールボックスがいっぱいです。"},
                          {"Send smaller attachments, or a link instead.",
                           "添付を小さくするか、リンクに替えてください。"}}},
    AdviceRule{
        .stage = Stage::data,
        .code_low = 550,
        .code_high = 554,
        .advice =
            {{"The receiver looked at the content and refused it, most often as spam.",
              "受信側が内容を見て拒否しました。多くの場合、迷惑メールと判定されています。"},
             {"Read its words for the reason; check DKIM, SPF and DMARC, links and wording.",
              "応答の文言で理由を確かめ、DKIM、SPF、DMARC、リンク、文面を見直してください。"}}},
    AdviceRule{
        .code_low = 500,
        .code_high = 599,
        .advice = {{"The receiver refused the mail for good.", "受信側がメールを拒否しました。"},
                   {"Read its words for the reason.", "応答の文言で理由を確かめてください。"}}},
    AdviceRule{.advice = {{"The attempt did not succeed.", "送信は成功しませんでした。"},
                          {"Read the words of the attempt for the reason.",
                           "試行の記録の文言で理由を確かめてください。"}}},
};

}  // namespace

std::span<const AdviceRule> advice_rules() {
  return kRules;
}

}  // namespace todoku::explain
