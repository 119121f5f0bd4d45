// SPDX-License-Identifier: Apache-2.0
#include "mime/html_text.h"

#include <chrono>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"

namespace todoku::mime {
namespace {

TEST(HtmlToText, SetsParagraphsHeadingsAndBreaksInLines) {
  EXPECT_EQ(html_to_text("<h1>ご注文</h1><p>山田 様</p><p>ありがとう<br>ございます。</p>"
                         "<div>a</div><div>b</div>c"),
            "ご注文\n\n山田 様\n\nありがとう\nございます。\n\na\nb\nc");
  EXPECT_EQ(html_to_text("a<br><br><br><br><br>b<hr>c"), "a\n\n\nb\n\n--------\n\nc");
  EXPECT_EQ(html_to_text("<p>one<br></p>\n\n<p> two </p>\n"), "one\n\ntwo");
  EXPECT_EQ(html_to_text("<pre>\n  a\n   b &lt;c&gt;\n</pre>d"), "  a\n   b <c>\n\nd");
}

TEST(HtmlToText, CollapsesWhiteSpaceButKeepsJapaneseTextTogether) {
  EXPECT_EQ(html_to_text("  one\n\ttwo&nbsp;&nbsp;three  "), "one two three");
  EXPECT_EQ(html_to_text("<p>長い文を\n    折り返して\n書く。\nEnd of\nline</p>"),
            "長い文を折り返して書く。 End of line");
  EXPECT_EQ(html_to_text("全角　空白 半角"), "全角　空白 半角");
  EXPECT_EQ(html_to_text("👨‍👩‍👧 ok&shy;ay"), "👨‍👩‍👧 okay");
}

TEST(HtmlToText, WritesLinksWithTheirTargetOnce) {
  EXPECT_EQ(html_to_text(R"(<a href="https://example.jp/a?b=1&amp;c=2">こちら</a>から)"),
            "こちら <https://example.jp/a?b=1&c=2>から");
  EXPECT_EQ(html_to_text(R"(<a href="https://example.jp/">https://example.jp</a>)"),
            "https://example.jp");
  EXPECT_EQ(
      html_to_text(R"(<ul><li>a</li><li><a href="https://example.jp/x">example.jp/x</a></ul>)"),
      "- a\n- example.jp/x");
  EXPECT_EQ(html_to_text(R"(<A HREF='mailto:info@example.jp'>info@example.jp</A>)"),
            "info@example.jp");
  EXPECT_EQ(html_to_text("<a href='#top'>up</a> <a href='javascript:x()'>x</a> <a name=n>n</a>"),
            "up x n");
  EXPECT_EQ(html_to_text(R"(<a href="https://example.jp/"><img src=x alt="Shop"></a>)"),
            "Shop <https://example.jp/>");
  EXPECT_EQ(html_to_text(R"(<a href="https://example.jp/?a=1&copy=2">x</a>)"),
            "x <https://example.jp/?a=1&copy=2>");
  EXPECT_EQ(html_to_text(R"(<a href="https://a.example/">one<a href="https://b.example/">two)"),
            "one <https://a.example/>two <https://b.example/>");
}

TEST(HtmlToText, SetsListsTablesAndQuotations) {
  EXPECT_EQ(html_to_text("x<ul><li>a<li>b<ol start=9><li>c</li><li>d</li></ol></ul>y"),
            "x\n\n- a\n- b\n  9. c\n  10. d\n\ny");
  EXPECT_EQ(html_to_text("<table><tr><th>商品</th><th>数量</th></tr>\n<tr><td>りんご</td> "
                         "<td>3</td></tr></table>z"),
            "商品 | 数量\nりんご | 3\nz");
  EXPECT_EQ(html_to_text("<table role=presentation><tr><td>a</td><td></td><td>b</td></tr></table>"),
            "a b");
  EXPECT_EQ(
      html_to_text("<table role=none><tr><td><table><tr><td>a<td>b</table><td>c<td>d</table>"),
      "a | b\nc d");
  EXPECT_EQ(html_to_text("a<blockquote>b<br>c<ul><li>d</ul></blockquote>e"),
            "a\n\n> b\n> c\n\n> - d\n\ne");
}

TEST(HtmlToText, KeepsEmptyCellsWhereColumnsHaveHeadings) {
  EXPECT_EQ(html_to_text("<table><tr><th>商品<th>色<th>数<tr><td>りんご<td><td>3<tr><td><td>赤<td> "
                         "<tr><td>梨</table>z"),
            "商品 | 色 | 数\nりんご |  | 3\n| 赤\n梨\nz");
  EXPECT_EQ(html_to_text("<table><tr><td width=9></td><td>a</td><td></td><td>b</table>"), "a | b");
}

TEST(HtmlToText, MarksWhatIsStruckOut) {
  EXPECT_EQ(html_to_text("通常<s>1,000円</s>800円"), "通常~~1,000円~~800円");
  EXPECT_EQ(html_to_text("was <del> $10 </del> now $8"), "was ~~$10~~ now $8");
  EXPECT_EQ(html_to_text("<p style=\"text-decoration: Line-Through\">old <b>price</b></p><p>new"),
            "~~old price~~\n\nnew");
  EXPECT_EQ(html_to_text("<del><p>a</p><p>b</p></del>c"), "~~a~~\n\n~~b~~\n\nc");
  EXPECT_EQ(html_to_text("<s><s>a</s>b</s>c<s></s>d<s>e"), "~~ab~~cd~~e~~");
}

TEST(HtmlToText, ReadsCharacterReferences) {
  EXPECT_EQ(html_to_text("&lt;b&gt; &amp;amp; &yen;100 &#26085;&#x672C; &hearts; &apos;"),
            "<b> &amp; ¥100 日本 ♥ '");
  EXPECT_EQ(html_to_text("AT&T &unknown; &; &# &#x; a&b=c &amp"),
            "AT&T &unknown; &; &# &#x; a&b=c &");
  EXPECT_EQ(html_to_text("&#150;&#0;&#27;&#xD800;&#x110000;&#xFFFE;"), "–\uFFFD\uFFFD");
}

TEST(HtmlToText, LeavesOutWhatNobodySees) {
  EXPECT_EQ(html_to_text("<!DOCTYPE html><html><head><meta charset=utf-8><title>T</title>"
                         "<style>p{color:red}</style><script>if(a<b)x('</p>')</script></head>"
                         "<body>seen<!-- not <b>seen</b> --><!--[if mso]>mso<![endif]-->"
                         "<![if !mso]>!<![endif]></body></html>"),
            "seen!");
  EXPECT_EQ(
      html_to_text("<STYLE>x</STYLE >a<img src=t.gif width=1 alt=\"\"><svg><text>s</text></svg>"),
      "a");
  EXPECT_EQ(html_to_text("a < b, c <3 <"), "a < b, c <3 <");
  EXPECT_EQ(html_to_text("<img src=x.png>"), "");
  EXPECT_EQ(html_to_text("a<b title=\"1 > 0\">c</b><a href='x"), "ac");
}

TEST(HtmlToText, KeepsAPreheaderShortAndDropsOtherHiddenText) {
  std::string filler;
  for (int i = 0; i < 200; ++i) filler += "&nbsp;&zwnj;&#847;";
  EXPECT_EQ(html_to_text("<body><div style=\"Display : none\">本日<b>限り</b>" + filler +
                         "</div><p>本文</p><p style=\"display:none\">other</p>z"),
            "本日限り\n\n本文\n\nz");
  const std::string cut =
      html_to_text("<span hidden>" + std::string(500, 'x') + "</span><p>seen</p>");
  EXPECT_EQ(cut, std::string(100, 'x') + "\n\nseen");
  EXPECT_EQ(html_to_text("<div style='max-height:0;overflow:hidden'>p</div>s"), "p\n\ns");
  EXPECT_EQ(html_to_text("<div style='max-height:0.5em;overflow:hidden'>p</div>s"), "p\ns");
  EXPECT_EQ(html_to_text("<div style='VISIBILITY: hidden'>p</div><p hidden>q</p>s"), "p\n\ns");
  // Nobody can say where this ends: better too much than nothing.
  EXPECT_EQ(html_to_text("seen<p style=\"display:none\">a<p>b</p>c"), "seen\n\na\n\nb\n\nc");
}

TEST(HtmlToText, DropsTextWithoutSizeButNotWhatHasOneInside) {
  EXPECT_EQ(html_to_text("a<span style=\"font-size:0\">secret</span>b"), "ab");
  EXPECT_EQ(html_to_text("a<span style=\"color:red; Font-Size : 0.0px !important\">x</span>b"),
            "ab");
  // Columns side by side without a gap, and a picture.
  EXPECT_EQ(html_to_text("<td style='font-size:0'><div style='font-size:14px'>one</div> gap "
                         "<div style='font-size:14px'><div>two</div></div><img alt=Shop></td>z"),
            "one\ntwo\nShopz");
  EXPECT_EQ(
      html_to_text("<table style='font-size:0'><tr><td style='font-size:16px'>a<td>b</table>c"),
      "a | b\nc");
  EXPECT_EQ(
      html_to_text("<p style='font-size:0.5em'>a</p><p style='font-size:10px'>b</p>"
                   "<p style='mso-font-size:0'>c</p><p style='font-size:0;font-size:9px'>d</p>"),
      "a\n\nb\n\nc\n\nd");
  EXPECT_EQ(html_to_text("<div style='font-size:0'><div>x</div>y</div>z"), "z");
  EXPECT_EQ(html_to_text("a<br style='font-size:0'>b"), "a\nb");
  // As with what is hidden: better too much than nothing.
  EXPECT_EQ(html_to_text("seen<td style='font-size:0'>a<td>b"), "seen | a | b");
}

TEST(HtmlToText, LeavesInsertCodesAsTheyAre) {
  EXPECT_EQ(html_to_text("<p>__name__ 様</p><a href=\"%%url%%\">__label__</a> <img alt=\"__alt__\">"
                         "<a href=\"https://example.jp/?u=__id__&amp;x=%%y1%%\">y</a>"),
            "__name__ 様\n\n__label__ <%%url%%> __alt__y <https://example.jp/?u=__id__&x=%%y1%%>");
}

// Hostile nesting, unclosed markup, and anything at all: bounded, and well-formed.
TEST(HtmlToText, IsBoundedForAnyInput) {
  SeededRandom random(5);
  const std::vector<std::string> pieces{
      "<",    ">",    "<b>", "</i>",       "<hr>", "<li>", "<ul>",    "<td>",     "<a href=x>",
      "</a>", "<!--", "-->", "<p hidden>", "&lt;", "&#",   "\"",      "'",        "=",
      " ",    "\n",   "語",  "<pre>",      "</",   "<br>", "<style>", "</style>", "<blockquote>",
      "x",    "__a__"};
  for (int i = 0; i < 3000; ++i) {
    std::string html;
    for (std::uint64_t n = random.below(40); n > 0; --n)
      html += pieces[random.below(pieces.size())];
    const std::string text = html_to_text(html);
    ASSERT_LE(text.size(), 2 * html.size() + 64) << html;
    ASSERT_TRUE(is_utf8(text)) << html;
    ASSERT_FALSE(text.contains("\n\n\n\n")) << html;
  }
}

TEST(HtmlToText, TakesLinearTimeForHostileNesting) {
  const auto repeated = [](std::string_view piece, std::size_t octets) {
    std::string out;
    while (out.size() < octets) out += piece;
    return out;
  };
  constexpr std::size_t kOctets = 2'000'000;
  const SteadyInstant began = SystemClock().steady_now();
  for (const std::string_view piece :
       {"<b>", "<a href=", "<!--", "<style>", "</style", "<p hidden>", "<a href=x>", "<ul><li>",
        "<p style=font-size:0>", "<i style=font-size:1em>", "<blockquote>", "&", "&#1",
        "<td style='", "</i>", "<x \"", "<div hidden></div>"}) {
    const std::string html = repeated(piece, kOctets / 2) + repeated("</q>", kOctets / 2);
    EXPECT_LE(html_to_text(html).size(), 2 * html.size() + 64) << piece;
  }
  // Quadratic would be minutes for each.
  EXPECT_LT(SystemClock().steady_now() - began, std::chrono::seconds(60));
}

}  // namespace
}  // namespace todoku::mime
