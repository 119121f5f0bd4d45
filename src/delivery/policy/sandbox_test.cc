// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/sandbox.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "feedback/classify/meaning.h"

namespace todoku::delivery::policy {
namespace {

using ::testing::HasSubstr;

Outcome at(const std::string& name, std::uint32_t attempts = 0) {
  return sandbox_end(name + "@sandbox.invalid", attempts).outcome;
}

TEST(Sandbox, EndsAsTheAddressAsks) {
  EXPECT_EQ(at("delivered").state, RecipientState::delivered);
  EXPECT_EQ(at("delivered").stage, Stage::accepted);
  EXPECT_EQ(at("bounced").state, RecipientState::bounced);
  EXPECT_EQ(at("bounced").reply.code, 550);
  EXPECT_EQ(at("rejected").state, RecipientState::bounced);
  EXPECT_EQ(at("soft").state, RecipientState::expired);
  EXPECT_EQ(at("deferred").state, RecipientState::deferred);
  EXPECT_EQ(at("deferred", 1).state, RecipientState::delivered);
}

TEST(Sandbox, CausesAreThoseOfTheRealThing) {
  using feedback::classify::cause_of;
  EXPECT_EQ(cause_of(at("bounced")), Cause::mailbox);
  EXPECT_EQ(cause_of(at("rejected")), Cause::content);
  EXPECT_EQ(cause_of(at("deferred")), Cause::greylist);
  EXPECT_EQ(cause_of(at("soft")), Cause::mailbox_full);
}

TEST(Sandbox, SomeMailHasASequel) {
  const auto after = [](const std::string& name) {
    const SandboxEnd end = sandbox_end(name + "@sandbox.invalid", 0);
    EXPECT_EQ(end.outcome.state, RecipientState::delivered) << name;
    return end.after;
  };
  EXPECT_EQ(after("returned"), SandboxAfter::returned);
  EXPECT_EQ(after("complained"), SandboxAfter::complained);
  EXPECT_EQ(after("unsubscribed"), SandboxAfter::unsubscribed);
  EXPECT_EQ(after("opened"), SandboxAfter::opened);
  EXPECT_EQ(after("delivered"), SandboxAfter::nothing);
  EXPECT_EQ(sandbox_return().state, RecipientState::bounced);
  EXPECT_FALSE(sandbox_return().is_attempt);
}

TEST(Sandbox, OnlySlowTakesItsTime) {
  EXPECT_EQ(sandbox_end("slow@sandbox.invalid", 0).takes, std::chrono::seconds(10));
  EXPECT_EQ(sandbox_end("delivered@sandbox.invalid", 0).takes, Milliseconds(0));
}

TEST(Sandbox, ATagAfterThePlusAndLettersCaseDoNotMatter) {
  EXPECT_EQ(at("bounced+order-7").state, RecipientState::bounced);
  EXPECT_EQ(at("Bounced").state, RecipientState::bounced);
  EXPECT_EQ(at("bounced2").state, RecipientState::bounced) << "there is no such mailbox";
  EXPECT_THAT(at("bouncd").reply.text, HasSubstr("bounced, rejected"));
}

TEST(Sandbox, OtherDomainsTakeEverything) {
  for (const char* address : {"bounced@example.jp", "ken@sandbox.invalid.example.com", "x"}) {
    EXPECT_EQ(sandbox_end(address, 0).outcome.state, RecipientState::delivered) << address;
  }
}

}  // namespace
}  // namespace todoku::delivery::policy
