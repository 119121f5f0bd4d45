// SPDX-License-Identifier: Apache-2.0
#include "explain/own_words.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/facts.h"
#include "base/printable.h"

namespace todoku::explain {
namespace {

// What a sentence of ours looks like, '*' standing for facts, and what it is in Japanese: "{0}" is
// the first fact, as it is; "<0>" where that is a sentence of ours again. The most specific stands
// first.
struct OwnSentence {
  std::string_view en;
  std::string_view ja;
};

constexpr std::array kSentences = {
    // -- notes behind an answer or a sentence
    OwnSentence{"* (said without TLS: *)", "<0>（TLS なしの接続での応答: <1>）"},
    OwnSentence{"* (sent twice in this attempt: *; it may arrive twice)",
                "<0>（この試行で 2 回送信: <1>。二重に届くことがあります）"},
    OwnSentence{"* (sent before in this attempt: *; it may have arrived)",
                "<0>（この試行で一度送信済み: <1>。届いている可能性があります）"},
    OwnSentence{"*; its answer had begun: *", "<0>。受信済みの応答の先頭: {1}"},
    OwnSentence{"* (required by MTA-STS)", "{0}（MTA-STS で必須）"},
    OwnSentence{"MTA-STS asks for verified TLS: *", "MTA-STS が検証済みの TLS を求めています: <0>"},
    OwnSentence{"the MTA-STS policy of * names none of its mail servers: *",
                "{0} の MTA-STS ポリシーには、そのメールサーバーが 1 つもありません: {1}"},
    // -- ours
    OwnSentence{"given up: not delivered within *", "<0>以内に配送できず、打ち切りました"},
    OwnSentence{"* hours", "{0} 時間"},
    OwnSentence{"* hour", "{0} 時間"},
    OwnSentence{"* minutes", "{0} 分"},
    OwnSentence{"* minute", "{0} 分"},
    OwnSentence{"* seconds", "{0} 秒"},
    OwnSentence{"* second", "{0} 秒"},
    OwnSentence{"not made: its insert codes make it about * octets, the limit is *",
                "差し込みコードの値を入れると約 {0} バイトになり、上限の {1} "
                "バイトを超えるため、作成しませんでした"},
    OwnSentence{"*: * of * (*); the limit is *", "<0>: {2} 件中 {1} 件（{3}）、上限は {4}"},
    OwnSentence{"complaints", "迷惑メールの申告"},
    OwnSentence{"hard bounces", "ハードバウンス"},
    OwnSentence{"unknown users", "存在しない宛先"},
    OwnSentence{"refusals", "拒否"},
    OwnSentence{"its content cannot be read: *", "内容を読めません: {0}"},
    OwnSentence{"composing it ended with: *", "メールの作成に失敗しました: {0}"},
    OwnSentence{"there is no DKIM key * of *", "{1} の DKIM 鍵 {0} がありません"},
    OwnSentence{"the DKIM key * of * is gone", "{1} の DKIM 鍵 {0} がなくなっています"},
    OwnSentence{"there is no DKIM key of * any more", "{0} の DKIM 鍵がもうありません"},
    OwnSentence{"delivery * of *: signing keys: *", "アカウント {1} の配信 {0} の署名鍵: <2>"},
    OwnSentence{"delivery * of *: *", "アカウント {1} の配信 {0}: <2>"},
    OwnSentence{"an error of ours ended the connection before the answer came",
                "応答が届く前に、当方の不具合で接続が切れました"},
    OwnSentence{
        "its sending was interrupted on our side; it may have arrived, and is not sent again "
        "because that was asked for",
        "当方の処理中に送信が中断しました。届いている可能性があり、指定どおり再送はしません"},
    OwnSentence{"the delivery was stopped before this mail went out",
                "このメールを送る前に配信が中止されました"},
    OwnSentence{"it was cancelled before its time", "送信予定の前に取り消されました"},
    OwnSentence{"the reserved time passed while the engine was not running or the account was "
                "suspended",
                "エンジンまたはアカウントの停止中に予約時刻を過ぎ、再開が遅すぎたため中止しました"},
    OwnSentence{"withdrawn by an operator when this store was taken over under another name",
                "運用担当者が、このストアを別の名前で引き継いだときに取り消しました"},
    OwnSentence{"an error of ours, which the log tells of",
                "当方の不具合です。詳細はログにあります"},
    OwnSentence{"the sandbox: no connection was made", "サンドボックスのため、接続していません"},
    OwnSentence{"set aside: * times a process died with this mail alone in hand; it waits for an "
                "operator",
                "隔離しました: このメールだけを扱っている間にプロセスが {0} "
                "回異常終了しました。管理者の操作を待っています"},
    // -- DNS
    OwnSentence{"the address of the mail server of * could not be looked up: *",
                "{0} のメールサーバーのアドレスを調べられませんでした: <1>"},
    OwnSentence{"the mail server (MX) of * could not be looked up: *",
                "{0} のメールサーバー（MX）を調べられませんでした: <1>"},
    OwnSentence{"the mail server of * has no public address (*), and delivery to loopback and "
                "private addresses is not allowed by allow_private_receivers",
                "{0} "
                "のメールサーバーにグローバルアドレスがありません（<1>"
                "）。ループバックやプライベートアドレスへの送信は allow_private_receivers "
                "で許可されていません"},
    OwnSentence{"the mail server of * has no address that can be used (*)",
                "{0} のメールサーバーに使えるアドレスがありません（<1>）"},
    OwnSentence{
        "the mail server of * is this engine itself (*), so the mail would loop",
        "{0} のメールサーバーがこのエンジン自身（<1>）を指しており、送るとメールがループします"},
    OwnSentence{"* has neither a mail server (MX) nor an address",
                "{0} にはメールサーバー（MX）もアドレスもありません"},
    OwnSentence{"no mail server of * has an address (*)",
                "{0} のどのメールサーバーにもアドレスがありません（<1>）"},
    OwnSentence{"* does not exist in the DNS", "{0} は DNS に存在しません"},
    OwnSentence{"* is not a domain name", "{0} はドメイン名ではありません"},
    OwnSentence{"* accepts no mail (null MX, RFC 7505)",
                "{0} はメールを受け取りません（null MX、RFC 7505）"},
    OwnSentence{"the MX records of * name no host (*)",
                "{0} の MX レコードがホスト名を指していません（<1>）"},
    OwnSentence{"none of the first * mail servers of * can be used",
                "{1} の先頭 {0} 台のメールサーバーはどれも使えません"},
    OwnSentence{"our own resolver cannot be believed about *: *",
                "当方の DNS リゾルバーの {0} についての答えを信用できません: <1>"},
    OwnSentence{"* can be reached by * only, which the egress source does not have",
                "{0} には {1} でしか接続できませんが、送信元にそのアドレスがありません"},
    OwnSentence{"mail to an address literal such as * is not delivered",
                "{0} のような、IP アドレスを直接書いた宛先には送りません"},
    OwnSentence{"no address to try", "接続を試せるアドレスがありません"},
    OwnSentence{"* and * more", "{0} ほか {1} 件"},
    OwnSentence{"whether * has TLSA records (DANE) could not be told: *",
                "{0} に TLSA レコード（DANE）があるかどうか分かりませんでした: <1>"},
    OwnSentence{"the TLSA records (DANE) of * could not be looked up: *",
                "{0} の TLSA レコード（DANE）を調べられませんでした: <1>"},
    // -- what the resolver says
    OwnSentence{"the name servers answered * for *",
                "{1} の問い合わせに、ネームサーバーが <0> を返しました"},
    OwnSentence{"an error", "エラー"},
    OwnSentence{"no answer in time", "時間内に応答がありません"},
    OwnSentence{"no answer for * within * ms",
                "{0} の問い合わせに {1} ミリ秒以内に応答がありませんでした"},
    OwnSentence{"DNSSEC validation of * failed: *", "{0} の DNSSEC 検証に失敗しました: {1}"},
    OwnSentence{"* does not exist (NXDOMAIN)", "{0} は存在しません（NXDOMAIN）"},
    OwnSentence{"* cannot be asked for: no open file or memory of ours left",
                "当方のファイルまたはメモリーが足りず、{0} を問い合わせられません"},
    OwnSentence{"* cannot be asked for: *", "{0} を問い合わせられません: {1}"},
    OwnSentence{"* of * cannot be read: *", "{1} の {0} を読めません: <2>"},
    OwnSentence{"in an MX record: *", "MX レコードの中: <0>"},
    OwnSentence{"the MX record is cut off", "MX レコードが途中で切れています"},
    OwnSentence{"the TXT record is cut off", "TXT レコードが途中で切れています"},
    OwnSentence{"the TXT record is empty", "TXT レコードが空です"},
    OwnSentence{"the TLSA record is cut off", "TLSA レコードが途中で切れています"},
    OwnSentence{"an address of * octets instead of *",
                "アドレスが {1} バイトではなく {0} バイトです"},
    OwnSentence{"the name does not end", "名前が終わっていません"},
    OwnSentence{"the name is too long", "名前が長すぎます"},
    OwnSentence{"something follows the name", "名前の後に余分なデータがあります"},
    OwnSentence{"the label is too long", "名前の中のラベルが長すぎます"},
    OwnSentence{"the label is cut off", "名前の中のラベルが途中で切れています"},
    OwnSentence{"too many questions wait for the resolver",
                "リゾルバーへの問い合わせが多すぎて、順番が来ませんでした"},
    OwnSentence{"the resolver was stopped", "リゾルバーを停止しました"},
    OwnSentence{"libunbound broke down", "libunbound が異常終了しました"},
    OwnSentence{"libunbound cannot start", "libunbound を起動できません"},
    OwnSentence{"libunbound cannot be listened to: *", "libunbound の応答を受け取れません: {0}"},
    OwnSentence{"libunbound refuses *: *", "libunbound が <0> を受け付けません: {1}"},
    OwnSentence{"* cannot be read", "<0> を読めません"},
    OwnSentence{"the list of name servers *", "ネームサーバーの一覧 {0}"},
    OwnSentence{"the trust anchor file *", "トラストアンカーのファイル {0}"},
    OwnSentence{"the trust anchor *", "トラストアンカー {0}"},
    OwnSentence{"removing the zone *", "ゾーン {0} を除く設定"},
    OwnSentence{"it has just begun to answer again", "応答が戻ったばかりです"},
    OwnSentence{"no name server answers: *", "応答するネームサーバーがありません: <0>"},
    OwnSentence{"none is known", "ネームサーバーが 1 台もわかりません"},
    OwnSentence{"not asked", "問い合わせていません"},
    // Several servers' lies stand in a row.
    OwnSentence{"* denies names that exist (* for the NS of *); *",
                "<0> が、存在する名前を存在しないと答えています（{2} の NS に <1>）。<3>"},
    OwnSentence{"* has addresses for names that do not exist (*); *",
                "<0> が、存在しない名前にアドレスを返しています（{1}）。<2>"},
    OwnSentence{"* denies names that exist (* for the NS of *)",
                "<0> が、存在する名前を存在しないと答えています（{2} の NS に <1>）"},
    OwnSentence{"* has addresses for names that do not exist (*)",
                "<0> が、存在しない名前にアドレスを返しています（{1}）"},
    OwnSentence{"no records", "該当なし"},
    OwnSentence{"the name server *", "ネームサーバー {0}"},
    OwnSentence{"the name server", "ネームサーバー"},
    // -- the connection
    OwnSentence{"connect: no answer within * s", "接続: {0} 秒以内に応答がありませんでした"},
    OwnSentence{"connection timed out after * s", "接続: {0} 秒以内に応答がありませんでした"},
    OwnSentence{"connect: *", "接続: <0>"},
    OwnSentence{"read: *", "受信: <0>"},
    OwnSentence{"write: *", "送信: <0>"},
    OwnSentence{"Connection refused", "接続が拒否されました (Connection refused)"},
    OwnSentence{"Connection reset by peer", "相手が接続を切りました (Connection reset by peer)"},
    OwnSentence{"No route to host", "経路がありません (No route to host)"},
    OwnSentence{"Network is unreachable", "ネットワークに到達できません (Network is unreachable)"},
    OwnSentence{"Connection timed out", "タイムアウトしました (Connection timed out)"},
    OwnSentence{"timed out", "タイムアウトしました"},
    OwnSentence{"this engine was stopped before there was a connection",
                "接続する前にエンジンを停止しました"},
    OwnSentence{"this engine was stopped while it sent *", "<0> の送信中にエンジンを停止しました"},
    OwnSentence{"this engine was stopped during *", "<0> の途中でエンジンを停止しました"},
    OwnSentence{"this engine was stopped before the receiver answered *",
                "<0> への応答が届く前にエンジンを停止しました"},
    OwnSentence{"the mail's time is over", "メールの期限が過ぎました"},
    OwnSentence{"the time for a connection is over", "接続にかけられる時間が過ぎました"},
    OwnSentence{"could not send the content: the receiver takes it too slowly (* octets)",
                "受信側の受け取りが遅すぎて、本文（{0} バイト）を送り切れませんでした"},
    OwnSentence{"could not send * within * s", "{1} 秒以内に <0> を送れませんでした"},
    OwnSentence{"no answer to the greeting within * s",
                "接続してから {0} 秒以内に、受信側の最初の応答（220）がありませんでした"},
    OwnSentence{"the receiver closed the connection before it answered the greeting",
                "受信側が最初の応答（220）を返さずに接続を閉じました"},
    OwnSentence{"the receiver sent *, where we waited for the answer to the greeting",
                "最初の応答（220）を待っているところに、受信側から <0> が届きました"},
    OwnSentence{"this engine was stopped before the receiver answered the greeting",
                "受信側の最初の応答（220）が届く前にエンジンを停止しました"},
    OwnSentence{"* (waiting for the answer to the greeting)", "<0>（最初の応答（220）待ち）"},
    OwnSentence{"no answer to * within * s", "<0> への応答が {1} 秒以内にありませんでした"},
    OwnSentence{"the receiver closed the connection while we sent *",
                "<0> の送信中に受信側が接続を閉じました"},
    OwnSentence{"the receiver closed the connection before it answered *",
                "受信側が <0> に応答せずに接続を閉じました"},
    OwnSentence{"the receiver answered * with *, which is no answer to it in SMTP",
                "受信側が <0> に「{1}」と応答しました。SMTP として正しくない応答です"},
    OwnSentence{"the receiver answered * with *", "受信側が <0> に「{1}」と応答しました"},
    OwnSentence{"the receiver sent *, where we waited for the answer to *",
                "<1> への応答を待っているところに、受信側から <0> が届きました"},
    OwnSentence{"'*', which is no SMTP reply", "SMTP の応答ではない「{0}」"},
    OwnSentence{"a reply of more than * octets", "{0} バイトを超える応答"},
    OwnSentence{
        "the receiver said more than its answer to EHLO before we sent anything",
        "当方が何も送らないうちに、受信側が EHLO への応答に続けて余分なデータを送ってきました"},
    OwnSentence{"the receiver said * before we sent *",
                "当方が <1> を送る前に、受信側が「{0}」と応答しました"},
    OwnSentence{"the receiver sent more after agreeing to STARTTLS",
                "受信側が STARTTLS を受け入れた応答に続けて、余分なデータを送ってきました"},
    OwnSentence{"the receiver does not offer STARTTLS, which this site's policy requires",
                "このサイトで必須に設定した STARTTLS に、受信側が対応していません"},
    OwnSentence{
        "the receiver's certificate does not prove its name, as this site's policy requires",
        "このサイトで必須に設定した証明書の検証に、受信側の証明書が通りません"},
    OwnSentence{
        "the receiver does not offer STARTTLS, which its TLSA records (DANE) require",
        "受信側の TLSA レコード（DANE）が求める STARTTLS に、受信側のサーバーが対応していません"},
    OwnSentence{"the receiver's certificate is not one that its TLSA records (DANE) name",
                "受信側の証明書が、TLSA レコード（DANE）で示されたものと一致しません"},
    // -- the login at a smarthost
    OwnSentence{"the server offers no AUTH", "サーバーが AUTH に対応していません"},
    OwnSentence{"the server offers AUTH by * only, and not by *",
                "サーバーの AUTH の方式は {0} だけで、{1} のどれにも対応していません"},
    OwnSentence{"the server has not proven that it knows the password",
                "サーバーが、パスワードを知っていることを証明しませんでした"},
    OwnSentence{"the server's SCRAM message *",
                "サーバーの SCRAM のメッセージが正しくありません: {0}"},
    OwnSentence{"the server asks for more than the exchange has",
                "サーバーが、AUTH の方式にない応答を求めました"},
    OwnSentence{"egress *: *", "送信元 {0}: <1>"},
    OwnSentence{"the file * of via_password_file cannot be read: *",
                "via_password_file のファイル {0} を読めません: {1}"},
    OwnSentence{"* is no file: via_password_file names it",
                "via_password_file の {0} はファイルではありません"},
    OwnSentence{
        "the file * of via_password_file can be read by others: run *",
        "via_password_file のファイル {0} をほかの利用者が読めます。{1} を実行してください"},
    OwnSentence{"there is no variable *, which via_password_variable names",
                "via_password_variable の環境変数 {0} がありません"},
    OwnSentence{"what * gives is empty", "{0} の内容が空です"},
    OwnSentence{"what * gives is too long", "{0} の内容が長すぎます"},
    OwnSentence{"what * gives holds an octet of zero", "{0} の内容に NUL が含まれています"},
    OwnSentence{"* (required by the site's rule)", "{0}（サイトの設定で必須）"},
    OwnSentence{"* (*; its TLSA records cannot be used)", "{0} ({1}。使える TLSA レコードなし)"},
    OwnSentence{"the message has * octets, the receiver takes *",
                "メールは {0} バイトで、受信側の上限 {1} バイトを超えています"},
    OwnSentence{"the mail needs SMTPUTF8, which the receiver does not offer",
                "このメールに必要な SMTPUTF8 に、受信側が対応していません"},
    OwnSentence{"the mail needs 8BITMIME, which the receiver does not offer",
                "このメールに必要な 8BITMIME に、受信側が対応していません"},
    OwnSentence{"STARTTLS not offered", "STARTTLS 非対応"},
    OwnSentence{"STARTTLS not wanted", "STARTTLS を使わない設定"},
    OwnSentence{"STARTTLS refused: *", "STARTTLS を拒否された: {0}"},
    OwnSentence{"switched off for this site", "このサイトでは使わない設定"},
    OwnSentence{"* (sending *)", "<0>（<1> の送信中）"},
    OwnSentence{"* (waiting for the answer to *)", "<0>（<1> への応答待ち）"},
    // -- what they are about
    OwnSentence{"the greeting", "最初の応答"},
    OwnSentence{"the content", "本文"},
    OwnSentence{"half of the content", "本文の一部"},
    OwnSentence{"the TLS handshake", "TLS のハンドシェイク"},
};

// Japanese words stand side by side without a space, which stands beside ASCII only.
bool is_wide(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
bool begins_wide(std::string_view words) {
  return !words.empty() && is_wide(words.front());
}
bool ends_wide(std::string_view words, std::size_t before = 0) {
  return words.size() > before && is_wide(words[words.size() - 1 - before]);
}

// A sentence may hold others, which may: no deeper than ours are made, of which those about several
// name servers are the deepest.
constexpr int kDepthMax = 12;

std::string in_japanese(std::string_view sentence, int depth) {
  if (depth == kDepthMax) return std::string(sentence);
  for (const OwnSentence& known : kSentences) {
    const auto facts = facts_of(sentence, known.en);
    if (!facts) continue;
    std::string out;
    for (std::size_t i = 0; i < known.ja.size(); ++i) {
      const char c = known.ja[i];
      if (c != '{' && c != '<') {
        out += c;
        continue;
      }
      const std::string_view fact = (*facts)[static_cast<std::size_t>(known.ja[i + 1] - '0')];
      i += 2;
      if (c == '{') {
        out += fact;
        continue;
      }
      const std::string words = in_japanese(fact, depth + 1);
      if (out.ends_with(' ') && ends_wide(out, 1) && begins_wide(words)) out.pop_back();
      out += words;
      const std::string_view rest = known.ja.substr(i + 1);
      if (rest.starts_with(' ') && ends_wide(words) && begins_wide(rest.substr(1))) ++i;
    }
    return out;
  }
  return std::string(sentence);
}

// What we added to a receiver's answer.
constexpr std::span<const OwnSentence> kNotes(kSentences.data(), 3);

// That it was said without TLS is added to no other answers.
std::span<const OwnSentence> notes_of(const Outcome& outcome) {
  return outcome.stage == Stage::starttls ? kNotes : kNotes.subspan(1);
}

std::string noted_in_japanese(std::string_view answer, std::span<const OwnSentence> notes) {
  for (const OwnSentence& note : notes) {
    const std::string_view opening = note.en.substr(1, note.en.find('*', 1) - 1);
    const std::size_t at = answer.rfind(opening);
    if (at == std::string_view::npos) continue;
    const auto facts = facts_of(answer.substr(at), note.en.substr(1));
    if (!facts) continue;
    // It has words of ours, or it is the receiver's.
    const std::string ours = in_japanese(facts->front(), 1);
    if (ours == facts->front()) continue;
    const std::size_t place = note.ja.find("<1>");
    const std::string_view before = note.ja.substr(3, place - 3);
    const std::string_view after = note.ja.substr(place + 3);
    return fmt::format("{}{}{}{}", answer.substr(0, at), before, ours, after);
  }
  return std::string(answer);
}

}  // namespace

std::string own_words(std::string_view sentence, Language language) {
  return language == Language::japanese ? in_japanese(sentence, 0) : std::string(sentence);
}

namespace {

std::string on_one_line(const Reply& reply) {
  std::string text;
  for (std::size_t begin = 0; begin <= reply.text.size();) {
    const std::size_t end = std::min(reply.text.find('\n', begin), reply.text.size());
    if (!text.empty()) text += " / ";
    text += printable(trim(std::string_view(reply.text).substr(begin, end - begin)));
    begin = end + 1;
  }
  return text;
}

}  // namespace

std::string answer_text(const Outcome& outcome, Language language) {
  const int code = outcome.reply.code;
  if (code == 0 || language != Language::japanese) return reply_text(outcome.reply, language);
  return fmt::format("{} {}", code,
                     noted_in_japanese(on_one_line(outcome.reply), notes_of(outcome)));
}

std::string reply_text(const Reply& reply, Language language) {
  const std::string text = on_one_line(reply);
  if (reply.code != 0) return fmt::format("{} {}", reply.code, text);
  const auto status = parse_enhanced_status(text);
  const std::size_t words = status ? std::min(text.find(' '), text.size()) : 0;
  const std::string_view said = std::string_view(text).substr(words);
  return text.substr(0, words) + (words > 0 ? " " : "") + own_words(trim(said), language);
}

}  // namespace todoku::explain
