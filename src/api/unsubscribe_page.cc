// SPDX-License-Identifier: Apache-2.0
#include "api/unsubscribe_page.h"

#include <array>

#include <fmt/format.h>

#include "api/html_text.h"
#include "base/utf8.h"

namespace todoku::api {
namespace {

using Says = UnsubscribePage::Says;

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="{}"><head><meta charset="utf-8"><title>{}</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex,nofollow"><style>
:root{{color-scheme:light dark}}
body{{font:1rem/1.7 system-ui,"Hiragino Sans","Noto Sans CJK JP",sans-serif}}
body{{max-width:34rem;margin:12vh auto;padding:0 1.25rem}}
h1{{font-size:1.35rem;line-height:1.4}}
button{{font:inherit;padding:.6rem 1.1rem;margin:.35rem .5rem .35rem 0;cursor:pointer}}
button{{border:1px solid currentColor;border-radius:.4rem;background:transparent;color:inherit}}
button.first{{background:#1b4d8f;border-color:#1b4d8f;color:#fff}}
button:focus-visible{{outline:3px solid #7aa7e0;outline-offset:2px}}
.note{{opacity:.8;font-size:.9rem}}
</style></head><body><main>
)";

Sentence title_of(Says says) {
  switch (says) {
    case Says::asks:
      return {"Unsubscribe", "配信停止"};
    case Says::left:
      return {"You are unsubscribed", "配信を停止しました"};
    case Says::was_left:
      return {"You are unsubscribed already", "すでに配信を停止しています"};
    case Says::taken_back:
      return {"You get this mail again", "配信停止を取り消しました"};
    case Says::taken_back_in_part:
      return {"Undone in part", "一部を取り消しました"};
    case Says::nothing_to_undo:
      return {"There is nothing to undo", "取り消すものがありません"};
    case Says::too_often:
      return {"Not again today", "本日はこれ以上取り消せません"};
    case Says::no_link:
      return {"This link is damaged", "リンクが正しくありません"};
    case Says::stale_form:
      return {"Nothing was changed", "何も変更していません"};
    case Says::failed:
      return {"This did not work", "処理できませんでした"};
  }
  return {};
}

std::string sender_in(const UnsubscribePage& page, Language language) {
  const auto& [name, address] = page.sender;
  if (address.empty()) return language == Language::japanese ? "送信者" : "this sender";
  return name.empty() ? escaped_html(address)
                      : fmt::format("{} &lt;{}&gt;", escaped_html(name), escaped_html(address));
}

std::string what_of(const UnsubscribePage& page, Language language) {
  const bool ja = language == Language::japanese;
  if (page.leaves == intake::Leaves::list && !page.list_id.empty()) {
    return fmt::format(fmt::runtime(ja ? "リスト「{}」のメール" : "mail of the list “{}”"),
                       escaped_html(page.list_id));
  }
  return ja ? "広告メール" : "advertisements";
}

std::string text_of(const UnsubscribePage& page, Language language) {
  const bool ja = language == Language::japanese;
  const std::string address = escaped_html(masked_address(page.address));
  const std::string sender = sender_in(page, language);
  const std::string what = what_of(page, language);
  const auto say = [&](std::string_view en, std::string_view japanese) {
    return fmt::format(fmt::runtime(ja ? japanese : en), fmt::arg("address", address),
                       fmt::arg("sender", sender), fmt::arg("what", what));
  };
  switch (page.says) {
    case Says::asks:
      return say("<p>{address} gets mail from {sender}. What shall end?</p>",
                 "<p>{address} は {sender} "
                 "からのメールを受け取っています。どのメールを停止しますか。</p>");
    case Says::left:
    case Says::was_left:
      return say(
          "<p>{address} gets no more {what} from {sender}. Mail that is on its way at this moment "
          "may still come.</p><p class=\"note\">Mail that you need, such as a password reset or a "
          "receipt, is still sent.</p>",
          "<p>{sender} から {address} への{what}を停止しました。すでに送信中のメールは届くことが"
          "あります。</p><p class=\"note\">パスワードの再設定や領収書など、必要なメールは引き続き"
          "送られます。</p>");
    case Says::taken_back:
      return say("<p>{address} gets {what} from {sender} as before.</p>",
                 "<p>{sender} から {address} への{what}を再開します。</p>");
    case Says::taken_back_in_part:
      return say(
          "<p>This was undone. {address} still gets no {what} from {sender}, because something "
          "else stops it: all its advertisements, say. Write to {sender} to get it "
          "again.</p>",
          "<p>取り消しましたが、別の停止（広告メール全体など）が残っているため、{sender} から "
          "{address} "
          "への{what}は引き続き停止しています。再開するには {sender} にご連絡ください。</p>");
    case Says::nothing_to_undo:
      return say(
          "<p>Nothing was changed: it was undone before, or recorded anew since.</p>",
          "<p>何も変更していません。すでに取り消されているか、その後あらためて登録されています。</"
          "p>");
    case Says::too_often:
      return say(
          "<p>This was undone several times today. Nothing was changed; to get mail again, "
          "write to {sender}.</p>",
          "<p>本日すでに何度も取り消されています。何も変更していません。再開するには {sender} に"
          "ご連絡ください。</p>");
    case Says::no_link:
      return say(
          "<p>The address of this page is not one that a mail had. Copy the whole link from "
          "the mail, or answer the mail and ask its sender.</p>",
          "<p>このページのアドレスはメールに記載されたものではありません。メールのリンク全体を"
          "コピーするか、メールに返信して送信者にお問い合わせください。</p>");
    case Says::stale_form:
      return say("<p>Nothing was changed. Open the link of the mail again.</p>",
                 "<p>何も変更していません。メールのリンクをもう一度開いてください。</p>");
    case Says::failed:
      return say("<p>Nothing was changed. Please try again in a few minutes.</p>",
                 "<p>何も変更していません。数分後にもう一度お試しください。</p>");
  }
  return {};
}

std::string button(std::string_view form, std::string_view label, bool is_first) {
  return fmt::format(
      R"(<form method="post"><input type="hidden" name="form" value="{}"><button{}>{}</button></form>)"
      "\n",
      escaped_html(form), is_first ? R"( class="first")" : "", label);
}

std::string buttons_of(const UnsubscribePage& page, Language language) {
  const bool ja = language == Language::japanese;
  const UnsubscribeForms& forms = page.forms;
  std::string out;
  if (!forms.leave_list.empty()) {
    const std::string list = escaped_html(page.list_id);
    out += button(forms.leave_list,
                  ja ? fmt::format("リスト「{}」だけ停止する", list)
                     : fmt::format("Only the list “{}”", list),
                  true);
  }
  if (!forms.leave_all.empty()) {
    out +=
        button(forms.leave_all,
               ja ? "この送信者の広告メールをすべて停止する" : "All advertisements of this sender",
               forms.leave_list.empty());
  }
  if (!forms.take_back.empty()) {
    out += button(forms.take_back, ja ? "取り消す" : "Undo", false);
    out += ja ? "<p class=\"note\">停止から1時間以内なら取り消せます。</p>"
              : "<p class=\"note\">It can be undone within an hour.</p>";
  }
  return out;
}

}  // namespace

std::string masked_address(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos) return "***";
  const std::string_view local = address.substr(0, at);
  const std::size_t shown = utf8_length(local) > 3 ? 2 : 1;
  std::size_t octets = 0;
  for (std::size_t i = 0; i < shown && octets < local.size(); ++i) {
    octets += std::max<std::size_t>(decode_utf8(local.substr(octets)).octets, 1);
  }
  return fmt::format("{}***{}", local.substr(0, octets), address.substr(at));
}

std::string to_html(const UnsubscribePage& page, Language language) {
  const std::string title = escaped_html(title_of(page.says).in(language));
  std::string out = fmt::format(kHead, language == Language::japanese ? "ja" : "en", title);
  out += fmt::format("<h1>{}</h1>\n", title);
  out += text_of(page, language);
  out += '\n';
  out += buttons_of(page, language);
  return out + "</main></body></html>\n";
}

}  // namespace todoku::api
