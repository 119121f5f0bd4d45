// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/client_session.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "smtp/protocol/client_fake_server.h"

namespace todoku::smtp {
namespace {

using Step = ClientSession::Step;
using Strings = std::vector<std::string>;

const std::string kContent = "Subject: hi\r\n\r\n.hidden\r\nbye\r\n";

ClientEnvelope envelope(Strings recipients = {"a@example.jp"}, EnvelopeNeeds needs = {}) {
  return ClientEnvelope::make("from@example.com", std::move(recipients), needs).value();
}

// A session, a server and the line between them.
struct World {
  explicit World(Script script, ClientSessionOptions options = {}, FakeLine::Cuts cuts = {})
      : session([&] {
          options.hello_name = "sender.example.com";
          return options;
        }()),
        server(std::move(script)),
        line(session, server, cuts) {
    line.drive();
  }

  std::vector<RecipientResult> send(const ClientEnvelope& to,
                                    std::vector<std::string_view> pieces = {kContent}) {
    session.send(to, view_of(pieces));
    line.drive();
    const auto results = session.results();
    return {results.begin(), results.end()};
  }
  // What was written since the session was opened.
  [[nodiscard]] Strings writes_after(std::size_t opening) const {
    return {line.writes().begin() + static_cast<std::ptrdiff_t>(opening), line.writes().end()};
  }

