// SPDX-License-Identifier: Apache-2.0
#include "mime/html_text.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>
#include <time.h>

#include "base/bytes.h"
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

TEST(HtmlToText, StrikesOutWhatIsStruckAlsoWhereEndTagsAreLeftOut) {
  const std::string struck = " style=text-decoration:line-through>";
  EXPECT_EQ(html_to_text("<table><tr><th>Item<th>Price<tr><td>Tea<td" + struck +
                         "1000<td>500<tr><td>Cup<td>300</table><p>Total 800</p>"),
            "Item | Price\nTea | ~~1000~~ | 500\nCup | 300\n\nTotal 800");
  EXPECT_EQ(html_to_text("<table><tr" + struck + "<td>1<td>2<tr><td>3</table>z"),
            "~~1~~ | ~~2~~\n3\nz");
  EXPECT_EQ(html_to_text("<table><thead" + struck + "<tr><td>1<tbody><tr><td>2<tfoot" + struck +
                         "<tr><td>3</table>z"),
            "~~1~~\n2\n~~3~~\nz");
  EXPECT_EQ(html_to_text("<table><caption" + struck + "c<tr><td>1</table>z"), "~~c~~\n1\nz");
  EXPECT_EQ(html_to_text("<p" + struck + "old<p>new"), "~~old~~\n\nnew");
  EXPECT_EQ(html_to_text("<div><p" + struck + "OLD</div><div>NEW</div>"), "~~OLD~~\n\nNEW");
  EXPECT_EQ(html_to_text("<p" + struck + "old<ul><li" + struck + "a<li>b</ul>c"),
            "~~old~~\n\n- ~~a~~\n- b\n\nc");
  EXPECT_EQ(html_to_text("<dl><dt" + struck + "a<dd>b<dd" + struck + "c<dt>d</dl>e"),
            "~~a~~\nb\n~~c~~\nd\n\ne");
  EXPECT_EQ(html_to_text("<select><optgroup" + struck + "<option>a<optgroup><option" + struck +
                         "b<option>c</select>d"),
            "~~a~~\n~~b~~\nc\nd");
  EXPECT_EQ(html_to_text("<ruby>k<rp" + struck + "(<rt" + struck + "i<rp>)</ruby>z"),
            "k~~(~~~~i~~)z");
  // An inline element goes on in the next paragraph of its cell, not in the next cell.
  EXPECT_EQ(html_to_text("<p><s>a</p><p>b</s>c</p>"), "~~a~~\n\n~~b~~c");
  EXPECT_EQ(html_to_text("<table><tr><td><s>1000<td>500</table>z"), "~~1000~~ | 500\nz");
  EXPECT_EQ(html_to_text("<p>a<span" + struck + "b</p>c"), "a~~b~~\n\nc");
  EXPECT_EQ(html_to_text("<h2" + struck + "a</h3>b"), "~~a~~\n\nb");
  // An end tag of something around a cell is none inside it.
  EXPECT_EQ(html_to_text("<div><table><tr><td" + struck + "a</div>b</td><td>c</table>"),
            "~~a~~\n~~b~~ | c");
}

TEST(HtmlToText, MarksPicturesAndLinksThatAreStruckOut) {
  EXPECT_EQ(html_to_text("<s><img alt=\"1000 yen\"></s> 800 yen"), "~~1000 yen~~ 800 yen");
  EXPECT_EQ(html_to_text("<s>was <img alt=A></s>b"), "~~was A~~b");
  EXPECT_EQ(html_to_text("<s><a href=\"https://example.jp/\"><img src=x></a></s>b"),
            "~~<https://example.jp/>~~b");
}

