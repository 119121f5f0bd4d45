// SPDX-License-Identifier: Apache-2.0
// Servers that offer an extension and stumble over it: the mail goes without, and nobody is blamed.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "smtp/protocol/client_fake_server.h"

namespace todoku::smtp {
namespace {

using Step = ClientSession::Step;
using Strings = std::vector<std::string>;

const std::string kDotted = "Subject: hi\r\n\r\n.hidden\r\nbye\r\n";
const std::vector<std::string_view> kDottedPieces = {kDotted};
const Strings kBothOffers = {"PIPELINING", "CHUNKING"};
constexpr BrokenOffers kNoChunking{.chunking = true};
constexpr BrokenOffers kNoPipelining{.pipelining = true};
constexpr BrokenOffers kNeither{.pipelining = true, .chunking = true};

// A session, a server and the line between them.
struct OffersWorld {
  explicit OffersWorld(Script script)
      : session({.hello_name = "sender.example.com"}),
        server(std::move(script)),
        line(session, server) {
    line.drive();
  }

  std::vector<RecipientResult> send(Strings recipients = {"a@example.jp"}) {
    const auto to = ClientEnvelope::make("from@example.com", std::move(recipients)).value();
    session.send(to, view_of(kDottedPieces));
    line.drive();
    const auto results = session.results();
    return {results.begin(), results.end()};
  }

