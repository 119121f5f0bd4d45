// SPDX-License-Identifier: Apache-2.0
#include "api/changes.h"

#include <gtest/gtest.h>

namespace todoku::api {
namespace {

http::Request asked(std::string_view name, std::string value, std::string query = {}) {
  http::Request request;
  if (!name.empty()) request.parameters.add(name, std::move(value));
  request.query = std::move(query);
  return request;
}

TEST(Changes, HaveAName) {
  using enum http::Method;
  EXPECT_EQ(change_of(post, "/deliveries/{delivery_id}/stop"), "deliveries.stop");
  EXPECT_EQ(change_of(delete_, "/domains/{domain}"), "domain.remove");
  EXPECT_EQ(change_of(post, "/something/new"), kUnnamedChange);
}

TEST(Changes, AreNotWhatOnlyReads) {
  using enum http::Method;
  EXPECT_EQ(change_of(get, "/deliveries/{delivery_id}"), "");
  EXPECT_EQ(change_of(head, "/something/new"), "");
  EXPECT_EQ(change_of(post, "/deliveries/{delivery_id}/preview"), "");
}

TEST(Changes, AreToldByPathAndAnswer) {
  EXPECT_EQ(changed_by(asked("delivery_id", "7"), R"({"delivery_id":8})").delivery, 7);
  EXPECT_EQ(changed_by(asked("", ""), R"({"delivery_id":8})").delivery, 8);
  EXPECT_EQ(changed_by(asked("email_id", "9"), "").email, 9);
  EXPECT_EQ(changed_by(asked("domain", "news.example.jp"), "no JSON").name, "news.example.jp");
  EXPECT_EQ(changed_by(asked("", ""), R"({"domain":"news.example.jp"})").name, "news.example.jp");
  EXPECT_EQ(changed_by(asked("", ""), R"({"template_id":3})").name, "3");
  EXPECT_EQ(changed_by(asked("", ""), R"({"email":"a@example.jp","added":true})").address,
            "a@example.jp");
  EXPECT_EQ(changed_by(asked("", "", "email=a%40example.jp"), R"({"removed":[]})").address,
            "a@example.jp");
}

TEST(Changes, AreNotMisledByAnswers) {
  const Changed changed = changed_by(asked("", ""), R"({"delivery_id":"8","domain":[1]})");
  EXPECT_EQ(changed.delivery, 0);
  EXPECT_EQ(changed.name, "");
  EXPECT_EQ(changed_by(asked("", ""), "[" + std::string(70'000, ' ') + "]").delivery, 0);
}

}  // namespace
}  // namespace todoku::api