TEST(HtmlToText, ReadsStylesAsDeclarations) {
  const auto styled = [](std::string_view style) {
    return html_to_text("a <span style=\"" + std::string(style) + "\">b</span>");
  };
  for (const std::string_view shown :
       {"/*text-decoration:line-through*/", "--x:line-through", "text-decoration:underline",
        "text-decoration:line-through;text-decoration:none", "x:'text-decoration:line-through'",
        "background:url(a;text-decoration:line-through)", "text-decoration-color:line-through",
        "text-decoration:none!important;text-decoration:line-through", "--display:none",
        "display:none;display:inline", "/*display:none*/", "content:'display:none'",
        "display:none-such", "mso-font-size:0"}) {
    EXPECT_EQ(styled(shown), "a b") << shown;
  }
  for (const std::string_view struck :
       {"text-decoration : underline\tLINE-THROUGH red", "text-decoration-line:line-through",
        "color:red;/*;*/text-decoration:/**/line-through !important;text-decoration:none",
        "background:url('a;b)');text-decoration:line-through"}) {
    EXPECT_EQ(styled(struck), "a ~~b~~") << struck;
  }
  for (const std::string_view hidden :
       {"display:none", "visibility:collapse", "color:red;DISPLAY:None ! important;display:block",
        "max-height:0px;overflow:hidden", "font-size:0"}) {
    EXPECT_EQ(styled(hidden), "a") << hidden;
  }
  // A decoration is that of the element that has it: nothing inside takes it away.
  EXPECT_EQ(html_to_text("<s>a<b style='text-decoration:none'>b</b></s>"), "~~ab~~");
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
  EXPECT_EQ(html_to_text("seen<div style=\"display:none\">a<p>b</p>c"), "seen\na\n\nb\n\nc");
}

TEST(HtmlToText, HidesWhatIsHiddenAlsoWhereEndTagsAreLeftOut) {
  EXPECT_EQ(html_to_text("x<ul><li hidden>S<li>b</ul><p>z"), "x\n\n- b\n\nz");
  EXPECT_EQ(html_to_text("x<ul><li hidden>S</ul><p>z"), "x\n\nz");
  EXPECT_EQ(html_to_text("<ul><li hidden>S<li>b</ul>"), "- b") << "no preheader";
  EXPECT_EQ(html_to_text("<table><tr><td>a<td hidden>S<td>b<tr style=display:none><td>S<tr><td>c"
                         "</table>z"),
            "a | b\nc\nz");
  EXPECT_EQ(html_to_text("x<table><tr><td hidden>S</table>z"), "x\nz");
  EXPECT_EQ(html_to_text("x<p hidden>S<p>b"), "x\n\nb");
  EXPECT_EQ(html_to_text("x<p hidden>S"), "x");
  EXPECT_EQ(html_to_text("<div>x<p hidden>S</div>b"), "x\nb");
  EXPECT_EQ(html_to_text("<div>x<span hidden>S</div>b"), "x\nb");
  EXPECT_EQ(html_to_text("x<dl><dt hidden>S<dd>b</dl>"), "x\n\nb");
  EXPECT_EQ(html_to_text("a<span hidden>S</span>b"), "ab");
  EXPECT_EQ(html_to_text("seen<table><tr><td style='font-size:0'>a<td>b</table>"), "seen\nb");
  // A hidden list is no part of the list around it.
  EXPECT_EQ(html_to_text("x<ol><li>a<ol hidden><li>S</ol><li>b</ol>"), "x\n\n1. a\n2. b");
  // What can have no content hides none.
  for (const std::string_view name : {"area", "base", "br", "col", "embed", "hr", "img", "input",
                                      "link", "meta", "param", "source", "track", "wbr"}) {
    EXPECT_EQ(html_to_text("x<" + std::string(name) + " hidden>y<p hidden>S</p>z"), "xy\nz")
        << name;
  }
  // Outside of a table its parts are none.
  EXPECT_EQ(html_to_text("<div><td hidden>a</div>b"), "a\nb");
}

TEST(HtmlToText, EndsListsAndQuotationsWithWhatTheyStandIn) {
  EXPECT_EQ(html_to_text("<table><tr><td><blockquote>a<ul><li>b</table>c"), "> a\n\n> - b\n\nc");
}

TEST(HtmlToText, ReadsOnBehindAWholePicture) {
  EXPECT_EQ(html_to_text("a<svg width=1 />b<math/>c<svg x=a/>S</svg>d"), "abcd");
}

