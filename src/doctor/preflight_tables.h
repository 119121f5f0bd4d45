// SPDX-License-Identifier: Apache-2.0
// The parts of preflight_texts().
#pragma once

#include <span>

#include "doctor/preflight_texts.h"

namespace todoku::doctor {

// What the tables share.
namespace preflight_words {
using Kind = PreflightKind;
inline constexpr Outcome kGood = Outcome::pass;
inline constexpr Outcome kWarned = Outcome::warning;
inline constexpr Outcome kBad = Outcome::fail;
inline constexpr Outcome kOpen = Outcome::not_determined;
inline constexpr Receivers kNoReceiver{};
inline constexpr Receivers kEverybody = Receivers::all();
inline constexpr Receivers kBulkRulers{Receiver::gmail, Receiver::yahoo, Receiver::microsoft};
inline constexpr Receivers kOnlyDocomo{Receiver::docomo};
inline constexpr Receivers kOnlyGmail{Receiver::gmail};
inline constexpr Receivers kDmarcMinders{Receiver::gmail, Receiver::yahoo, Receiver::microsoft,
                                         Receiver::docomo};
inline constexpr Sentence kLater{"Ask again in a few minutes.",
                                 "数分後にもう一度確認してください。"};
inline constexpr Sentence kSetUp{
    "`todoku domain setup DOMAIN` shows the records to publish, `todoku domain check DOMAIN` what "
    "is "
    "wrong with those that are there.",
    "`todoku domain setup DOMAIN` で登録すべきレコードを、`todoku domain check DOMAIN` で現在の問題"
    "を確認できます。"};
inline constexpr Sentence kUnsigned{
    "Gmail, Yahoo and Microsoft want DKIM of everybody who sends to many, and refuse or junk what "
    "has "
    "none.",
    "Gmail・Yahoo・Microsoft は大量送信者に DKIM を求め、署名のないメールを拒否するか迷惑メールに"
    "します。"};
inline constexpr Sentence kSpfWanted{
    "Microsoft refuses mail without SPF (550 5.7.515), Gmail too (550 5.7.27).",
    "Microsoft（550 5.7.515）と Gmail（550 5.7.27）は SPF に合格しないメールを拒否します。"};
inline constexpr Sentence kDmarcWanted{
    "Gmail, Yahoo and Microsoft want it of senders of 5,000 mails a day and more; docomo warns its "
    "users of mail that fails.",
    "1 日 5,000 通以上の送信者には Gmail・Yahoo・Microsoft が求めます。ドコモは失敗したメールに警告"
    "を表示します。"};
inline constexpr Sentence kOneClickWanted{
    "Gmail and Yahoo want one-click unsubscribe in mail of senders of 5,000 mails a day and more; "
    "without it readers report the mail as spam.",
    "1 日 5,000 通以上の送信者には Gmail と Yahoo がワンクリックの配信停止を求めます。ないと、迷惑"
    "メールとして報告されやすくなります。"};
inline constexpr Receivers kCarriers{Receiver::docomo, Receiver::au, Receiver::softbank};
inline constexpr Sentence kBadForm{
    "Filters take a header that breaks RFC 5322 for the work of a spammer's program; Gmail refuses "
    "it "
    "(550 5.7.1).",
    "RFC 5322 に反するヘッダーは迷惑メール送信プログラムの特徴とみなされ、Gmail は拒否します（550 "
    "5.7.1）。"};
inline constexpr Sentence kUnknownUsers{
    "A sender that writes to many who are not there is taken for one with a bought list; docomo "
    "blocks its network for a time.",
    "存在しない宛先に多く送る送信者は名簿業者の利用を疑われます。ドコモは一時的にネットワークごと"
    "拒否します。"};
inline constexpr Sentence kLaw{
    "The Act on Regulation of Transmission of Specified Electronic Mail (Article 4) wants it in "
    "advertisements.",
    "特定電子メール法（第 4 条）が広告宣伝メールに表示を義務づけています。"};
}  // namespace preflight_words

[[nodiscard]] std::span<const PreflightText> preflight_sender_texts();
[[nodiscard]] std::span<const PreflightText> preflight_mail_texts();
[[nodiscard]] std::span<const PreflightText> preflight_content_texts();

}  // namespace todoku::doctor
