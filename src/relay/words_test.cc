// SPDX-License-Identifier: Apache-2.0
#include "relay/words.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace todoku::relay {
namespace {

std::string said_of(std::vector<std::string> path) {
  intake::Refusal refusal{.kind = ErrorKind::invalid_input, .problems = {}};
  refusal.problems.add(std::move(path), {"does not do.", "使えません。"});
  const Reply reply = words::refused(refusal);
  return std::to_string(reply.code) + " " + reply.text;
}

// Who reads it has written a mail and no JSON; programs tell by the code what there is to do.
TEST(RelayWords, AnOptionThatDoesNotDoIsNamedAsItsField) {
  EXPECT_EQ(said_of({"tags", "0"}), "550 5.6.0 X-Todoku-Tag: does not do.");
  EXPECT_EQ(said_of({"list_id"}), "550 5.6.0 X-Todoku-List-Id: does not do.");
  EXPECT_EQ(said_of({"purpose"}), "550 5.6.0 X-Todoku-Purpose: does not do.");
  EXPECT_EQ(said_of({"X-Todoku-Send-At"}), "550 5.6.0 X-Todoku-Send-At: does not do.");
}

TEST(RelayWords, WhoMayNotSendIsToldSo) {
  EXPECT_EQ(said_of({"Sender"}), "550 5.7.1 Sender: does not do.");
  EXPECT_EQ(said_of({"from", "address"}), "550 5.7.1 from.address: does not do.");
  EXPECT_EQ(said_of({}), "550 5.7.1 does not do.");
}

TEST(RelayWords, EachFaultOfALoginHasItsReply) {
  EXPECT_EQ(words::refused(LoginFault::replaced).code, 535);
  EXPECT_EQ(words::refused(LoginFault::replaced).text.substr(0, 5), "5.7.8");
}

}  // namespace
}  // namespace todoku::relay
