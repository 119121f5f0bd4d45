// SPDX-License-Identifier: Apache-2.0
// Why somebody does not get what they asked for, in both languages of the console.
#pragma once

#include <expected>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"

namespace todoku::people {

struct Refusal {
  ErrorKind kind = ErrorKind::unauthorized;
  BilingualText reason;
  Milliseconds wait{};  // of limit_exceeded: so long until it may be tried again
  // Of unauthorized: it is known who asks, and they may not. Else somebody has to sign in.
  bool forbidden = false;
};

template <class T>
using Answer = std::expected<T, Refusal>;

// What people are told. As an Error on its way through a transaction it is its English.
namespace texts {

inline constexpr Sentence kWrong{
    "The address or the password is wrong, or signing in is not allowed from this network.",
    "メールアドレスまたはパスワードが正しくないか、このネットワークからのサインインが許可されていま"
    "せん。"};
inline constexpr Sentence kWrongCode{"This code is wrong, or was used already.",
                                     "コードが正しくないか、すでに使用されています。"};
inline constexpr Sentence kWrongPassword{"The password is wrong.",
                                         "パスワードが正しくありません。"};
inline constexpr Sentence kSignedOut{
    "Sign in again: this sign-in is over.",
    "サインインの有効期限が切れました。もう一度サインインしてください。"};
inline constexpr Sentence kElsewhere{
    "Your account allows this only from certain networks, and this is none of them.",
    "このアカウントでは、許可されたネットワークからのみ操作できます。"};
inline constexpr Sentence kHalf{"The code of your second factor is still missing.",
                                "2段階認証のコードを入力してください。"};
inline constexpr Sentence kNotHalf{"You are signed in already.", "すでにサインインしています。"};
inline constexpr Sentence kSetUp{"Your account requires a second factor: set one up first.",
                                 "このアカウントでは2段階認証が必須です。先に設定してください。"};
inline constexpr Sentence kMayNot{"Your role does not allow this.",
                                  "現在の権限ではこの操作はできません。"};
inline constexpr Sentence kMayNotGrant{"Nobody can give a role that does more than their own.",
                                       "自分の権限を超える権限は付与できません。"};
inline constexpr Sentence kOwnRole{
    "Nobody changes their own role, or suspends or removes themselves.",
    "自分自身の権限の変更、停止、削除はできません。"};
inline constexpr Sentence kNotThisRole{
    "Operators belong to no account, and everybody else to one.",
    "運用者の権限は、アカウントに属さない利用者にのみ設定できます。"};
inline constexpr Sentence kLast{"The last owner stays, and so does the last operator.",
                                "最後のオーナーまたは運用者は、変更・停止・削除できません。"};
inline constexpr Sentence kNobody{"There is no such person.", "該当する利用者がいません。"};
inline constexpr Sentence kNoAccount{"There is no such account.",
                                     "該当するアカウントがありません。"};
// Whoever has it, in whichever account.
inline constexpr Sentence kTaken{"This address cannot be used for a new person.",
                                 "このメールアドレスは新しい利用者には使用できません。"};
inline constexpr Sentence kTooMany{"There are as many people as there may be.",
                                   "利用者数が上限に達しています。"};
inline constexpr Sentence kBadAddress{"This is no mail address.",
                                      "メールアドレスの形式が正しくありません。"};
inline constexpr Sentence kBadName{
    "A name has 1 to 100 characters, and none that controls or that nobody can see.",
    "名前は1文字以上100文字以下で、制御文字や見えない文字を含めずに入力してください。"};
inline constexpr Sentence kBadLanguage{"The language is \"ja\" or \"en\".",
                                       "言語は \"ja\" または \"en\" を指定してください。"};
inline constexpr Sentence kBadNetwork{
    "Networks are written like 192.0.2.0/24 or 2001:db8::/32, 100 at most.",
    "ネットワークは 192.0.2.0/24 や 2001:db8::/32 の形式で、100件以内で指定してください。"};
inline constexpr Sentence kRulesOfAccounts{
    "These rules are of an account: say for which one you act.",
    "この設定はアカウントごとのものです。先に対象のアカウントを選択してください。"};
inline constexpr Sentence kApprovalStays{
    "Approval of bulks is taken off by an operator of the installation.",
    "一斉配信の承認を無効にできるのは、運用者だけです。"};
inline constexpr Sentence kShutOut{
    "These networks do not include your own: you would be shut out.",
    "接続中のネットワークが含まれていないため、設定すると自分がサインインできなくなります。"};
inline constexpr Sentence kLinkOver{
    "This link is not valid any more: it was used, or its time is over. Ask for another one.",
    "このリンクは使用済みか、有効期限が切れています。新しいリンクを発行してください。"};
inline constexpr Sentence kNoFactor{"There is no second factor.",
                                    "2段階認証は設定されていません。"};
inline constexpr Sentence kHasFactor{"There is a second factor already: remove it first.",
                                     "2段階認証はすでに設定されています。先に解除してください。"};
inline constexpr Sentence kNothingOffered{"Begin setting up the second factor again.",
                                          "2段階認証の設定をはじめからやり直してください。"};
inline constexpr Sentence kFactorRequired{
    "Your account requires a second factor.",
    "このアカウントでは2段階認証が必須のため、解除できません。"};
inline constexpr Sentence kHasPassword{"This person has a password already.",
                                       "この利用者はすでにパスワードを設定しています。"};
inline constexpr Sentence kSuspended{
    "This account is suspended: no mail goes to people in its name, and nobody is added.",
    "このアカウントは停止中です。利用者の追加や、利用者へのメール送信はできません。"};
inline constexpr Sentence kMailedTooOften{
    "Too many such mails were asked for. Try again later.",
    "メールの送信回数が上限に達しました。しばらくしてからやり直してください。"};
inline constexpr Sentence kNoSignIn{"There is no such sign-in, or it is over.",
                                    "該当するサインインがないか、すでに終了しています。"};
inline constexpr Sentence kBadPlace{
    "The place of a text that is kept is UTF-8 of 1 to 100 octets, without control characters.",
    "保存先の名前は、制御文字を含まないUTF-8で、1〜100オクテットにしてください。"};
inline constexpr Sentence kNoMail{"Mail cannot be sent from here at this moment.",
                                  "現在、メールを送信できません。"};
inline constexpr Sentence kMayNotGrantKey{
    "Nobody can make a key that does more than they may themselves.",
    "自分の権限を超えるキーは作成できません。"};
inline constexpr Sentence kActsForAnother{
    "This sign-in acts for another account by now: nothing was done.",
    "このサインインの対象アカウントは切り替えられています。操作は実行されませんでした。"};
inline constexpr Sentence kTooManyKeys{
    "There are as many of them as there may be: end those that nobody uses.",
    "発行数が上限に達しています。使われていないものを無効にしてください。"};
inline constexpr Sentence kTooOften{"Too much was wrong. Try again later.",
                                    "試行回数が多すぎます。しばらくしてからやり直してください。"};

}  // namespace texts

[[nodiscard]] std::unexpected<Refusal> refuse(ErrorKind kind, const Sentence& reason,
                                              Milliseconds wait = {});
// Of an error that has the English of a text above, in both; of another, as it is.
[[nodiscard]] std::unexpected<Refusal> refuse(Error error);

// For transactions.
[[nodiscard]] std::unexpected<Error> stop(ErrorKind kind, const Sentence& reason);

}  // namespace todoku::people
