// SPDX-License-Identifier: Apache-2.0
#include "operate/calls/given.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "operate/calls/calls.h"

namespace todoku::operate {
namespace {

std::string problem(const Given::Taken& taken) {
  return taken ? "" : taken.error().error().detail;
}

std::string missing(const Given& given) {
  std::string said;
  for (const Misgiven& each : given.missing()) said += each.error().detail;
  return said;
}

TEST(Given, TakesWhatTheCallDeclares) {
  Given given(calls::kChangeAccount);
  EXPECT_EQ(problem(given.put("account", std::string("shop"))), "");
  EXPECT_EQ(problem(given.put("weight", std::int64_t{7})), "");
  EXPECT_EQ(problem(given.put("suspended", false)), "");
  EXPECT_EQ(missing(given), "");
  EXPECT_EQ(given.text("account"), "shop");
  EXPECT_EQ(given.number("weight"), 7);
  EXPECT_EQ(given.truth("suspended"), false);
  EXPECT_EQ(given.truth("text_from_html"), std::nullopt);
}

TEST(Given, RefusesWhatItDoesNotByName) {
  Given given(calls::kChangeAccount);
  EXPECT_EQ(problem(given.put("wieght", std::int64_t{7})), "there is no argument \"wieght\" here");
  EXPECT_EQ(problem(given.put("weight", std::string("7"))), "weight must be a whole number");
  EXPECT_EQ(problem(given.put("weight", std::int64_t{0})),
            "weight is 0, but must be from 1 to 1000");
  EXPECT_EQ(problem(given.put("suspended", std::string("yes"))), "suspended must be true or false");
  EXPECT_EQ(problem(given.put("account", std::int64_t{1})), "account must be a text");
  EXPECT_EQ(missing(given), "account is missing");
}

TEST(Given, ReadsWhatWasWritten) {
  Given given(calls::kRevokeKey);
  EXPECT_EQ(problem(given.put_written("id", "12")), "");
  EXPECT_EQ(given.number("id"), 12);
  EXPECT_EQ(problem(given.put_written("id", "12x")), "id must be a whole number");
  EXPECT_EQ(problem(given.put_written("id", "0")), "id is 0, but must be 1 or more");
  EXPECT_EQ(problem(given.put_written("id", "99999999999999999999")), "id must be a whole number");
  EXPECT_EQ(problem(given.put_written("account", "shop")), "");
  EXPECT_EQ(given.text("account"), "shop");
}

TEST(Given, KeepsASecretAsOne) {
  Given given = Given(calls::kAddDkim).with("private_key", std::string("pem"));
  EXPECT_EQ(given.text("private_key"), "");
  EXPECT_EQ(given.take_secret("private_key"), std::string_view("pem"));
  EXPECT_EQ(given.take_secret("selector"), std::string_view(""));
}

// Every name in braces is declared, and needed.
TEST(Calls, DeclareWhatTheirPathsName) {
  for (const Call& call : {calls::kListAccounts,    calls::kShowAccount,    calls::kAddAccount,
                           calls::kChangeAccount,   calls::kListKeys,       calls::kAddKey,
                           calls::kRevokeKey,       calls::kRotateKey,      calls::kListDkim,
                           calls::kAddDkim,         calls::kShowDkim,       calls::kRemoveDkim,
                           calls::kNextKeys,        calls::kMakeNextKeys,   calls::kBeginNextKeys,
                           calls::kRetireKeys,      calls::kListKeySlots,   calls::kAddKeySlots,
                           calls::kRotateKeySlots,  calls::kLookAtKeySlots, calls::kEndKeySlots,
                           calls::kExplain,         calls::kListStuck,      calls::kReleaseStuck,
                           calls::kReleaseAllStuck, calls::kListNodes,      calls::kCluster,
                           calls::kWaiting,         calls::kCancelWaiting,  calls::kFold,
                           calls::kAdopt,           calls::kStatus,         calls::kDrain}) {
    std::string_view rest = call.path;
    for (std::size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
      rest.remove_prefix(open + 1);
      const std::string_view name = rest.substr(0, rest.find('}'));
      ASSERT_NE(call.find(name), nullptr) << call.path;
      EXPECT_TRUE(call.find(name)->needed) << call.path;
    }
    for (const Argument& argument : call.arguments) {
      EXPECT_FALSE(argument.help.en.empty());
      EXPECT_TRUE(std::ranges::any_of(argument.help.ja, [](char c) { return (c & 0x80) != 0; }))
          << argument.help.ja;
    }
  }
}

TEST(GivenDeathTest, AWrongValueOfOurOwnIsAMistakeOfTheProgram) {
  EXPECT_DEATH((void)Given(calls::kStatus).with("no", true), "the call has this argument");
}

}  // namespace
}  // namespace todoku::operate
