// SPDX-License-Identifier: Apache-2.0
#include "alarms/recipient_replies.h"

#include <gmock/gmock.h>

namespace todoku::alarms {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RecipientReplies, NamesWhoIsRefusedAndInWhatWords) {
  RecipientReplies replies;
  replies.sent("MAIL FROM:<todoku@example.jp> SIZE=700\r\n");
  replies.received("250 2.1.0 Ok\r\n");
  replies.sent("RCPT TO:<ops@example.com>\r\n");
  replies.received("250 2.1.5 Ok\r\n");
  replies.sent("RCPT TO:<left@example.com>\r\n");
  replies.received("550-5.1.1 nobody of\r\n550 5.1.1 that name\r\n");
  replies.sent("RCPT TO:<full@example.com>\r\n");
  for (const char c : std::string_view("452 4.2.2 full\r\n")) replies.received({&c, 1});
  replies.sent("DATA\r\n");
  replies.received("354 go on\r\n");
  replies.received("554 this is of the content\r\n");
  const auto refused = replies.take();
  EXPECT_THAT(refused, ElementsAre(RefusedRecipient{.address = "left@example.com",
                                                    .reply = "550 5.1.1 nobody of 5.1.1 that name"},
                                   RefusedRecipient{.address = "full@example.com",
                                                    .reply = "452 4.2.2 full"}));
  EXPECT_EQ(to_string(refused.back()), "full@example.com: 452 4.2.2 full");
}

TEST(RecipientReplies, HoldsWhateverIsSaid) {
  RecipientReplies replies;
  replies.sent("RCPT TO:<a@example.com>\r\n");
  const std::string much(100'000, 'x');
  for (int i = 0; i < 100; ++i) replies.received("550-" + much + "\r\n");
  replies.received("550 \x1b[2J\r\n");
  const auto refused = replies.take();
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_LE(refused[0].reply.size(), 300U);
  replies.received("550 of nobody\r\n");
  replies.sent("RCPT TO:<b@example.com>\r\n");
  replies.received("\r\n");
  EXPECT_THAT(replies.take(),
              ElementsAre(RefusedRecipient{.address = "b@example.com", .reply = ""}))
      << "no reply, and so no 250";
  EXPECT_THAT(replies.take(), IsEmpty());
}

}  // namespace
}  // namespace todoku::alarms
