// SPDX-License-Identifier: Apache-2.0
#include "operate/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::operate {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

store::Node node(std::string name, const Settings& settings) {
  store::Node node;
  node.name = std::move(name);
  node.settings = to_text(settings);
  node.left = std::chrono::seconds(10);
  return node;
}

const Settings kOne{{"egress a", "192.0.2.1, EHLO a.example.jp"}, {"site rules", "abc"}};

TEST(Agreement, IsReadAsItWasWritten) {
  EXPECT_EQ(parse_settings(to_text(kOne)), kOne);
  EXPECT_EQ(parse_settings("no tab\negress a\tx\n"), (Settings{{"egress a", "x"}}));
  EXPECT_EQ(parse_settings(to_text(Settings{{"a\tb", "c\nd"}})), (Settings{{"a b", "c d"}}));
}

TEST(Agreement, WhatDiffersIsToldInWords) {
  EXPECT_THAT(differences({node("n1", kOne), node("n2", kOne)}), IsEmpty());
  Settings two = kOne;
  two["egress a"] = "192.0.2.9, EHLO a.example.jp";
  two["egress b"] = "192.0.2.2, EHLO b.example.jp";
  const auto found = differences({node("n1", kOne), node("n2", two)});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(to_sentence(found[0], Language::english),
              HasSubstr("egress a is not the same everywhere: 192.0.2.1, EHLO a.example.jp at node "
                        "n1, 192.0.2.9"));
  EXPECT_THAT(to_sentence(found[1], Language::english), HasSubstr("none at node n1"));
  EXPECT_THAT(to_sentence(found[1], Language::japanese), HasSubstr("ノード n1 では なし"));
  EXPECT_THAT(differences({node("n1", kOne), node("n2", two)}, 1), SizeIs(1));
}

TEST(Agreement, WhoIsGoneOrSaysNothingIsNotCompared) {
  store::Node gone = node("gone", {{"site rules", "old"}});
  gone.left = -std::chrono::seconds(1);
  store::Node buried = node("void", {{"site rules", "old"}});
  buried.is_void = true;
  EXPECT_THAT(differences({gone, buried, node("old version", {}), node("n1", kOne)}), IsEmpty());
}

}  // namespace
}  // namespace todoku::operate
