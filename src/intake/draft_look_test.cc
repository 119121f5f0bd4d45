// SPDX-License-Identifier: Apache-2.0
#include "intake/draft_look.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "intake/check.h"

namespace todoku::intake {
namespace {

store::Delivery draft() {
  store::Delivery draft;
  draft.content.from = {"news@example.jp", "お知らせ"};
  draft.content.subject = "subject";
  draft.content.text_part = "text";
  return draft;
}

// Counts how often it has looked.
DraftCheck counting(int& looks) {
  return [&looks](const store::Delivery& seen, const mime::MessageSize&, Problems& problems) {
    ++looks;
    check_has_text(seen.content, problems);
  };
}

TEST(DraftLook, ADraftThatSaysTheSameIsNotLookedAtAgain) {
  int looks = 0;
  const DraftLook look(draft(), counting(looks));
  store::Delivery now = draft();
  now.updated = Instant(std::chrono::hours(1));
  now.counts.total = 5;
  EXPECT_TRUE(look.problems_of(now).empty());
  EXPECT_EQ(looks, 1);
}

TEST(DraftLook, WhatChangedMeanwhileIsLookedAt) {
  int looks = 0;
  const DraftLook look(draft(), counting(looks));
  store::Delivery now = draft();
  now.content.text_part.clear();
  EXPECT_FALSE(look.problems_of(now).empty());
  now = draft();
  now.attachments.push_back({.size = 5});
  EXPECT_TRUE(look.problems_of(now).empty());
  EXPECT_EQ(looks, 3);
}

TEST(DraftLook, AProblemThatIsGoneMeanwhileRefusesNothing) {
  int looks = 0;
  store::Delivery empty = draft();
  empty.content.text_part.clear();
  const DraftLook look(empty, counting(looks));
  EXPECT_FALSE(look.problems_of(empty).empty());
  EXPECT_TRUE(look.problems_of(draft()).empty());
}

TEST(DraftLook, AChangeIsAppliedAsTheStoreDoes) {
  store::Delivery changed = draft();
  Content& content = changed.content;
  changed.attachments = {{.id = 1, .size = 5}, {.id = 2, .size = 7, .content_id = "old"}};
  content.reply_to = Mailbox{"old@example.jp", ""};
  apply({.from = std::nullopt,
         .reply_to = std::optional<Mailbox>(),
         .subject = "another",
         .text_part = std::nullopt,
         .html_part = "<p>x</p>",
         .list_unsubscribe_mailto = std::nullopt,
         .list_unsubscribe_url = std::nullopt,
         .list_unsubscribe_one_click = true,
         .inline_parts = std::vector<Attachment>{{"new.png", "image/png", "123", "new"}}},
        changed);
  EXPECT_EQ(content.from.address, "news@example.jp");
  EXPECT_FALSE(content.reply_to);
  EXPECT_EQ(content.subject, "another");
  EXPECT_EQ(content.text_part, "text");
  EXPECT_TRUE(content.list_unsubscribe_one_click);
  EXPECT_EQ(content.html_part, "<p>x</p>");
  ASSERT_EQ(changed.attachments.size(), 2U);
  EXPECT_EQ(changed.attachments[0].size, 5);
  EXPECT_EQ(changed.attachments[1].content_id, "new");
  EXPECT_EQ(changed.attachments[1].size, 3);
}

}  // namespace
}  // namespace todoku::intake