  ClientSession session;
  FakeServer server;
  FakeLine line;
};

Script offering(Strings offers, std::map<std::string, std::string> answers = {}) {
  return {.offers = std::move(offers), .answers = std::move(answers)};
}
const Strings kBoth = {"PIPELINING", "CHUNKING"};

void expect_result(const RecipientResult& result, Stage stage, const Reply& reply,
                   bool in_doubt = false) {
  EXPECT_EQ(to_string(result.stage), to_string(stage));
  EXPECT_EQ(result.reply, reply) << result.reply.code << " " << result.reply.text;
  EXPECT_EQ(result.in_doubt, in_doubt);
  EXPECT_FALSE(result.permanent);
}

TEST(ClientSession, SendsEverythingInOneFlightWithPipeliningAndChunking) {
  World world(offering({"PIPELINING", "CHUNKING", "SIZE 1000"}));
  const auto results = world.send(envelope({"a@example.jp", "b@example.jp"}));
  EXPECT_EQ(world.writes_after(1),
            Strings{"MAIL FROM:<from@example.com> SIZE=29\r\nRCPT TO:<a@example.jp>\r\n"
                    "RCPT TO:<b@example.jp>\r\nBDAT 29 LAST\r\n" +
                    kContent});
  for (const RecipientResult& result : results) {
    expect_result(result, Stage::accepted, {250, "2.0.0 taken"});
  }
  ASSERT_EQ(world.server.taken().size(), 1U);
  EXPECT_EQ(world.server.taken()[0].content, kContent);
  EXPECT_EQ(world.server.taken()[0].recipients, (Strings{"a@example.jp", "b@example.jp"}));
}

TEST(ClientSession, SendsTheContentAfterDataWithPipeliningOnly) {
  World world(offering({"PIPELINING"}));
  const auto results = world.send(envelope());
  EXPECT_EQ(world.writes_after(1),
            (Strings{"MAIL FROM:<from@example.com>\r\nRCPT TO:<a@example.jp>\r\nDATA\r\n",
                     "Subject: hi\r\n\r\n..hidden\r\nbye\r\n.\r\n"}));
  EXPECT_TRUE(results[0].accepted());
  EXPECT_EQ(world.server.taken().at(0).content, kContent);
}

TEST(ClientSession, WaitsForEachAnswerWithoutPipelining) {
  World world(offering({"8BITMIME"}));
  const auto results = world.send(envelope({"a@example.jp", "b@example.jp"}));
  EXPECT_EQ(world.writes_after(1),
            (Strings{"MAIL FROM:<from@example.com>\r\n", "RCPT TO:<a@example.jp>\r\n",
                     "RCPT TO:<b@example.jp>\r\n", "DATA\r\n",
                     "Subject: hi\r\n\r\n..hidden\r\nbye\r\n.\r\n"}));
  EXPECT_TRUE(results[1].accepted());
}

TEST(ClientSession, SendsTheChunkWithItsCommandWithoutPipelining) {
  World world(offering({"CHUNKING"}));
  const auto results = world.send(envelope());
  EXPECT_EQ(world.writes_after(1),
            (Strings{"MAIL FROM:<from@example.com>\r\n", "RCPT TO:<a@example.jp>\r\n",
                     "BDAT 29 LAST\r\n" + kContent}));
  EXPECT_TRUE(results[0].accepted());
}

TEST(ClientSession, HoldsLargeContentBackUntilSomebodyWantsIt) {
  const ClientSessionOptions options{.single_flight_max = 28};
  World world(offering(kBoth, {{"RCPT b@example.jp", "550 5.1.1 no"}}), options);
  EXPECT_TRUE(world.send(envelope())[0].accepted());
  expect_result(world.send(envelope({"b@example.jp"}))[0], Stage::rcpt_to, {550, "5.1.1 no"});
  EXPECT_EQ(world.writes_after(1),
            (Strings{"MAIL FROM:<from@example.com>\r\nRCPT TO:<a@example.jp>\r\n",
                     "BDAT 29 LAST\r\n" + kContent,
                     "MAIL FROM:<from@example.com>\r\nRCPT TO:<b@example.jp>\r\n"}));
}

// All that was written after the session was opened.
std::string wire_after_opening(const World& world) {
  std::string all;
  for (const std::string& write : world.writes_after(1)) all += write;
  return all;
}

std::vector<RecipientResult> send_in_slices(World& world, Strings slices, std::uint64_t size) {
  world.line.slice(std::move(slices));
  const ClientEnvelope to = envelope();
  world.session.send(to, {.pieces = {}, .size = size, .in_slices = true});
  world.line.drive();
  const auto results = world.session.results();
  return {results.begin(), results.end()};
}

TEST(ClientSession, ContentInSlicesIsTheSameOnTheLineWhereverItIsCut) {
  const std::string content = "Subject: hi\r\n\r\n.a\r\n..b\r\n.\r\nlast";
  for (const Strings& offers : {Strings{}, kBoth, Strings{"PIPELINING"}, Strings{"CHUNKING"}}) {
    for (const std::uint64_t single_flight_max : {10U, 1'000U}) {
      const ClientSessionOptions options{.single_flight_max = single_flight_max};
      World whole(offering(offers), options);
      EXPECT_TRUE(whole.send(envelope(), {content})[0].accepted());
      Strings octets;
      for (const char c : content) octets.emplace_back(1, c);
      std::vector<Strings> ways{octets, {content}};
      for (std::size_t cut = 1; cut < content.size(); ++cut) {
        ways.push_back({content.substr(0, cut), content.substr(cut)});
      }
      for (const Strings& slices : ways) {
        World world(offering(offers), options);
        // And once more over the same session.
        for (int i = 0; i < 2; ++i) {
          EXPECT_TRUE(send_in_slices(world, slices, content.size())[0].accepted());
        }
        EXPECT_TRUE(wire_after_opening(world).starts_with(wire_after_opening(whole)));
        ASSERT_EQ(world.server.taken().size(), 2U);
        EXPECT_EQ(world.server.taken()[1].content, whole.server.taken()[0].content);
      }
    }
  }
}

TEST(ClientSession, ContentThatCannotBeGivenIsNotTaken) {
  for (const Strings& offers : {Strings{}, kBoth}) {
    for (const Strings& there_is : {Strings{}, Strings{"Subject: hi\r\n"}}) {
      World world(offering(offers));
      const auto results = send_in_slices(world, there_is, 100);
      // In a group no command had been answered yet.
      expect_result(results[0], offers.empty() ? Stage::data : Stage::mail_from,
                    {0, "the disk is broken"});
      EXPECT_EQ(world.session.step(), Step::over);
      EXPECT_FALSE(world.session.content_is_out());
      EXPECT_TRUE(world.server.taken().empty());
    }
  }
}

TEST(ClientSession, MoreThanTheAnswerToTheOpeningEndsIt) {
  for (const std::string more : {"421 too busy\r\n", "250 y\r\n", "garbage\r\n", "2"}) {
    ClientSession session({.hello_name = "sender.example.com"});
    session.received("220 mx\r\n");
    session.written();
    session.received("250 x\r\n" + more);
    EXPECT_FALSE(session.opened()) << more;
    EXPECT_EQ(session.step(), Step::over) << more;
    EXPECT_EQ(session.failure().stage, Stage::hello) << more;
    EXPECT_EQ(session.failure().reply.code, more.starts_with("421") ? 421 : 0) << more;
  }
  ClientSession session({.hello_name = "sender.example.com"});
  session.received("220 mx\r\n");
  session.written();
  session.received("250-x\r\n250 STARTTLS\r\n");
  session.written();
  session.received("454 no\r\n250 z\r\n");
  EXPECT_FALSE(session.opened());
}

TEST(ClientSession, ContentInSlicesIsNotAskedForWhenNobodyWantsIt) {
  for (const Strings& offers : {Strings{}, Strings{"PIPELINING"}}) {
    World world(offering(offers, {{"RCPT a@example.jp", "550 5.1.1 no"}}));
    expect_result(send_in_slices(world, {}, 100)[0], Stage::rcpt_to, {550, "5.1.1 no"});
    EXPECT_EQ(world.session.step(), Step::rest);
  }
}

TEST(ClientSession, MakesNoUseOfWhatIsTurnedOff) {
  World world(offering(kBoth), {.pipelining = false, .chunking = false});
  EXPECT_TRUE(world.send(envelope())[0].accepted());
  EXPECT_EQ(world.server.commands(),
            (Strings{"EHLO sender.example.com", "MAIL FROM:<from@example.com>",
                     "RCPT TO:<a@example.jp>", "DATA"}));
}

TEST(ClientSession, ReusesTheSession) {
  for (const Strings& offers : {kBoth, Strings{"PIPELINING"}, Strings{"SIZE"}, Strings{}}) {
    World world(offering(offers));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(world.send(envelope())[0].accepted());
    EXPECT_EQ(world.server.taken().size(), 3U);
    EXPECT_EQ(world.session.step(), Step::rest);
  }
}

// The ways in which a mail can travel; refusals must come out the same on each.
const std::vector<Strings> kWays = {kBoth, {"PIPELINING"}, {"CHUNKING"}, {"SIZE"}};

TEST(ClientSession, TellsWhoWasRefusedWhereOnEveryWay) {
  for (const Strings& offers : kWays) {
    const std::string content_command = offers.back() == "CHUNKING" ? "BDAT" : ".";
    World sender(offering(offers, {{"MAIL", "451 4.7.1 greylisted"}}));
    for (const auto& result : sender.send(envelope({"a@example.jp", "b@example.jp"}))) {
      expect_result(result, Stage::mail_from, {451, "4.7.1 greylisted"});
    }
    EXPECT_EQ(sender.session.step(), Step::rest);

    World some(offering(offers, {{"RCPT b@example.jp", "550-5.1.1 no\r\n550 5.1.1 user"}}));
    const auto results = some.send(envelope({"a@example.jp", "b@example.jp", "c@example.jp"}));
    EXPECT_TRUE(results[0].accepted());
    expect_result(results[1], Stage::rcpt_to, {550, "5.1.1 no\n5.1.1 user"});
    EXPECT_TRUE(results[2].accepted());
    EXPECT_EQ(some.server.taken().at(0).recipients, (Strings{"a@example.jp", "c@example.jp"}));

    World content(offering(offers, {{content_command, "552 5.3.4 too big"}}));
    expect_result(content.send(envelope())[0], Stage::data, {552, "5.3.4 too big"});
    EXPECT_EQ(content.session.step(), Step::rest);
  }
  World data(offering({"PIPELINING"}, {{"DATA", "451 4.3.0 not now"}}));
  expect_result(data.send(envelope())[0], Stage::data, {451, "4.3.0 not now"});
}

TEST(ClientSession, GoesOnWithTheNextMailAfterAnyRefusal) {
  for (const Strings& offers : kWays) {
    for (const char* refused : {"MAIL", "RCPT bad@example.jp", "DATA", ".", "BDAT"}) {
      Script script = offering(offers, {{refused, "550 5.7.1 no"}});
      World world(script);
      const auto first = world.send(envelope({"bad@example.jp"}));
      ASSERT_EQ(world.session.step(), Step::rest) << refused;
      const bool always = std::string_view(refused) != "RCPT bad@example.jp";
      const bool touched = !first[0].accepted();
      const auto second = world.send(envelope({"good@example.jp"}));
      EXPECT_EQ(second[0].accepted(), !always || !touched) << refused << " " << offers[0];
      if (!second[0].accepted()) {
        EXPECT_EQ(second[0].reply.text, "5.7.1 no") << refused << " " << offers[0];
      }
    }
  }
}

TEST(ClientSession, ResetsBeforeTheNextMailOnlyWhereNeeded) {
  World world(offering(kBoth, {{"RCPT bad@example.jp", "550 no"}}));
  world.send(envelope({"bad@example.jp"}));
  EXPECT_TRUE(world.send(envelope())[0].accepted());
  EXPECT_TRUE(world.send(envelope())[0].accepted());
  EXPECT_EQ(world.server.commands(),
            (Strings{"EHLO sender.example.com", "MAIL FROM:<from@example.com>",
                     "RCPT TO:<bad@example.jp>", "BDAT 29 LAST", "RSET",
                     "MAIL FROM:<from@example.com>", "RCPT TO:<a@example.jp>", "BDAT 29 LAST",
                     "MAIL FROM:<from@example.com>", "RCPT TO:<a@example.jp>", "BDAT 29 LAST"}));
}

TEST(ClientSession, SendsAnEmptyContentToAServerThatAsksForNobodysMail) {
  World world(offering({"PIPELINING"}, {{"RCPT a@example.jp", "550 no"}, {"DATA", "354 why not"}}));
  expect_result(world.send(envelope())[0], Stage::rcpt_to, {550, "no"});
  EXPECT_EQ(world.line.writes().back(), ".\r\n");
  EXPECT_EQ(world.session.step(), Step::rest);
}

TEST(ClientSession, KeepsARefusalThoughTheContentIsTaken) {
  World world(offering(kBoth, {{"RCPT a@example.jp", "550 no"}, {"BDAT", "250 whatever"}}));
  expect_result(world.send(envelope())[0], Stage::rcpt_to, {550, "no"});
}

TEST(ClientSession, FallsBackToHelo) {
  World world({.offers = {"PIPELINING"}, .answers = {{"EHLO", "502 5.5.1 never heard"}}});
  EXPECT_EQ(world.session.step(), Step::rest);
  EXPECT_EQ(world.session.capabilities(), Capabilities());
  EXPECT_TRUE(world.send(envelope())[0].accepted());
  EXPECT_EQ(world.line.writes()[1], "HELO sender.example.com\r\n");
}

void expect_failure(const ClientSession& session, Stage stage, const Reply& reply,
                    Cause cause = Cause::none) {
  EXPECT_EQ(session.step(), Step::over);
  EXPECT_FALSE(session.opened());
  EXPECT_EQ(to_string(session.failure().stage), to_string(stage));
  EXPECT_EQ(session.failure().reply, reply) << session.failure().reply.text;
  EXPECT_EQ(static_cast<int>(session.failure().cause), static_cast<int>(cause));
}

TEST(ClientSession, TellsWhyItCouldNotBeOpened) {
  expect_failure(World({.greeting = "554 5.7.1 blocked\r\n"}).session, Stage::greeting,
                 {554, "5.7.1 blocked"});
  expect_failure(World({.greeting = "421-busy\r\n421 later\r\n"}).session, Stage::greeting,
                 {421, "busy\nlater"});
  expect_failure(World({.greeting = ""}).session, Stage::greeting,
                 {0, "no answer to the greeting within 300 s"}, Cause::silence);
  expect_failure(
      World({.greeting = "SSH-2.0-OpenSSH_9.2\r\n"}).session, Stage::greeting,
      {0,
       "the receiver sent 'SSH-2.0-OpenSSH_9.2', which is no SMTP reply, where we waited for "
       "the answer to the greeting"},
      Cause::garbled);
  expect_failure(World({}, {}, {.server_octets = 5}).session, Stage::greeting,
                 {0,
                  "the receiver closed the connection before it answered the greeting; its answer "
                  "had begun: 220 m"},
                 Cause::connection_lost);
  expect_failure(World(offering({"SIZE"}, {{"EHLO", "450 4.3.2 later"}})).session, Stage::hello,
                 {450, "4.3.2 later"});
  expect_failure(World(offering({}, {{"EHLO", "550 bad name"}, {"HELO", "550 bad name"}})).session,
                 Stage::hello, {550, "bad name"});
  expect_failure(World({}, {}, {.client_octets = 3}).session, Stage::hello,
                 {0, "the receiver closed the connection while we sent EHLO"},
                 Cause::connection_lost);
}

TEST(ClientSession, UsesTlsWhenOfferedAndForgetsWhatItKnewBefore) {
  World world(offering({"PIPELINING", "STARTTLS"}));
  EXPECT_EQ(world.session.step(), Step::rest);
  EXPECT_EQ(world.session.no_tls_reason(), "");
  EXPECT_FALSE(world.session.capabilities().starttls);
  EXPECT_TRUE(world.session.capabilities().pipelining);
  EXPECT_EQ(world.server.commands(),
            (Strings{"EHLO sender.example.com", "STARTTLS", "EHLO sender.example.com"}));
  EXPECT_TRUE(world.send(envelope())[0].accepted());
}

TEST(ClientSession, GoesOnInClearTextWhenItMay) {
  World refused(offering({"STARTTLS"}, {{"STARTTLS", "454 4.7.0 not now"}}));
  EXPECT_EQ(refused.session.step(), Step::rest);
  EXPECT_EQ(refused.session.no_tls_reason(), "STARTTLS refused: 454 4.7.0 not now");
  World absent(offering({"SIZE"}));
  EXPECT_EQ(absent.session.no_tls_reason(), "STARTTLS not offered");
  World unwanted(offering({"STARTTLS"}), {.tls = {.mode = TlsMode::never}});
  EXPECT_EQ(unwanted.session.no_tls_reason(), "STARTTLS not wanted");
  World unproven(offering({"STARTTLS"}), {}, {.tls_proven = false});
  EXPECT_EQ(unproven.session.step(), Step::rest);
}

TEST(ClientSession, EndsWithoutMailWhenRequiredTlsIsNotThere) {
  const ClientSessionOptions required{
      .tls = {.mode = TlsMode::required, .proof = TlsProof::mx_name}};
  expect_failure(World(offering({"SIZE"}), required).session, Stage::starttls,
                 {0, "the receiver does not offer STARTTLS, which this site's policy requires"},
                 Cause::no_tls_offered);
  expect_failure(World(offering({"STARTTLS"}, {{"STARTTLS", "454 no"}}), required).session,
                 Stage::starttls, {454, "no"}, Cause::no_tls_offered);
  expect_failure(World(offering({"STARTTLS"}), required, {.tls_proven = false}).session,
                 Stage::starttls,
                 {0,
                  "the receiver's certificate does not prove its name, as this site's policy "
                  "requires"},
                 Cause::tls_failed);
  EXPECT_TRUE(World(offering({"STARTTLS"}), required).session.opened());
}

// RFC 7672 section 2.2: the receiver itself demands it.
TEST(ClientSession, EndsWithoutMailWhenTlsIsNotWhatTlsaRecordsName) {
  const ClientSessionOptions held{
      .tls = {.mode = TlsMode::required, .proof = TlsProof::dane, .asked_by = TlsAsker::dane}};
  expect_failure(World(offering({"SIZE"}), held).session, Stage::starttls,
                 {0, "the receiver does not offer STARTTLS, which its TLSA records (DANE) require"},
                 Cause::dane_failed);
  expect_failure(World(offering({"STARTTLS"}, {{"STARTTLS", "454 no"}}), held).session,
                 Stage::starttls, {454, "no"}, Cause::dane_failed);
  expect_failure(World(offering({"STARTTLS"}), held, {.tls_proven = false}).session,
                 Stage::starttls,
                 {0, "the receiver's certificate is not one that its TLSA records (DANE) name"},
                 Cause::dane_failed);
  expect_failure(World(offering({"STARTTLS"}), held, {.tls_fails = true}).session, Stage::starttls,
                 {0, "TLS handshake: wrong version number"}, Cause::dane_failed);
  EXPECT_TRUE(World(offering({"STARTTLS"}), held).session.opened());
  // Records that cannot be used ask for TLS alone.
  const ClientSessionOptions encrypted{
      .tls = {.mode = TlsMode::required, .proof = TlsProof::none, .asked_by = TlsAsker::dane}};
  EXPECT_FALSE(World(offering({"SIZE"}), encrypted).session.opened());
  EXPECT_TRUE(World(offering({"STARTTLS"}), encrypted, {.tls_proven = false}).session.opened());
}

TEST(ClientSession, TellsThatTheHandshakeFailedSoThatClearTextCanBeTried) {
  World world(offering({"STARTTLS"}), {}, {.tls_fails = true});
  expect_failure(world.session, Stage::starttls, {0, "TLS handshake: wrong version number"},
                 Cause::tls_failed);
  EXPECT_TRUE(world.session.failed_in_tls());
  EXPECT_FALSE(World({.greeting = "554 no\r\n"}).session.failed_in_tls());
}

TEST(ClientSession, IgnoresNothingSaidBeforeTheHandshake) {
  World world(offering({"STARTTLS"}, {{"STARTTLS", "220 go\r\n250 injected"}}));
  expect_failure(world.session, Stage::starttls,
                 {0, "the receiver sent more after agreeing to STARTTLS"}, Cause::tls_failed);
  EXPECT_TRUE(world.session.failed_in_tls()) << "where clear text may do, it is tried";
}

TEST(ClientSession, SendsNothingThatTheServerCannotTake) {
  World world(offering({"PIPELINING", "CHUNKING", "SIZE 28"}));
  const auto too_big = world.send(envelope());
  EXPECT_TRUE(too_big[0].permanent);
  EXPECT_EQ(too_big[0].cause, Cause::over_size_limit);
  EXPECT_EQ(too_big[0].reply, (Reply{0, "5.3.4 the message has 29 octets, the receiver takes 28"}));
  const auto utf8 = world.send(envelope({"\xe5\xb1\x8a@example.jp"}), {"x"});
  EXPECT_TRUE(utf8[0].permanent);
  EXPECT_EQ(utf8[0].cause, Cause::no_smtputf8);
  EXPECT_EQ(utf8[0].reply.text, "5.6.7 the mail needs SMTPUTF8, which the receiver does not offer");
  const auto raw = world.send(envelope({"a@example.jp"}, {.eight_bit = true}), {"x"});
  EXPECT_TRUE(raw[0].permanent);
  EXPECT_EQ(raw[0].cause, Cause::no_8bitmime);
  EXPECT_EQ(raw[0].reply.text, "5.6.3 the mail needs 8BITMIME, which the receiver does not offer");
  EXPECT_EQ(world.server.commands(), Strings{"EHLO sender.example.com"});
  EXPECT_TRUE(world.send(envelope(), {"x\r\n"})[0].accepted());
}

TEST(ClientSession, AsksForWhatTheMailNeeds) {
  World world(offering({"SIZE", "8BITMIME", "SMTPUTF8"}));
  EXPECT_TRUE(world.send(envelope({"\xe5\xb1\x8a@example.jp"}, {.eight_bit = true}))[0].accepted());
  EXPECT_EQ(world.server.commands()[1],
            "MAIL FROM:<from@example.com> SIZE=29 BODY=8BITMIME SMTPUTF8");
  const auto null_sender = ClientEnvelope::make("", {"a@example.jp"}).value();
  EXPECT_TRUE(world.send(null_sender)[0].accepted());
  EXPECT_EQ(world.server.commands()[4], "MAIL FROM:<> SIZE=29");
}

TEST(ClientSession, EndsWithTheServersGoodbyeOnEveryWay) {
  const Reply bye{421, "4.3.2 bye"};
  for (const Strings& offers : kWays) {
    const std::string content_command = offers.back() == "CHUNKING" ? "BDAT" : ".";
    const std::pair<std::string, Stage> table[] = {{"MAIL", Stage::mail_from},
                                                   {"RCPT a@example.jp", Stage::rcpt_to},
                                                   {content_command, Stage::data}};
    for (const auto& [command, stage] : table) {
      World world(offering(offers, {{command, "421 4.3.2 bye"}}));
      expect_result(world.send(envelope())[0], stage, bye);
      EXPECT_EQ(world.session.step(), Step::over);
    }
  }
}

TEST(ClientSession, GivesTheGoodbyeToEverybodyWithoutAnAnswerOfTheirOwn) {
  World world(
      offering({"SIZE"}, {{"RCPT b@example.jp", "550 no"}, {"RCPT c@example.jp", "421 x"}}));
  const auto results =
      world.send(envelope({"a@example.jp", "b@example.jp", "c@example.jp", "d@example.jp"}));
  expect_result(results[0], Stage::rcpt_to, {421, "x"});
  expect_result(results[1], Stage::rcpt_to, {550, "no"});
  expect_result(results[2], Stage::rcpt_to, {421, "x"});
  expect_result(results[3], Stage::rcpt_to, {421, "x"});
  EXPECT_TRUE(world.server.taken().empty());
}

TEST(ClientSession, StillBelievesTheAnswerToContentThatWasUnderWayAtAGoodbye) {
  World world(offering(kBoth, {{"RCPT b@example.jp", "421 too many recipients"}}));
  const auto results = world.send(envelope({"a@example.jp", "b@example.jp"}));
  EXPECT_TRUE(results[0].accepted());
  expect_result(results[1], Stage::rcpt_to, {421, "too many recipients"});
  EXPECT_EQ(world.session.step(), Step::over);
}

TEST(ClientSession, TakesAGoodbyeWhileAtRest) {
  World world(offering(kBoth));
  world.session.received("421 4.4.2 idle for too long\r\n");
  EXPECT_EQ(world.session.step(), Step::over);
  World late(offering(kBoth, {{"BDAT", "250 ok\r\n421 enough"}}));
  EXPECT_TRUE(late.send(envelope())[0].accepted());
  EXPECT_EQ(late.session.step(), Step::over);
}

TEST(ClientSession, EndsWhenAnswersComeWithoutCommands) {
  World world(offering({"SIZE"}, {{"MAIL", "250 ok\r\n250 ok"}}));
  const auto results = world.send(envelope());
  EXPECT_EQ(results[0].reply.code, 0);
  EXPECT_EQ(world.session.step(), Step::over);
  World goodbye(offering({"SIZE"}, {{"MAIL", "250 ok\r\n421 stop"}}));
  expect_result(goodbye.send(envelope())[0], Stage::rcpt_to, {421, "stop"});
}

TEST(ClientSession, TakesARefusalThatComesBeforeTheContent) {
  World world(offering({"PIPELINING"}, {{"DATA", "354 go on\r\n550 5.7.1 no, stop"}}));
  expect_result(world.send(envelope())[0], Stage::data, {550, "5.7.1 no, stop"});
  EXPECT_EQ(world.session.step(), Step::over);
  EXPECT_TRUE(world.server.taken().empty());
}

TEST(ClientSession, EndsWhenAnswersMakeNoSense) {
  const std::pair<const char*, const char*> table[] = {
      {"MAIL", "354 what"}, {"RCPT a@example.jp", "354 what"}, {"DATA", "250 what"},
      {".", "354 what"},    {"RCPT a@example.jp", "999 code"},
  };
  for (const auto& [command, answer] : table) {
    World world(offering({"PIPELINING"}, {{command, answer}}));
    const auto results = world.send(envelope());
    EXPECT_EQ(results[0].reply.code, 0) << command;
    EXPECT_FALSE(results[0].accepted());
    EXPECT_EQ(results[0].in_doubt, std::string_view(command) == ".");
    EXPECT_EQ(world.session.step(), Step::over);
  }
}

TEST(ClientSession, LeavesAMailInDoubtWhenItsAnswerDoesNotCome) {
  World data(offering({"PIPELINING"}, {{".", ""}}));
  expect_result(data.send(envelope())[0], Stage::data, {0, "no answer to the content within 600 s"},
                true);
  World flight(offering(kBoth, {{"MAIL", ""}, {"RCPT a@example.jp", ""}, {"BDAT", ""}}));
  expect_result(flight.send(envelope())[0], Stage::mail_from,
                {0, "no answer to MAIL FROM within 300 s"}, true);
  World lock_step(offering({"SIZE"}, {{"RCPT a@example.jp", ""}}));
  expect_result(lock_step.send(envelope())[0], Stage::rcpt_to,
                {0, "no answer to RCPT TO within 300 s"}, false);
  World before_data(offering({"PIPELINING"}, {{"DATA", ""}}));
  expect_result(before_data.send(envelope())[0], Stage::data, {0, "no answer to DATA within 120 s"},
                false);
}

TEST(ClientSession, HearsTheLastWordsOfAServerThatHangsUpInTheContent) {
  ClientSession session({.hello_name = "sender.example.com"});
  session.received("220 mx\r\n");
  session.written();
  session.received("250-mx\r\n250 PIPELINING\r\n");
  const std::vector<std::string_view> pieces = {kContent};
  const ClientEnvelope to = envelope();
  session.send(to, view_of(pieces));
  session.written();
  session.received("250 ok\r\n250 ok\r\n354 go\r\n");
  ASSERT_EQ(session.step(), Step::write);
  session.failed({ErrorKind::closed, "write: Connection reset by peer"});
  ASSERT_EQ(session.step(), Step::read);
  EXPECT_EQ(session.patience(), std::chrono::seconds(2));
  session.received("552 5.2.2 mailbox full\r\n");
  expect_result(session.results()[0], Stage::data, {552, "5.2.2 mailbox full"});
  EXPECT_EQ(session.step(), Step::over);
}

TEST(ClientSession, TellsAServerThatHadHungUpBeforeTheMail) {
  const std::vector<std::string_view> pieces = {kContent};
  const ClientEnvelope to = envelope();
  const Error reset{ErrorKind::closed, "read: Connection reset by peer"};

  World silent(offering({"PIPELINING"}));
  silent.session.send(to, view_of(pieces));
  silent.session.failed({ErrorKind::closed, "write: Broken pipe"});
  EXPECT_FALSE(silent.session.hung_up_unheard()) << "last words may come";
  silent.session.failed(reset);
  EXPECT_TRUE(silent.session.hung_up_unheard());
  EXPECT_FALSE(silent.session.results()[0].in_doubt);

  World heard(offering({"PIPELINING"}));
  heard.session.send(to, view_of(pieces));
  heard.session.written();
  heard.session.received("250 ok\r\n");
  heard.session.failed(reset);
  EXPECT_FALSE(heard.session.hung_up_unheard());

  World slow(offering({"PIPELINING"}));
  slow.session.send(to, view_of(pieces));
  slow.session.written();
  slow.session.failed({ErrorKind::timeout, "read: timed out"});
  EXPECT_FALSE(slow.session.hung_up_unheard()) << "it may have the mail in its hands";
}

TEST(ClientSession, HearsTheLastWordsInTheMiddleOfAFlight) {
  World world(offering(kBoth));
  const std::vector<std::string_view> pieces = {kContent};
  const ClientEnvelope to = envelope();
  world.session.send(to, view_of(pieces));
  world.session.failed({ErrorKind::closed, "write: Broken pipe"});
  world.session.received("250 ok\r\n250 ok\r\n421 4.3.0 going down\r\n");
  expect_result(world.session.results()[0], Stage::data, {421, "4.3.0 going down"});
}

TEST(ClientSession, BelievesNoSuccessForHalfOfTheContent) {
  for (const char* answers : {"250 ok\r\n250 ok\r\n250 taken\r\n", "250 ok\r\n250 ok\r\n"}) {
    World world(offering(kBoth));
    const std::vector<std::string_view> pieces = {kContent};
    const ClientEnvelope to = envelope();
    world.session.send(to, view_of(pieces));
    world.session.failed({ErrorKind::timeout, "write: timed out"});
    world.session.received(answers);
    world.session.failed({ErrorKind::closed, "read: connection closed"});
    const RecipientResult result = world.session.results()[0];
    EXPECT_FALSE(result.accepted());
    EXPECT_FALSE(result.in_doubt);
    EXPECT_EQ(result.reply.code, 0);
    EXPECT_EQ(world.session.step(), Step::over);
  }
}

TEST(ClientSession, StaysWithTheRefusalOfTheSenderWhateverFollows) {
  World world(offering(
      kBoth,
      {{"MAIL", "550 5.7.1 no"}, {"RCPT a@example.jp", "250 oh well"}, {"BDAT", "250 oh well"}}));
  expect_result(world.send(envelope())[0], Stage::mail_from, {550, "5.7.1 no"});
  EXPECT_EQ(world.session.step(), Step::rest);
}

TEST(ClientSession, IsAsPatientAsTheStandardSays) {
  using std::chrono::seconds;
  ClientSession session({.hello_name = "sender.example.com"});
  EXPECT_EQ(session.patience(), seconds(300));
  session.received("220 mx\r\n");
  session.written();
  EXPECT_EQ(session.patience(), seconds(300));
  session.received("250-mx\r\n250 PIPELINING\r\n");
  const std::string large(1'638'400, 'x');
  const std::vector<std::string_view> pieces = {large};
  const ClientEnvelope to = envelope();
  session.send(to, view_of(pieces));
  session.written();
  EXPECT_EQ(session.patience(), seconds(300));
  session.received("250 ok\r\n");
  EXPECT_EQ(session.patience(), seconds(300));
  session.received("250 ok\r\n");
  EXPECT_EQ(session.patience(), seconds(120));
  session.received("354 go\r\n");
  EXPECT_EQ(session.patience(), seconds(180 + 100));
  EXPECT_EQ(session.block_patience(), seconds(180));
  session.written();
  EXPECT_EQ(session.patience(), seconds(600));
}

TEST(ClientSession, ATurnEndsWithAWholeReplyAndNotWithAnOctet) {
  ClientSession session({.hello_name = "sender.example.com"});
  std::uint64_t turn = session.turn();
  const auto moved = [&] { return std::exchange(turn, session.turn()) != session.turn(); };
  const auto drip = [&](std::string_view octets) {
    for (const char octet : octets.substr(0, octets.size() - 1)) {
      session.received({&octet, 1});
      EXPECT_FALSE(moved()) << octets;
    }
    session.received(octets.substr(octets.size() - 1));
    EXPECT_TRUE(moved()) << octets;
  };
  drip("220-mx\r\n220-mx\r\n220 mx\r\n");
  session.written();
  EXPECT_TRUE(moved());
  drip("250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
  const std::vector<std::string_view> pieces = {kContent};
  const ClientEnvelope to = envelope();
  session.send(to, view_of(pieces));
  EXPECT_TRUE(moved());
  EXPECT_FALSE(session.content_is_out());
  session.written();
  EXPECT_TRUE(moved());
  EXPECT_TRUE(session.content_is_out());
  drip("250 ok\r\n");
  drip("250-ok\r\n250 ok\r\n");
  EXPECT_TRUE(session.content_is_out());
  drip("250 ok\r\n");
  EXPECT_FALSE(session.content_is_out());
}

TEST(ClientSession, SaysQuit) {
  World world(offering(kBoth));
  world.session.quit();
  world.line.drive();
  EXPECT_EQ(world.line.writes().back(), "QUIT\r\n");
  EXPECT_EQ(world.session.step(), Step::over);
}

// --- Cut the line anywhere, in either direction -------------------------------------------------

struct Scene {
  Script script;
  Strings recipients;
  bool always_taken = false;  // nobody is refused when the line holds
};

std::vector<Scene> scenes() {
  const Strings two = {"a@example.jp", "b@example.jp"};
  std::vector<Scene> all;
  for (Strings offers : kWays) {
    for (const bool tls : {false, true}) {
      if (tls) offers.emplace_back("STARTTLS");
      all.push_back({offering(offers), two, true});
      all.push_back(
          {offering(offers, {{"RCPT b@example.jp", "450-4.2.1 later\r\n450 4.2.1 x"}}), two});
      all.push_back({offering(offers, {{"RCPT a@example.jp", "550 no"},
                                       {"RCPT b@example.jp", "421 4.7.0 bye"}}),
                     two});
      all.push_back(
          {offering(offers, {{".", "451 4.3.0 later"}, {"BDAT", "451 4.3.0 later"}}), two});
      all.push_back({offering(offers, {{"MAIL", "421 4.7.0 bye"}}), two});
    }
  }
  return all;
}

// Two mails over one session; what the client believes must agree with what the server knows.
void run_cut(const Scene& scene, const FakeLine::Cuts& cuts, std::size_t* server_octets = nullptr,
             std::size_t* client_octets = nullptr) {
  World world(scene.script, {}, cuts);
  const ClientEnvelope to = envelope(scene.recipients);
  for (std::size_t mail = 0; mail < 2; ++mail) {
    if (world.session.step() != Step::rest) break;
    const std::size_t taken_before = world.server.taken().size();
    const auto results = world.send(to);
    ASSERT_EQ(results.size(), scene.recipients.size());
    const bool taken = world.server.taken().size() > taken_before;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto& mine = taken ? world.server.taken().back().recipients : Strings{};
      const bool has_it = std::ranges::find(mine, scene.recipients[i]) != mine.end();
      const bool told = has_it && world.server.taken().back().said_at <= world.line.delivered();
      ASSERT_NE(results[i].stage, Stage::none);
      // Never success without the 250, never a 250 that is not success.
      ASSERT_EQ(results[i].accepted(), told);
      // What the server has and the client could not know is in doubt.
      if (has_it && !told) ASSERT_TRUE(results[i].in_doubt) << results[i].reply.text;
      if (results[i].in_doubt) ASSERT_FALSE(results[i].accepted());
      if (results[i].again) {
        ASSERT_FALSE(results[i].accepted());
        ASSERT_EQ(world.session.step(), Step::over);
        ASSERT_TRUE(world.session.broken_offers().any());
      }
      // Without an answer there is a sentence.
      ASSERT_TRUE(results[i].reply.code >= 200 || !results[i].reply.text.empty());
    }
  }
  if (!world.session.opened()) {
    ASSERT_NE(world.session.failure().stage, Stage::none);
    ASSERT_TRUE(world.session.failure().reply.code >= 200 ||
                !world.session.failure().reply.text.empty());
  }
  if (server_octets != nullptr) *server_octets = world.server.output().size();
  if (client_octets != nullptr) *client_octets = world.line.sent();
}

TEST(ClientSession, KnowsWhatHappenedWhereverTheServerBreaksOff) {
  for (const Scene& scene : scenes()) {
    std::size_t octets = 0;
    ASSERT_NO_FATAL_FAILURE(run_cut(scene, {}, &octets));
    for (std::size_t cut = 0; cut <= octets; ++cut) {
      ASSERT_NO_FATAL_FAILURE(run_cut(scene, {.server_octets = cut})) << "cut at " << cut;
      ASSERT_NO_FATAL_FAILURE(run_cut(scene, {.server_octets = cut, .seed = cut + 1}))
          << "cut at " << cut;
    }
  }
}

TEST(ClientSession, KnowsWhatHappenedWhereverItsWritingBreaksOff) {
  for (const Scene& scene : scenes()) {
    std::size_t octets = 0;
    ASSERT_NO_FATAL_FAILURE(run_cut(scene, {}, nullptr, &octets));
    for (std::size_t cut = 0; cut < octets; ++cut) {
      ASSERT_NO_FATAL_FAILURE(run_cut(scene, {.client_octets = cut})) << "cut at " << cut;
    }
  }
}

TEST(ClientSession, GivesTheSameResultsForAnyPortions) {
  for (const Scene& scene : scenes()) {
    World whole(scene.script);
    const ClientEnvelope to = envelope(scene.recipients);
    const auto expected =
        whole.session.step() == Step::rest ? whole.send(to) : std::vector<RecipientResult>();
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      World split(scene.script, {}, {.seed = seed});
      ASSERT_EQ(split.session.step(), Step::rest);
      const auto results = split.send(to);
      ASSERT_EQ(results.size(), expected.size());
      for (std::size_t i = 0; i < results.size(); ++i) {
        expect_result(results[i], expected[i].stage, expected[i].reply, expected[i].in_doubt);
      }
    }
  }
}

}  // namespace
}  // namespace todoku::smtp
