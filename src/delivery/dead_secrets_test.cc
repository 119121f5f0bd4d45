// SPDX-License-Identifier: Apache-2.0
#include "delivery/dead_secrets.h"

#include <string>

#include <gtest/gtest.h>

namespace todoku::delivery {
namespace {

TEST(DeadSecrets, KeepEveryLengthAndOpenNothing) {
  Options real;
  real.instance_secret.fill(7);
  real.open_tokens = std::make_shared<const OpenTokens>(std::span(real.instance_secret));
  real.unsubscribe_tokens =
      std::make_shared<const UnsubscribeTokens>(std::span(real.instance_secret));
  const Options dead = with_dead_secrets(real);
  EXPECT_NE(dead.instance_secret, real.instance_secret);
  EXPECT_EQ(dead.instance_secret, with_dead_secrets(real).instance_secret);

  std::string scratch;
  std::string living;
  std::string of_preview;
  const UnsubscribeTokens::Copy copy{.account = 1, .delivery = 2, .batch = 3, .seq = 4};
  real.unsubscribe_tokens->append(living, copy, "news", "a@example.jp", scratch);
  dead.unsubscribe_tokens->append(of_preview, copy, "news", "a@example.jp", scratch);
  EXPECT_EQ(living.size(), of_preview.size());
  EXPECT_TRUE(real.unsubscribe_tokens->read(living));
  EXPECT_FALSE(real.unsubscribe_tokens->read(of_preview));

  living.clear();
  of_preview.clear();
  const OpenToken opened{.account = 1, .delivery = 2, .batch = 3, .seq = 4};
  real.open_tokens->append(living, opened, scratch);
  dead.open_tokens->append(of_preview, opened, scratch);
  EXPECT_EQ(living.size(), of_preview.size());
  EXPECT_FALSE(real.open_tokens->read(of_preview));
}

TEST(DeadSecrets, WhatHasNoTokensGetsNone) {
  const Options dead = with_dead_secrets(Options{});
  EXPECT_EQ(dead.open_tokens, nullptr);
  EXPECT_EQ(dead.unsubscribe_tokens, nullptr);
}

TEST(DeadSecrets, SignaturesKeepTheirLengthAndAllElse) {
  std::string message =
      "DKIM-Signature: v=1; a=rsa-sha256; d=example.jp; s=b1;\r\n"
      "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; h=From:Date;\r\n"
      "\tb=aGVs+bG8/aGVsbG8\r\n\t aGVsbG8=\r\n"
      "dkim-signature: v=1; b=Zm9v; s=b2\r\n"
      "Subject: b=kept\r\n"
      "DKIM-Signature: v=1; b=theirs\r\n\r\nb=kept\r\n";
  const std::string before = message;
  kill_signatures(message);
  EXPECT_EQ(message,
            "DKIM-Signature: v=1; a=rsa-sha256; d=example.jp; s=b1;\r\n"
            "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; h=From:Date;\r\n"
            "\tb=AAAAAAAAAAAAAAAA\r\n\t AAAAAAA=\r\n"
            "dkim-signature: v=1; b=AAAA; s=b2\r\n"
            "Subject: b=kept\r\n"
            "DKIM-Signature: v=1; b=theirs\r\n\r\nb=kept\r\n");
  EXPECT_EQ(message.size(), before.size());
}

TEST(DeadSecrets, WhatIsNotSignedStays) {
  for (const std::string text : {"", "Subject: x\r\n\r\n", "DKIM-Signature",
                                 "DKIM-Signature:", "DKIM-Signature: b", "DKIM-Signature: b;b"}) {
    std::string message = text;
    kill_signatures(message);
    EXPECT_EQ(message, text);
  }
}

}  // namespace
}  // namespace todoku::delivery
