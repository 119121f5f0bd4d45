// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/signing_context.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mailauth/dkim/signing_test_world.h"

namespace todoku::mailauth::dkim {
namespace {

TEST(SigningContext, TogetherGivesTheOctetsOfOpensslAlone) {
  const SigningKey rsa = SigningKey::generate(KeyAlgorithm::rsa).value();
  const std::vector<Signer> signers{
      signer_with(rsa, "r1"), signer_with(SigningKey::generate(KeyAlgorithm::rsa).value(), "r2"),
      Signer::create({{.name = KeyName::parse("example.jp", "r1").value(), .key = rsa},
                      {.name = KeyName::parse("example.jp", "e1").value(),
                       .key = SigningKey::generate(KeyAlgorithm::ed25519).value()}})
          .value()};
  const ByEight by_eight;
  SigningContext context(by_eight.made());
  SigningContext openssl;
  EXPECT_TRUE(context.computes_together(rsa));
  EXPECT_FALSE(openssl.computes_together(rsa));
  EXPECT_FALSE(signers[0].gains_from_company(openssl));
  EXPECT_EQ(signers[0].gains_from_company(context), context.computes_together(rsa));
  EXPECT_EQ(signers[2].gains_from_company(context), context.computes_together(rsa));
  const Signer curve_alone = signer_with(SigningKey::generate(KeyAlgorithm::ed25519).value(), "e1");
  EXPECT_FALSE(curve_alone.gains_from_company(context));
  // Beside whole eights: too few for eight, just enough, two eights and a rest of each kind.
  for (const std::size_t count : {1U, 4U, 5U, 8U, 12U, 13U, 16U, 19U, 22U}) {
    EXPECT_EQ(together(context, signers, count), one_by_one(openssl, signers, count)) << count;
  }
}

TEST(SigningContext, WhatWasBegunAndNotFinishedIsForgotten) {
  const std::vector<Signer> signers{
      signer_with(SigningKey::generate(KeyAlgorithm::rsa).value(), "r1")};
  const ByEight by_eight;
  SigningContext context(by_eight.made());
  const auto expected = one_by_one(context, signers, 8);
  const std::string text = message(99);
  const MessageView view = split_message(text);
  BegunSignatures dropped;
  ASSERT_TRUE(signers[0].begin(context, input_of(view, context), dropped));
  EXPECT_EQ(together(context, signers, 8), expected);
  EXPECT_EQ(together(context, signers, 8), expected);
}

}  // namespace
}  // namespace todoku::mailauth::dkim
