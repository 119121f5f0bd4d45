// SPDX-License-Identifier: Apache-2.0
#include "console/pages.h"

#include <array>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::console {
namespace {

using ::testing::HasSubstr;

constexpr std::array kAssets{
    Asset{"/assets/index-1a2b3c4d.js", "text/javascript", "let a", "packed", true},
    Asset{"/favicon.svg", "image/svg+xml", "<svg/>", "", false},
    Asset{"/index.html", "text/html; charset=utf-8", "<!doctype html>", "packed page", false},
};

http::Response asked(std::string path, std::string_view encoding = "gzip",
                     std::string_view tag = "") {
  http::Request request;
  request.path = std::move(path);
  if (!encoding.empty()) request.headers.set("Accept-Encoding", encoding);
  if (!tag.empty()) request.headers.set("If-None-Match", tag);
  return page_at(kAssets, request, Language::english);
}

TEST(Pages, AFileIsServedAsItIsOrPacked) {
  const auto packed = asked("/assets/index-1a2b3c4d.js");
  EXPECT_EQ(packed.body, "packed");
  EXPECT_EQ(packed.headers.get("Content-Encoding"), "gzip");
  EXPECT_THAT(std::string(packed.headers.get("Cache-Control")), HasSubstr("immutable"));
  const auto plain = asked("/assets/index-1a2b3c4d.js", "");
  EXPECT_EQ(plain.body, "let a");
  EXPECT_FALSE(plain.headers.find("Content-Encoding"));
  EXPECT_EQ(asked("/favicon.svg").body, "<svg/>");
}

TEST(Pages, EveryOtherPathIsTheOnePage) {
  for (const char* path : {"/", "/deliveries/17", "/link", "/docs", "/../etc/passwd"}) {
    const auto page = asked(path, "");
    EXPECT_EQ(page.body, "<!doctype html>") << path;
    EXPECT_EQ(page.headers.get("Cache-Control"), "no-cache");
  }
}

TEST(Pages, WhatIsNotThereBelowTheOthersIsNotFound) {
  for (const char* path : {"/assets/old-00000000.js", "/api/v1/nothing", "/console/v1/nothing"}) {
    EXPECT_EQ(asked(path).status, 404) << path;
  }
}

TEST(Pages, AnUnchangedFileIsNotSentAgain) {
  const std::string tag(asked("/").headers.get("ETag"));
  ASSERT_FALSE(tag.empty());
  const auto again = asked("/", "gzip", tag);
  EXPECT_EQ(again.status, 304);
  EXPECT_TRUE(again.body.empty());
  EXPECT_EQ(asked("/", "gzip", "\"other\"").status, 200);
  EXPECT_EQ(asked("/assets/index-1a2b3c4d.js").headers.get("ETag"),
            "\"/assets/index-1a2b3c4d.js\"");
}

TEST(Pages, ABuildWithoutPagesSaysSo) {
  http::Request request;
  request.path = "/";
  EXPECT_THAT(page_at({}, request, Language::english).body, HasSubstr("TODOKU_CONSOLE=ON"));
  EXPECT_THAT(page_at({}, request, Language::japanese).body, HasSubstr("管理画面"));
}

TEST(Pages, GzipIsSentToWhoTakesIt) {
  for (const char* text : {"gzip", "br, GZIP", "gzip;q=0.5", "deflate, gzip ; q=1"}) {
    EXPECT_TRUE(takes_gzip(text)) << text;
  }
  for (const char* text : {"", "br", "gzip;q=0", "gzip;q=0.000", "xgzip"}) {
    EXPECT_FALSE(takes_gzip(text)) << text;
  }
}

}  // namespace
}  // namespace todoku::console
