// SPDX-License-Identifier: Apache-2.0
// What several texts of domain_texts.cc share. Within doctor/.
#pragma once

#include "base/bilingual.h"
#include "doctor/finding.h"

namespace todoku::doctor {

// Not by `using enum`: fail() is a function.
inline constexpr Outcome kPass = Outcome::pass;
inline constexpr Outcome kWarning = Outcome::warning;
inline constexpr Outcome kFail = Outcome::fail;
inline constexpr Outcome kUnknown = Outcome::not_determined;

inline constexpr Receivers kNobody{};
inline constexpr Receivers kAll = Receivers::all();
inline constexpr Receivers kBig{Receiver::gmail, Receiver::yahoo, Receiver::microsoft};
inline constexpr Receivers kDocomo{Receiver::docomo};
inline constexpr Receivers kDmarcReaders{Receiver::gmail, Receiver::yahoo, Receiver::microsoft,
                                         Receiver::docomo};

inline constexpr Sentence kNoKeyNoSignature{
    "Mail signed with this key fails DKIM at every receiver; Gmail, Yahoo and Microsoft refuse or "
    "junk what they cannot check.",
    "この鍵で署名したメールは、どの受信側でも DKIM に失敗します。Gmail・Yahoo・Microsoft は検証でき"
    "ないメールを拒否するか迷惑メールにします。"};
inline constexpr Sentence kNoSpf{
    "Receivers cannot tell that these servers may send; Microsoft refuses mail without SPF (550 "
    "5.7.515), Gmail too (550 5.7.27).",
    "受信側は、このサーバーからの送信が許可されているか判断できません。Microsoft（550 5.7.515）や "
    "Gmail（550 5.7.27）は SPF のないメールを拒否します。"};
inline constexpr Sentence kSpfCountsForNothing{
    "A record like this is a permanent error (RFC 7208): it counts as none at all.",
    "このようなレコードは恒久的なエラー（RFC 7208）になり、レコードがないのと同じ扱いです。"};
inline constexpr Sentence kNoDmarc{
    "Senders of more than 5,000 mails a day need DMARC at Gmail, Yahoo and Microsoft; docomo warns "
    "its users of mail that fails it.",
    "1 日 5,000 通以上の送信には、Gmail・Yahoo・Microsoft が DMARC を求めます。ドコモは DMARC "
    "に失敗"
    "したメールに警告を表示します。"};
inline constexpr Sentence kAskAgain{"Check again in a few minutes.",
                                    "数分後にもう一度確認してください。"};
inline constexpr Sentence kFullName{
    "The panel adds the zone's name by itself: give the name without it, and remove this record.",
    "管理画面がゾーン名を自動で付けています。ゾーン名を除いた名前で登録し直し、このレコードは削除"
    "してください。"};
inline constexpr Sentence kUnderscore{
    "The panel refuses or drops the underscore: ask the provider's support, or move the zone to "
    "one "
    "that takes it.",
    "管理画面がアンダースコアを受け付けないか、削っています。DNS 事業者に問い合わせるか、対応する"
    "事業者へ移してください。"};
inline constexpr Sentence kNoQuotes{
    "Paste the value into the panel without quotation marks and backslashes.",
    "引用符やバックスラッシュを付けずに値を貼り付けてください。"};

}  // namespace todoku::doctor
