// SPDX-License-Identifier: Apache-2.0
// What a mail says and shows: links, pictures, files, codes that are none (preflight_content.h).
#include <array>

#include "doctor/preflight_tables.h"

namespace todoku::doctor {
namespace {

using namespace preflight_words;

constexpr Sentence kDeadLink{"Who clicks comes nowhere, and filters count it against the mail.",
                             "クリックしても開けず、迷惑メールの判定でも不利になります。"};

// {0}: the first of them, {1}: how many there are, {2}: what is said beside it.
constexpr std::array kContentTexts{
    PreflightText{
        "insert_code_malformed",
        Kind::body,
        kWarned,
        false,
        kNoReceiver,
        {"{0} looks like an insert code and is none ({1} in this mail).",
         "{0} は差し込みコードのようですが、コードではありません（このメールに {1} 個）。"},
        {"It is sent as it is written.", "そのままの文字で届きます。"},
        {"Write __name__ or %%name%%: 1 to 16 letters and digits.",
         "__name__ または %%name%% の形（英数字 1〜16 文字）で書いてください。"}},
    PreflightText{
        "insert_code_braces",
        Kind::body,
        kWarned,
        false,
        kNoReceiver,
        {"{0} is an insert code in templates only, and this mail is not of one ({1} in this mail).",
         "{0} はテンプレートだけの差し込みコードですが、このメールはテンプレートを使っていません"
         "（このメールに {1} 個）。"},
        {"It is sent as it is written.", "そのままの文字で届きます。"},
        {"Keep the content as a template (todoku templates add) and name it (--template), or write "
         "__name__ or %%name%%: 1 to 16 letters and digits.",
         "内容をテンプレートとして保存し（todoku templates add）、--template で指定してください。"
         "または __name__、%%name%% の形（英数字 1〜16 文字）で書いてください。"}},
    PreflightText{
        "link_unreadable",
        Kind::body,
        kBad,
        false,
        kEverybody,
        {"The link {0} is none: {2} ({1} in this mail).",
         "リンク {0} が正しくありません: {2}（このメールに {1} 個）。"},
        kDeadLink,
        {"Write it as https://host/path.", "https://ホスト名/パス の形で書いてください。"}},
    PreflightText{
        "link_leads_nowhere",
        Kind::body,
        kBad,
        false,
        kEverybody,
        {"The link {0} leads nowhere from a mail ({1} in this mail).",
         "リンク {0} はメールからは開けません（このメールに {1} 個）。"},
        kDeadLink,
        {"Links in mail need a whole address that everybody reaches: https, a host with a domain, "
         "no machine of your own.",
         "誰でも到達できる完全な URL（https "
         "とドメイン付きのホスト名）を書いてください。社内や自分の"
         "端末のアドレスは使えません。"}},
    PreflightText{"link_by_number",
                  Kind::body,
                  kWarned,
                  false,
                  kEverybody,
                  {"The link {0} has an IP address for its host ({1} in this mail).",
                   "リンク {0} のホストが IP アドレスです（このメールに {1} 個）。"},
                  {"Filters take it for a sign of phishing.", "フィッシングの特徴とみなされます。"},
                  {"Use a host name.", "ホスト名を使ってください。"}},
    PreflightText{"link_text_differs",
                  Kind::body,
                  kWarned,
                  false,
                  kEverybody,
                  {"The text {0} links to another site: {2} ({1} in this mail).",
                   "文字列 {0} のリンク先が別のサイトです: {2}（このメールに {1} 個）。"},
                  {"So do phishing mails; mail programs warn of it.",
                   "フィッシングの典型で、メールソフトが警告を表示します。"},
                  {"Write what the link is about instead of an address.",
                   "URL ではなく、リンクの内容を示す言葉にしてください。"}},
    PreflightText{"image_without_alt",
                  Kind::body,
                  kWarned,
                  false,
                  kNoReceiver,
                  {"The picture {0} has no alt ({1} in this mail).",
                   "画像 {0} に alt がありません（このメールに {1} 個）。"},
                  {"Who sees no pictures, or hears the mail read, does not know what it is.",
                   "画像を表示しない人や読み上げを使う人に内容が伝わりません。"},
                  {"Give it one; alt=\"\" where it is mere decoration.",
                   "alt を付けてください。装飾だけの画像は alt=\"\" とします。"}},
    PreflightText{
        "image_not_shown",
        Kind::body,
        kBad,
        false,
        kEverybody,
        {"The picture {0} is not shown in a mail ({1} in this mail).",
         "画像 {0} はメールでは表示されません（このメールに {1} 個）。"},
        {"A mail has no folder that a path could start from, and Gmail and Outlook leave "
         "out data: URLs.",
         "メールには相対パスの起点がなく、Gmail や Outlook は data: URL を表示しません。"},
        {"Use https, or an inline part and cid:.",
         "https の URL か、インラインパートと cid: を使ってください。"}},
    PreflightText{
        "image_large",
        Kind::body,
        kWarned,
        false,
        kCarriers,
        {"The picture {0} has {2} octets ({1} so large in this mail).",
         "画像 {0} が {2} オクテットあります（同様の画像が {1} 個）。"},
        {"The mail is slow to open on a phone.", "スマートフォンで開くのに時間がかかります。"},
        {"Make it smaller, or link it.", "縮小するか、リンクにしてください。"}},
    PreflightText{
        "html_active",
        Kind::body,
        kWarned,
        false,
        kEverybody,
        {"The HTML has <{0}>, which mail programs take out ({1} in this mail).",
         "HTML にメールソフトが取り除く <{0}> があります（このメールに {1} 個）。"},
        {"It does nothing, and filters take it for a sign of malice.",
         "動作せず、悪意のあるメールの特徴とみなされます。"},
        {"Leave it out: link a page that does it; write styles into the mail.",
         "取り除いてください。必要な機能はリンク先のページに置き、スタイルはメール内に書きます。"}},
    PreflightText{
        "file_refused",
        Kind::body,
        kBad,
        false,
        kOnlyGmail,
        {"Gmail refuses mail with a file of the kind of {0} ({1} in this mail).",
         "Gmail は {0} の種類の添付ファイルがあるメールを拒否します（このメールに {1} 個）。"},
        {"552 5.7.0, and in archives likewise.", "552 5.7.0 で拒否されます。圧縮しても同じです。"},
        {"Put it on a server and link it.", "サーバーに置いてリンクしてください。"}},
};

}  // namespace

std::span<const PreflightText> preflight_content_texts() {
  return kContentTexts;
}

}  // namespace todoku::doctor