TEST(HtmlToText, KeepsCellsUnderTheirHeadings) {
  const std::string head = "<table><tr><th>A<th>B<th>C<th>D";
  EXPECT_EQ(html_to_text(head + "<tr><td colspan=3>sum<td>9</table>"),
            "A | B | C | D\nsum |  |  | 9");
  EXPECT_EQ(html_to_text(head + "<tr><td rowspan=2>x<td>1<td rowspan=\" 2 \">y<td>2"
                                "<tr><td>3<td>4<tr><td>5</table>"),
            "A | B | C | D\nx | 1 | y | 2\n| 3 |  | 4\n5");
  EXPECT_EQ(html_to_text(head + "<tbody><tr><td rowspan=0>x<td>1<tr><td>2<tr><td>3"
                                "<tbody><tr><td>4</table>"),
            "A | B | C | D\nx | 1\n| 2\n| 3\n4");
  EXPECT_EQ(html_to_text(head + "<tr><td colspan=x>1<td colspan=0>2<td colspan=-3>3<td>4</table>"),
            "A | B | C | D\n1 | 2 | 3 | 4");
  EXPECT_EQ(html_to_text(head + "<tr><td><p>1</p></td><td><div><p>2</p></div>\n<td><br>3<br>"
                                "<td>4</table>z"),
            "A | B | C | D\n1 | 2 | 3 | 4\nz");
  // A cell of several lines cannot stand beside others.
  EXPECT_EQ(html_to_text(head + "<tr><td><p>1</p><p>2</p><td>3<td>4</table>z"),
            "A | B | C | D\n1\n\n2\n\n3 | 4\nz");
  EXPECT_EQ(html_to_text(head + "<tr><td><ul><li>1<li>2</ul><td>3</table>z"),
            "A | B | C | D\n\n- 1\n- 2\n\n3\nz");
  EXPECT_EQ(html_to_text("<table><tr><th>a<table><tr><td>1<td>2</table><th>b</table>z"),
            "a\n1 | 2\nb\nz");
  // Spans cannot make a text long.
  std::string html = "<table><tr><th rowspan=9999 colspan=9999>x";
  for (int i = 0; i < 100; ++i) html += "<tr><td>y<td>z";
  EXPECT_TRUE(html_to_text(html + "</table>end").ends_with("y | z\nend"));
}

