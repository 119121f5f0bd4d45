// SPDX-License-Identifier: Apache-2.0
#include "people/letters.h"

#include <fmt/format.h>

#include "mime/insert_code.h"
#include "people/people.h"

namespace todoku::people {
namespace {

struct Words {
  Sentence subject;
  Sentence why;
  Sentence button;
  Sentence otherwise;
};

constexpr Sentence kHowLong{
    "The link is good once, for {} minutes. Open it in a browser.",
    "リンクは1回だけ使用でき、有効期限は{}分です。ブラウザーで開いてください。"};

constexpr Words kInvitation{
    {"You are invited to todoku", "todoku への招待"},
    {"You have been invited to the console of todoku, the mail delivery engine. Choose a password "
     "to begin:",
     "メール配信エンジン todoku の管理画面に招待されました。次のリンクからパスワードを設定して"
     "ください。"},
    {"Choose a password", "パスワードを設定する"},
    {"If you did not expect this, do nothing: without the link nobody can sign in as you.",
     "お心当たりがない場合は、このメールを破棄してください。リンクを開かない限り、何も設定され"
     "ません。"}};

constexpr Words kReset{
    {"Your new password for todoku", "todoku のパスワード再設定"},
    {"Somebody, probably you, has asked to set a new password for the console of todoku:",
     "todoku の管理画面のパスワード再設定を受け付けました。次のリンクから新しいパスワードを設定"
     "してください。"},
    {"Set a new password", "パスワードを再設定する"},
    {"If it was not you, do nothing: your password stays as it is. Your second factor stays in any "
     "case.",
     "お心当たりがない場合は、このメールを破棄してください。パスワードは変更されません。再設定し"
     "ても2段階認証の設定は変わりません。"}};

constexpr Words kConfirm{
    {"Confirm your address for todoku", "todoku のメールアドレスの確認"},
    {"Confirm that this address is yours, so that test mails can be sent to it:",
     "このメールアドレスがご本人のものであることを確認します。確認が済むと、このアドレスにテスト"
     "メールを送信できるようになります。"},
    {"Confirm the address", "メールアドレスを確認する"},
    {"If you did not expect this, do nothing.",
     "お心当たりがない場合は、このメールを破棄してください。"}};

constexpr Words kElsewhereInvited{
    {"You are known to todoku already", "todoku にはすでに登録されています"},
    {"Somebody has invited this address to an account of todoku. It belongs to another account "
     "there already, and so nothing has changed: go on signing in as before.",
     "このメールアドレスに、todoku の別のアカウントへの招待がありました。すでにほかのアカウントで"
     "登録されているため、招待は成立せず、何も変更されていません。これまでどおりサインインできます"
     "。"},
    {"Open the console", "管理画面を開く"},
    {"If you expected the invitation, ask for one to another address of yours.",
     "招待を受けたい場合は、別のメールアドレスに送るよう招待元に依頼してください。"}};

const Words& words_of(store::LinkPurpose purpose) {
  switch (purpose) {
    case store::LinkPurpose::reset:
      return kReset;
    case store::LinkPurpose::confirm:
      return kConfirm;
    case store::LinkPurpose::first_operator:  // is handed over, never mailed
    case store::LinkPurpose::invitation:
      break;
  }
  return kInvitation;
}

std::string escaped(std::string_view text) {
  std::string html;
  mime::append_escaped(html, text);
  return html;
}

std::string with_break(std::string text, std::string_view end) {
  if (!text.empty()) text += end;
  return text;
}

// `how_long`: a line of its own; empty: none.
Letter letter_of(const Words& words, Language language, std::string_view url,
                 const std::string& how_long) {
  Letter letter;
  letter.subject = words.subject.in(language);
  letter.text = fmt::format("{}\n\n{}\n\n{}{}\n", words.why.in(language), url,
                            with_break(how_long, "\n"), words.otherwise.in(language));
  letter.html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n"
      "<body style=\"font-family:sans-serif;line-height:1.6\">\n<p>{}</p>\n"
      "<p><a href=\"{}\">{}</a></p>\n<p>{}{}</p>\n</body></html>\n",
      language == Language::japanese ? "ja" : "en", escaped(words.subject.in(language)),
      escaped(words.why.in(language)), escaped(url), escaped(words.button.in(language)),
      with_break(escaped(how_long), "<br>"), escaped(words.otherwise.in(language)));
  return letter;
}

}  // namespace

Letter link_letter(store::LinkPurpose purpose, Language language, std::string_view url) {
  const Words& words = words_of(purpose);
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(kLinkLife).count();
  const std::string how_long = fmt::format(fmt::runtime(kHowLong.in(language)), minutes);
  return letter_of(words, language, url, how_long);
}

Letter elsewhere_letter(Language language, std::string_view url) {
  return letter_of(kElsewhereInvited, language, url, {});
}

}  // namespace todoku::people