  ClientSession session;
  FakeServer server;
  FakeLine line;
};

void expect_sent_once(OffersWorld& world, const BrokenOffers& broken) {
  EXPECT_EQ(world.session.broken_offers(), broken);
  EXPECT_EQ(world.session.step(), Step::rest);
  ASSERT_EQ(world.server.taken().size(), 1U);
  EXPECT_EQ(world.server.taken()[0].content, kDotted);
  const std::size_t commands = world.server.commands().size();
  EXPECT_TRUE(world.send()[0].accepted());
  EXPECT_FALSE(world.session.broken_offers().any()) << "the second mail goes that way at once";
  EXPECT_EQ(world.server.commands().size() - commands, 3U);
}

void expect_elsewhere(OffersWorld& world, const RecipientResult& result, const BrokenOffers& broken,
                      bool in_doubt) {
  EXPECT_TRUE(result.again);
  EXPECT_EQ(result.in_doubt, in_doubt);
  EXPECT_FALSE(result.permanent);
  EXPECT_EQ(world.session.broken_offers(), broken);
  EXPECT_EQ(world.session.step(), Step::over);
}

TEST(ClientOffers, ARefusedChunkGoesByDataOnTheSameConnection) {
  for (const char* refusal :
       {"500 5.5.1 what", "501 5.5.4 no", "502 5.5.1 not implemented", "503 5.5.1 bad sequence",
        "504 5.5.4 no", "550 BDAT not supported here", "554 5.5.1 CHUNKING is disabled"}) {
    for (const Strings& offers : {kBothOffers, Strings{"CHUNKING"}}) {
      SCOPED_TRACE(refusal);
      OffersWorld world({.offers = offers, .answers = {{"BDAT", refusal}}});
      const auto result = world.send()[0];
      EXPECT_EQ(result.reply, (Reply{250, "2.0.0 taken"}));
      EXPECT_FALSE(result.again);
      expect_sent_once(world, kNoChunking);
    }
  }
}

TEST(ClientOffers, AfterARefusedChunkItIsResetBeforeAnythingElseIsSaid) {
  OffersWorld world({.offers = kBothOffers, .answers = {{"BDAT", "502 5.5.1 no"}}});
  EXPECT_TRUE(world.send({"a@example.jp", "b@example.jp"})[1].accepted());
  const Strings& writes = world.line.writes();
  ASSERT_EQ(writes.size(), 5U);
  EXPECT_EQ(writes[2], "RSET\r\n");
  EXPECT_EQ(writes[3],
            "MAIL FROM:<from@example.com>\r\nRCPT TO:<a@example.jp>\r\nRCPT TO:<b@example.jp>\r\n"
            "DATA\r\n");
}

TEST(ClientOffers, WhoWasRefusedBeforeTheChunkStaysRefused) {
  OffersWorld world(
      {.offers = kBothOffers,
       .answers = {{"BDAT", "502 5.5.1 no"}, {"RCPT a@example.jp", "550 5.1.1 nobody"}}});
  const auto results = world.send({"a@example.jp", "b@example.jp"});
  EXPECT_EQ(results[0].reply, (Reply{550, "5.1.1 nobody"}));
  EXPECT_EQ(results[0].stage, Stage::rcpt_to);
  EXPECT_TRUE(results[1].accepted());
  EXPECT_EQ(world.server.taken().at(0).recipients, Strings{"b@example.jp"});
}

TEST(ClientOffers, ARefusalOfTheMailIsNoneOfTheCommand) {
  for (const char* refusal :
       {"550 5.7.1 spam", "552 5.3.4 too big", "451 4.3.0 later", "554 5.7.1 bad words in BDAT",
        "554 5.7.1 <BDAT>: Data command rejected: Access denied"}) {
    OffersWorld world({.offers = kBothOffers, .answers = {{"BDAT", refusal}}});
    const auto result = world.send()[0];
    EXPECT_EQ(result.reply.code, std::stoi(refusal)) << refusal;
    EXPECT_FALSE(world.session.broken_offers().any()) << refusal;
    EXPECT_TRUE(world.server.taken().empty());
  }
  OffersWorld nobody({.offers = kBothOffers,
                      .answers = {{"RCPT a@example.jp", "550 5.1.1 no"},
                                  {"BDAT", "503 5.5.1 no valid recipients"}}});
  EXPECT_EQ(nobody.send()[0].stage, Stage::rcpt_to);
  EXPECT_FALSE(nobody.session.broken_offers().any());
}

// Each line of the content is answered: the connection is lost, and DATA must wait for another.
TEST(ClientOffers, AServerThatTakesTheChunkForCommandsIsLeft) {
  OffersWorld world({.offers = kBothOffers, .knows_bdat = false});
  const auto result = world.send()[0];
  expect_elsewhere(world, result, kNoChunking, false);
  EXPECT_EQ(result.reply, (Reply{500, "what"})) << "what it said of BDAT";
  EXPECT_EQ(result.stage, Stage::data);
}

TEST(ClientOffers, AResetThatIsRefusedOrMetByTheEndLeavesItToAnotherConnection) {
  OffersWorld refused(
      {.offers = kBothOffers, .answers = {{"BDAT", "502 5.5.1 no"}, {"RSET", "500 5.5.1 no"}}});
  expect_elsewhere(refused, refused.send()[0], kNoChunking, false);
  OffersWorld gone(
      {.offers = kBothOffers, .answers = {{"BDAT", "502 5.5.1 no"}}, .hangs_up_at = "RSET"});
  const auto result = gone.send()[0];
  expect_elsewhere(gone, result, kNoChunking, false);
  EXPECT_EQ(result.reply, (Reply{502, "5.5.1 no"}));
}

TEST(ClientOffers, HangingUpAtTheChunkAsksForAnotherConnectionWithoutIt) {
  OffersWorld apart({.offers = {"CHUNKING"}, .hangs_up_at = "BDAT"});
  const auto result = apart.send()[0];
  expect_elsewhere(apart, result, kNoChunking, true);
  EXPECT_EQ(result.cause, Cause::in_doubt);
  OffersWorld together({.offers = kBothOffers, .hangs_up_at = "BDAT"});
  expect_elsewhere(together, together.send()[0], kNoChunking, true);
}

TEST(ClientOffers, HangingUpAtAGroupAsksForAnotherConnectionWithoutGroups) {
  OffersWorld data({.offers = {"PIPELINING"}, .hangs_up_at = "RCPT"});
  const auto result = data.send()[0];
  expect_elsewhere(data, result, kNoPipelining, false);
  EXPECT_EQ(result.cause, Cause::connection_lost);
  OffersWorld chunk({.offers = kBothOffers, .hangs_up_at = "MAIL"});
  expect_elsewhere(chunk, chunk.send()[0], kNeither, true);
}

TEST(ClientOffers, HangingUpWithoutAnyOfThemIsTheRecipientsAttempt) {
  for (const char* command : {"MAIL", "RCPT", "DATA"}) {
    OffersWorld world({.offers = {"SIZE"}, .hangs_up_at = command});
    const auto result = world.send()[0];
    EXPECT_FALSE(result.again) << command;
    EXPECT_EQ(result.cause, Cause::connection_lost);
    EXPECT_FALSE(world.session.broken_offers().any());
  }
}

TEST(ClientOffers, WhatWentWellBeforeIsNotBroken) {
  OffersWorld world({.offers = kBothOffers});
  EXPECT_TRUE(world.send()[0].accepted());
  const auto to = ClientEnvelope::make("from@example.com", {"a@example.jp"}).value();
  world.session.send(to, view_of(kDottedPieces));
  world.session.written();
  world.session.received("250 ok\r\n250 ok\r\n");
  world.session.failed({ErrorKind::closed, "read: Connection reset by peer"});
  EXPECT_FALSE(world.session.results()[0].again);
  EXPECT_TRUE(world.session.results()[0].in_doubt);
  EXPECT_FALSE(world.session.broken_offers().any());
}

TEST(ClientOffers, ARefusedGroupIsSaidOneByOneOnTheSameConnection) {
  for (const Strings& offers : {kBothOffers, Strings{"PIPELINING"}}) {
    OffersWorld world({.offers = offers, .groups = Groups::refused});
    const auto result = world.send()[0];
    EXPECT_TRUE(result.accepted()) << result.reply.code << " " << result.reply.text;
    expect_sent_once(world, kNoPipelining);
  }
}

TEST(ClientOffers, ABadSequenceInAGroupIsTheGroupsFault) {
  OffersWorld rcpt(
      {.offers = {"PIPELINING"}, .answers = {{"RCPT a@example.jp", "503 5.5.1 MAIL first"}}});
  const auto result = rcpt.send()[0];
  EXPECT_EQ(result.reply.code, 503) << "one by one it is the answer";
  EXPECT_FALSE(result.again);
  EXPECT_EQ(rcpt.session.broken_offers(), kNoPipelining);
  OffersWorld said(
      {.offers = {"PIPELINING"}, .answers = {{"DATA", "554 SMTP synchronization error"}}});
  said.send();
  EXPECT_EQ(said.session.broken_offers(), kNoPipelining);
  OffersWorld bye({.offers = {"PIPELINING"},
                   .answers = {{"RCPT a@example.jp", "421 4.7.0 command sent before reply"}}});
  expect_elsewhere(bye, bye.send()[0], kNoPipelining, false);
}

TEST(ClientOffers, LostCommandsAreNotWaitedForAgain) {
  OffersWorld data({.offers = {"PIPELINING"}, .groups = Groups::lost});
  const auto result = data.send()[0];
  expect_elsewhere(data, result, kNoPipelining, false);
  EXPECT_EQ(result.reply.text, "no answer to RCPT TO within 300 s");
  EXPECT_EQ(result.cause, Cause::silence);
  OffersWorld chunk({.offers = kBothOffers, .groups = Groups::lost});
  const auto doubtful = chunk.send()[0];
  EXPECT_TRUE(doubtful.in_doubt);
  EXPECT_FALSE(doubtful.again) << "it may have the mail in its hands";
  EXPECT_EQ(chunk.session.broken_offers(), kNeither);
  OffersWorld mute({.offers = {"PIPELINING"},
                    .answers = {{"MAIL", ""}, {"RCPT a@example.jp", ""}, {"DATA", ""}}});
  EXPECT_FALSE(mute.send()[0].again) << "who answers nothing may be silent for any reason";
}

TEST(ClientOffers, AnAnswerThatIsMissingInAGroupIsNoticed) {
  OffersWorld world(
      {.offers = {"PIPELINING"}, .answers = {{"RCPT a@example.jp", ""}, {"DATA", "354 go on"}}});
  const auto result = world.send()[0];  // 354 where RCPT is to be answered
  expect_elsewhere(world, result, kNoPipelining, false);
  EXPECT_EQ(result.cause, Cause::garbled);
}

TEST(ClientOffers, WhatIsKnownBeforeIsAvoided) {
  OffersWorld world({.offers = kBothOffers});
  world.session.avoid(kNeither);
  EXPECT_TRUE(world.send()[0].accepted());
  EXPECT_EQ(world.server.commands(),
            (Strings{"EHLO sender.example.com", "MAIL FROM:<from@example.com>",
                     "RCPT TO:<a@example.jp>", "DATA"}));
}

TEST(ClientOffers, BothAtOnceTakeTwoRounds) {
  OffersWorld world(
      {.offers = kBothOffers, .answers = {{"BDAT", "502 5.5.1 no"}}, .groups = Groups::refused});
  const auto result = world.send()[0];
  EXPECT_TRUE(result.accepted()) << result.reply.text;
  EXPECT_EQ(world.session.broken_offers(), kNeither);
  ASSERT_EQ(world.server.taken().size(), 1U);
}

TEST(ClientOffers, AReplyWithoutItsLastLineIsTold) {
  OffersWorld world(
      {.offers = {"SIZE"}, .answers = {{"MAIL", "250-first\r\n250-second\r\n250-thi"}}});
  // The fake ends each answer with CRLF, so there are three lines that ask for more.
  const auto result = world.send()[0];
  EXPECT_EQ(result.reply.text,
            "no answer to MAIL FROM within 300 s; its answer had begun: 250-first 250-second "
            "250-thi");
  EXPECT_EQ(result.cause, Cause::silence);
}

TEST(ReplyParserUnfinished, IsShortAndWhole) {
  ReplyParser parser;
  std::string_view input = "250-a\r\n25";
  EXPECT_FALSE(*parser.take(input));
  EXPECT_EQ(parser.unfinished(), "250-a 25");
  input = "0 b\r\n";
  EXPECT_TRUE(*parser.take(input));
  EXPECT_EQ(parser.unfinished(), "");
  for (int i = 0; i < 50; ++i) {
    input = "250-\xe5\xb1\x8a\xe3\x81\x8f and so on, and so on\r\n";
    EXPECT_FALSE(*parser.take(input));
  }
  EXPECT_LE(parser.unfinished().size(), ReplyParser::kUnfinishedMax + 3);
  EXPECT_TRUE(parser.unfinished().ends_with("..."));
}

}  // namespace
}  // namespace todoku::smtp