TEST(HtmlToText, DropsTextWithoutSizeButNotWhatHasOneInside) {
  EXPECT_EQ(html_to_text("a<span style=\"font-size:0\">secret</span>b"), "ab");
  EXPECT_EQ(html_to_text("a<span style=\"color:red; Font-Size : 0.0px !important\">x</span>b"),
            "ab");
  // Columns side by side without a gap, and a picture.
  EXPECT_EQ(
      html_to_text("<table><td style='font-size:0'><div style='font-size:14px'>one</div> gap "
                   "<div style='font-size:14px'><div>two</div></div><img alt=Shop></td></table>z"),
      "one\ntwo\nShop\nz");
  EXPECT_EQ(html_to_text("<table style='font-size:0'><tr><td style='font-size:16px'>a<td "
                         "style='font-size:9px'>b</table>c"),
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

TEST(HtmlToText, EndsCommentsAndPlainElementsWhereBrowsersDo) {
  EXPECT_EQ(html_to_text("<p>A</p><!-- x --!><p>B</p><!-- y -- z --><p>C</p>"), "A\n\nB\n\nC");
  EXPECT_EQ(html_to_text("A<!-- x -- >y --->B<!-->C"), "ABC");
  EXPECT_EQ(html_to_text("<title>x</titles>y</title>A"), "A");
  EXPECT_EQ(html_to_text("<style>x</style\n>A<script>y</script/>B"), "AB");
}

TEST(HtmlToText, LeavesInsertCodesAsTheyAre) {
  EXPECT_EQ(html_to_text("<p>__name__ 様</p><a href=\"%%url%%\">__label__</a> <img alt=\"__alt__\">"
                         "<a href=\"https://example.jp/?u=__id__&amp;x=%%y1%%\">y</a>"),
            "__name__ 様\n\n__label__ <%%url%%> __alt__y <https://example.jp/?u=__id__&x=%%y1%%>");
}

// Octets that are no UTF-8 become longer than they were.
TEST(HtmlToText, EndsWithoutALineEndAlsoWhereItIsCutOff) {
  for (std::size_t broken = 60; broken < 90; ++broken) {
    const std::string text = html_to_text(std::string(broken, '\xff') + "<p>" + "\xff");
    EXPECT_FALSE(text.ends_with('\n')) << broken;
  }
}

// Hostile nesting, unclosed markup, and anything at all: bounded, and well-formed.
TEST(HtmlToText, IsBoundedForAnyInput) {
  SeededRandom random(5);
  const std::vector<std::string> pieces{"<",
                                        ">",
                                        "<b>",
                                        "</i>",
                                        "<hr>",
                                        "<li>",
                                        "<ul>",
                                        "<td>",
                                        "<a href=x>",
                                        "</a>",
                                        "<!--",
                                        "-->",
                                        "<p hidden>",
                                        "&lt;",
                                        "&#",
                                        "\"",
                                        "'",
                                        "=",
                                        "<table>",
                                        "</table>",
                                        "<tr>",
                                        "<th colspan=3 rowspan=2>",
                                        "<td hidden>",
                                        "</td>",
                                        "<s>",
                                        "</s>",
                                        "<p>",
                                        "</p>",
                                        "<div>",
                                        "</div>",
                                        "<tbody>",
                                        "<dd>",
                                        "<option>",
                                        "<td style=font-size:0>",
                                        " ",
                                        "\n",
                                        "語",
                                        "<pre>",
                                        "</",
                                        "<br>",
                                        "<style>",
                                        "</style>",
                                        "<blockquote>",
                                        "x",
                                        "__a__"};
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

std::string copies(std::string_view piece, std::size_t count) {
  std::string out;
  while (count-- > 0) out += piece;
  return out;
}

// Of this thread, in which nothing else counts, whatever else the machine does.
double processor_seconds() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

TEST(HtmlToText, TakesLinearTimeForHostileNesting) {
  // The shortest of three: what disturbs only adds.
  const auto work = [&](std::string_view piece, std::size_t count) {
    const std::string html = copies(piece, count) + copies("</q>", count);
    double least = std::numeric_limits<double>::max();
    for (int i = 0; i < 3; ++i) {
      const double began = processor_seconds();
      EXPECT_LE(html_to_text(html).size(), 2 * html.size() + 64) << piece;
      least = std::min(least, processor_seconds() - began);
    }
    return least;
  };
  constexpr std::size_t kOctets = 20'000;
  for (const std::string_view piece : {"<b>",
                                       "<a href=",
                                       "<!--",
                                       "<style>",
                                       "</style",
                                       "<p hidden>",
                                       "<a href=x>",
                                       "<ul><li>",
                                       "<p style=font-size:0>",
                                       "<i style=font-size:1em>",
                                       "<blockquote>",
                                       "&",
                                       "&#1",
                                       "<td style='",
                                       "</i>",
                                       "<x \"",
                                       "<div hidden></div>",
                                       "<table><tr><td>",
                                       "<s>",
                                       "<s><p>",
                                       "<p><s></p>",
                                       "<div><li>",
                                       "<span>",
                                       "<font color=x>",
                                       "<table>",
                                       "<option>",
                                       "<rt>",
                                       "<table><th rowspan=99 colspan=99>x<tr>",
                                       "<div></s>",
                                       "<a><div>",
                                       "<x></y>"}) {
    // Nine times as much takes nine times as long, and would take 81 times if it were quadratic.
    // Odd numbers both: quotation marks pair alike.
    const std::size_t count = kOctets / piece.size() | 1U;
    EXPECT_LT(work(piece, 9 * count), 27 * work(piece, count)) << piece;
  }
}

TEST(HtmlText, SaysWhereItIsCutOff) {
  const std::string deep = copies("<ul>", 20) + copies("<li>x", 1'000);
  const std::string text = html_to_text(deep);
  EXPECT_TRUE(text.ends_with("- x\n[...]")) << text.substr(text.size() - 40);
  EXPECT_LE(text.size(), 2 * deep.size() + 64);
  EXPECT_FALSE(html_to_text("<p>" + copies("x", 10'000)).contains("[...]"));
}

// As deep as elements may be, one more child ends none that hides.
TEST(HtmlText, HidesAtAnyDepth) {
  for (const std::size_t depth : {510U, 511U, 512U, 1'100U}) {
    for (const std::string style : {"display:none", "font-size:0"}) {
      const std::string html = "<p>shown</p>" + copies("<div>", depth) + "<div style=" + style +
                               ">SECRET <b>inner</b> MORE" + copies("<div>", 3'000) + "DEEP" +
                               copies("</div>", 3'001 + depth) + "after";
      const std::string text = html_to_text(html);
      EXPECT_EQ(text, "shown\n\nafter") << depth << style;
    }
  }
}

}  // namespace
}  // namespace todoku::mime
