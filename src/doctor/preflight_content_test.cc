// SPDX-License-Identifier: Apache-2.0
#include "doctor/preflight_content.h"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace todoku::doctor {
namespace {

std::vector<Finding> found_in(std::string html, std::string text = "",
                              std::string octets = "Subject: x\r\n\r\n\r\n") {
  const SampleMail sample{
      .recipient = "a@example.jp", .octets = std::move(octets), .mail_from = {}};
  SampleContent content;
  content.html = std::move(html);
  content.text = std::move(text);
  return content_findings(sample, content);
}

std::set<std::string> codes(const std::vector<Finding>& findings) {
  std::set<std::string> all;
  for (const Finding& finding : findings) all.emplace(finding.code);
  return all;
}

std::set<std::string> codes_in(std::string html, std::string text = "") {
  return codes(found_in(std::move(html), std::move(text)));
}

using Codes = std::set<std::string>;

TEST(PreflightContent, WhatIsInOrderIsSilent) {
  EXPECT_EQ(codes_in("<a href=\"https://www.example.jp/a?b=__code__&amp;c=1\">こちら</a>"
                     "<a href='#top'>top</a><a name=top></a><a href=mailto:info@example.jp>m</a>"
                     "<a href=\"tel:+81-3-0000-0000\">電話</a>"
                     "<a href=\"__unsubscribe_url__\">leave</a>"
                     "<a href=\"https://shop.example.jp/\">https://www.example.jp/</a>"
                     "<a href=\"https://日本語.example/\">日本</a>"
                     "<img src=\"cid:logo\" alt=\"\"><img src=https://example.jp/a.png alt=a>",
                     "__name__ 様 100%% ____ 5%% __ __ _init_ {} {{}} $5 *|*"),
            Codes());
}

TEST(PreflightContent, LinksAreReadAndNeverFollowed) {
  for (const std::string href :
       {"", "#", "/path", "www.example.jp", "page.html", "javascript:void(0)",
        "http://localhost:3000/", "https://intranet/", "https://10.1.2.3/", "https://172.20.0.1/",
        "http://[::1]/", "https://printer.local/", "file:///C:/a", "https://a.test/"}) {
    EXPECT_EQ(codes_in("<a href=\"" + href + "\">x</a>"), Codes{"link_leads_nowhere"}) << href;
  }
  for (const std::string href : {"https://", "http:///path", "https://exa mple..jp/"}) {
    EXPECT_EQ(codes_in("<a href=\"" + href + "\">x</a>"), Codes{"link_unreadable"}) << href;
  }
  EXPECT_EQ(codes_in("<a href=\"http://203.0.113.9/login\">x</a>"), Codes{"link_by_number"});
  EXPECT_EQ(codes_in("<a href=\"https://172.32.0.1/\">x</a>"), Codes{"link_by_number"});
}

TEST(PreflightContent, AnAddressThatLeadsElsewhereIsTold) {
  const auto findings = found_in(
      "<a href=\"https://click.example.com/1\"><b>https://bank.example.jp"
      "</b></a><a href='https://x.example.com/'>www.example.net</a>");
  ASSERT_EQ(codes(findings), Codes{"link_text_differs"});
  EXPECT_EQ(findings.front().subject, "https://bank.example.jp");
  EXPECT_NE(findings.front().sentence.en.find("https://click.example.com/1 (2 in"),
            std::string::npos);
  // One that only ends alike is another.
  EXPECT_EQ(codes_in("<a href=\"https://evilexample.jp/\">https://example.jp/</a>"),
            Codes{"link_text_differs"});
}

TEST(PreflightContent, PicturesNeedAnAltAndAPlace) {
  EXPECT_EQ(codes_in("<img src=\"https://example.jp/a.png\">"), Codes{"image_without_alt"});
  for (const std::string src : {"data:image/png;base64,AA", "images/a.png", "//example.jp/a", ""}) {
    EXPECT_EQ(codes_in("<img alt=a src=\"" + src + "\">"), Codes{"image_not_shown"}) << src;
  }
}

TEST(PreflightContent, WhatMailProgramsTakeOutIsTold) {
  for (const std::string html :
       {"<script>a()</script>", "<form action=\"https://example.jp/\"></form>",
        "<iframe src=\"https://example.jp/\"></iframe>", "<object></object>",
        "<link rel=\"Stylesheet\" href=\"https://example.jp/a.css\">"}) {
    EXPECT_EQ(codes_in(html), Codes{"html_active"}) << html;
  }
}

TEST(PreflightContent, WhatIsMeantAsACodeAndIsNone) {
  for (const std::string text :
       {"__first_name__ 様", "%%first-name%%", "*|FNAME|*", "${name}", "__averyverylongname__"}) {
    EXPECT_EQ(codes_in("", text), Codes{"insert_code_malformed"}) << text;
    EXPECT_EQ(codes_in(text), Codes{"insert_code_malformed"}) << text;
  }
  for (const std::string& text :
       {std::string("{{name}}"), std::string("{{ first_name }}"), std::string("{{name|お客様}}"),
        "{{name|" + std::string(150, 'x') + "}}"}) {
    EXPECT_EQ(codes_in("", text), Codes{"insert_code_braces"}) << text;
    EXPECT_EQ(codes_in(text), Codes{"insert_code_braces"}) << text;
  }
  const auto braces = found_in("", "{{number}}");
  EXPECT_NE(braces.front().advice.en.find("--template"), std::string::npos);
  const auto findings = found_in("", "a __first_name__ __last_name__");
  EXPECT_EQ(findings.front().subject, "__first_name__");
}

TEST(PreflightContent, FilesThatReceiversRefuse) {
  const auto with_file = [](std::string_view name, std::string_view type, std::size_t octets) {
    std::string line(76, 'A');
    std::string body;
    while (body.size() < octets) body += line + "\r\n";
    return "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
           "Content-Type: " +
           std::string(type) +
           "\r\nContent-Transfer-Encoding: base64\r\n"
           "Content-Disposition: attachment; filename=\"" +
           std::string(name) + "\"\r\n\r\n" + body + "--b--\r\n";
  };
  const auto in = [&](std::string_view name, std::string_view type, std::size_t octets) {
    return codes(found_in("", "", with_file(name, type, octets)));
  };
  EXPECT_EQ(in("a.pdf", "application/pdf", 100), Codes());
  EXPECT_EQ(in("setup.EXE", "application/octet-stream", 100), Codes{"file_refused"});
  EXPECT_EQ(in("a.png", "image/png", 600'000), Codes());
  EXPECT_EQ(in("a.png", "image/png", 800'000), Codes{"image_large"});
}

TEST(PreflightContent, CharactersThatTheCharsetCannotSayAreNamed) {
  SampleContent content;
  content.text = "①髙㈱ 😀😀 ｱ";
  content.html = "<p>한</p>";
  EXPECT_EQ(unsayable_characters(content), "😀 (U+1F600), 한 (U+D55C)");
  content.text = "\xff\xfe";
  content.html = "";
  EXPECT_EQ(unsayable_characters(content), "");
}

TEST(PreflightContent, HostileTextsCostLittle) {
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "<a href=__{{*|${%%<img ";
  EXPECT_LE(found_in(many, many).size(), 12U);
}

}  // namespace
}  // namespace todoku::doctor
