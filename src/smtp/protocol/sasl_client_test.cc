// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/sasl_client.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "smtp/protocol/client_fake_server.h"
#include "smtp/protocol/sasl_server.h"

namespace todoku::smtp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Strings = std::vector<std::string>;

std::shared_ptr<const ClientLogin> login_as(std::string user, std::string password) {
  return std::make_shared<const ClientLogin>(
      ClientLogin{.user = std::move(user), .password = SecretText(std::move(password))});
}

// RFC 7677 section 3.
TEST(SaslClient, DoesTheExchangeOfTheStandard) {
  const auto login = login_as("user", "pencil");
  SaslClient sasl(*login, "rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(sasl.begin(Strings{"LOGIN", "PLAIN", "SCRAM-SHA-256"}).value(),
            "AUTH SCRAM-SHA-256 " + to_base64("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
  EXPECT_EQ(sasl.mechanism(), "SCRAM-SHA-256");
  const auto proof = sasl.respond(to_base64(
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
  EXPECT_EQ(from_base64(proof.value()).value(),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_FALSE(sasl.finish()) << "it has proven nothing yet";
  EXPECT_EQ(sasl.respond(to_base64("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")).value(), "");
  EXPECT_TRUE(sasl.finish());
}

std::string refused(const std::string& server_first) {
  const auto login = login_as("user", "pencil");
  SaslClient sasl(*login, "abc");
  (void)sasl.begin(Strings{"SCRAM-SHA-256"});
  const auto answer = sasl.respond(to_base64(server_first));
  return answer ? "(taken)" : answer.error().detail;
}

TEST(SaslClient, TakesNoMessageThatIsNotOfItsExchange) {
  EXPECT_EQ(refused("r=abcd,s=c2FsdA==,i=4096"), "(taken)");
  EXPECT_THAT(refused("r=abc,s=c2FsdA==,i=4096"), HasSubstr("go on from ours"));
  EXPECT_THAT(refused("r=xyzabc,s=c2FsdA==,i=4096"), HasSubstr("go on from ours"));
  EXPECT_THAT(refused("m=x,r=abcd,s=c2FsdA==,i=4096"), HasSubstr("no r="));
  EXPECT_THAT(refused("r=abcd,s=,i=4096"), HasSubstr("no good s="));
  EXPECT_THAT(refused("r=abcd,s=c2FsdA==,i=1"), HasSubstr("from 4096 to 100000"));
  EXPECT_THAT(refused("r=abcd,s=c2FsdA==,i=100001"), HasSubstr("from 4096 to 100000"));
  EXPECT_THAT(refused("r=abcd,s=c2FsdA==,i=4096x"), HasSubstr("from 4096 to 100000"));
}

TEST(SaslClient, TakesTheBestThatIsOffered) {
  const auto login = login_as("user", "pencil");
  const auto begun = [&](const Strings& offered) {
    SaslClient sasl(*login, "abc");
    const auto first = sasl.begin(offered);
    return first ? *first : first.error().detail;
  };
  EXPECT_EQ(begun({"LOGIN", "PLAIN"}),
            "AUTH PLAIN " + to_base64(std::string("\0user\0pencil", 12)));
  EXPECT_EQ(begun({"CRAM-MD5", "LOGIN"}), "AUTH LOGIN");
  EXPECT_EQ(begun({}), "the server offers no AUTH");
  EXPECT_THAT(begun({"CRAM-MD5", "XOAUTH2"}), HasSubstr("by CRAM-MD5, XOAUTH2 only"));
}

// Our own server is the counterpart: names and passwords that need quoting and preparing.
bool logs_in(const std::string& user, const std::string& password, const std::string& mechanism) {
  const SaslOptions options{.mechanisms = mechanism, .decoy_key = "a key of sixteen"};
  SaslServer server(options, "servernonce1234567");
  const auto login = login_as(user, password);
  SaslClient client(*login, "clientnonce");
  std::string line = client.begin(Strings{mechanism}).value();
  SaslStep step = server.begin(line.substr(std::string("AUTH ").size()));
  for (int i = 0; i < 6; ++i) {
    if (step.kind == SaslStep::Kind::ask) {
      if (server.user() != user) return false;
      step = server.give({ScramSecrets::from_password(password, "0123456789abcdef").value()});
    } else if (step.kind == SaslStep::Kind::challenge) {
      const auto next = client.respond(step.reply.text);
      if (!next) return false;
      step = server.respond(*next);
    } else {
      break;
    }
  }
  return step.kind == SaslStep::Kind::succeeded && client.finish();
}

TEST(SaslClient, LogsInAtOurOwnServer) {
  for (const std::string& mechanism : {"SCRAM-SHA-256", "PLAIN", "LOGIN"}) {
    EXPECT_TRUE(logs_in("user@example.jp", "a b,c=d", mechanism)) << mechanism;
    EXPECT_TRUE(logs_in("a=b,c", "鍵", mechanism)) << mechanism;
  }
}

// ---- in a session ------------------------------------------------------------------------------

struct Opened {
  explicit Opened(Script script, const std::shared_ptr<const ClientLogin>& login)
      : session({.hello_name = "sender.example.com", .login = login}),
        server(std::move(script)),
        line(session, server, {}) {
    line.drive();
  }
  ClientSession session;
  FakeServer server;
  FakeLine line;
};

const std::string kPlain = to_base64(std::string("\0user\0pencil", 12));

TEST(ClientSessionLogin, ComesAfterTlsAndBeforeTheFirstMail) {
  Opened world({.offers = {"STARTTLS", "AUTH PLAIN LOGIN"}, .answers = {{"AUTH", "235 2.7.0 ok"}}},
               login_as("user", "pencil"));
  EXPECT_TRUE(world.session.opened());
  EXPECT_THAT(world.server.commands(),
              ElementsAre("EHLO sender.example.com", "STARTTLS", "EHLO sender.example.com",
                          "AUTH PLAIN " + kPlain));
}

TEST(ClientSessionLogin, ARefusalIsBetweenUsAndTheHost) {
  Opened world({.offers = {"AUTH PLAIN"}, .answers = {{"AUTH", "535 5.7.8 wrong"}}},
               login_as("user", "pencil"));
  EXPECT_FALSE(world.session.opened());
  EXPECT_EQ(world.session.failure().stage, Stage::auth);
  EXPECT_EQ(world.session.failure().cause, Cause::smarthost);
  EXPECT_EQ(world.session.failure().reply, (Reply{535, "5.7.8 wrong"}));
}

TEST(ClientSessionLogin, NoMailGoesWhereThereIsNoLogin) {
  Opened world({.offers = {"PIPELINING"}}, login_as("user", "pencil"));
  EXPECT_FALSE(world.session.opened());
  EXPECT_EQ(world.session.failure().cause, Cause::smarthost);
  EXPECT_EQ(world.session.failure().reply.text, "the server offers no AUTH");
}

// A server that says yes without having shown that it knows the password is not the right one.
TEST(ClientSessionLogin, ByScramTheServerHasToProveItself) {
  Opened world({.offers = {"AUTH SCRAM-SHA-256 PLAIN"}, .answers = {{"AUTH", "235 2.7.0 ok"}}},
               login_as("user", "pencil"));
  EXPECT_FALSE(world.session.opened());
  EXPECT_EQ(world.session.failure().cause, Cause::smarthost);
  EXPECT_THAT(world.session.failure().reply.text, HasSubstr("has not proven"));
}

TEST(ClientSessionLogin, AnExchangeThatGoesAstrayIsCancelled) {
  Opened world({.offers = {"AUTH SCRAM-SHA-256"},
                .answers = {{"AUTH", "334 ????"}, {"*", "501 5.7.0 cancelled"}}},
               login_as("user", "pencil"));
  EXPECT_EQ(world.server.commands().back(), "*");
  EXPECT_EQ(world.session.failure().cause, Cause::smarthost);
  EXPECT_THAT(world.session.failure().reply.text, HasSubstr("is no base64"));
}

}  // namespace
}  // namespace todoku::smtp
