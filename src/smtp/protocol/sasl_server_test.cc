// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/sasl_server.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace todoku::smtp {
namespace {

using Kind = SaslStep::Kind;
using Secrets = std::vector<ScramSecrets>;

const SaslOptions kOptions{.mechanisms = std::string(kSaslMechanisms),
                           .decoy_key = "a key of sixteen",
                           .decoy_iterations = kScramIterationsMin};

// RFC 7677 section 3.
constexpr std::string_view kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr std::string_view kProof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

std::string rfc7677_nonce() {
  return std::string(kClientNonce) + std::string(kServerNonce);
}

ScramSecrets secrets_of(std::string_view password) {
  return ScramSecrets::from_password(password, from_base64("W22ZaJ0SNY7soEsUEjb6gQ==").value(),
                                     kScramIterationsMin)
      .value();
}

std::string said(const SaslStep& step) {
  return std::to_string(step.reply.code) + " " + step.reply.text;
}
std::string challenged(const SaslStep& step) {
  EXPECT_EQ(step.kind, Kind::challenge) << said(step);
  EXPECT_EQ(step.reply.code, 334);
  return from_base64(step.reply.text).value_or("no base64");
}
std::string plain(std::string_view authzid, std::string_view user, std::string_view password) {
  std::string message(authzid);
  message.append(1, '\0').append(user).append(1, '\0').append(password);
  return to_base64(message);
}
constexpr std::string_view kWrong = "535 5.7.8 Authentication credentials invalid";

SaslServer server() {
  return {kOptions, std::string(kServerNonce)};
}

TEST(SaslServer, PlainComparesAPassword) {
  SaslServer sasl = server();
  ASSERT_EQ(sasl.begin("plain " + plain("", "user", "pencil")).kind, Kind::ask);
  EXPECT_EQ(sasl.user(), "user");
  EXPECT_TRUE(sasl.has_password());
  EXPECT_EQ(sasl.mechanism(), "PLAIN");
  const SaslStep step = sasl.give({secrets_of("pencil")});
  EXPECT_EQ(step.kind, Kind::succeeded);
  EXPECT_EQ(said(step), "235 2.7.0 Authentication successful");
  EXPECT_FALSE(sasl.has_password()) << "it has served";

  SaslServer asked = server();
  EXPECT_EQ(challenged(asked.begin("PLAIN")), "");
  ASSERT_EQ(asked.respond(plain("user", "user", "pen")).kind, Kind::ask);
  EXPECT_EQ(said(asked.give({secrets_of("pencil")})), kWrong);
}

TEST(SaslServer, APasswordThatItsOwnerKnowsIsNotComputed) {
  SaslServer sasl = server();
  ASSERT_EQ(sasl.begin("PLAIN " + plain("", "user", "pencil")).kind, Kind::ask);
  EXPECT_EQ(sasl.password(), "pencil");
  EXPECT_EQ(said(sasl.recognise(1)), "235 2.7.0 Authentication successful");
  EXPECT_EQ(sasl.right(), 1U);
  EXPECT_EQ(sasl.password(), "") << "it has served";
}

TEST(SaslServer, OneThatItsOwnerKnowsToBeWrongIsRefusedInTheSameWords) {
  SaslServer sasl = server();
  ASSERT_EQ(sasl.begin("PLAIN " + plain("", "user", "pen")).kind, Kind::ask);
  EXPECT_EQ(said(sasl.refuse()), kWrong);
  EXPECT_EQ(sasl.password(), "") << "it has served";
}

TEST(SaslServer, AnyOfSeveralPasswordsIsRight) {
  for (const std::string_view password : {"pencil", "pen"}) {
    SaslServer sasl = server();
    ASSERT_EQ(sasl.begin("PLAIN " + plain("", "user", password)).kind, Kind::ask);
    EXPECT_EQ(sasl.give({secrets_of("pen"), secrets_of("pencil")}).kind, Kind::succeeded);
  }
}

TEST(SaslServer, LoginAsksForBoth) {
  SaslServer sasl = server();
  EXPECT_EQ(challenged(sasl.begin("LOGIN")), "Username:");
  EXPECT_EQ(challenged(sasl.respond("dXNlcg==")), "Password:");
  ASSERT_EQ(sasl.respond(to_base64("pencil")).kind, Kind::ask);
  EXPECT_EQ(sasl.give({secrets_of("pencil")}).kind, Kind::succeeded);

  SaslServer with_name = server();
  EXPECT_EQ(challenged(with_name.begin("LOGIN dXNlcg==")), "Password:");
  ASSERT_EQ(with_name.respond(to_base64("pen")).kind, Kind::ask);
  EXPECT_EQ(said(with_name.give({secrets_of("pencil")})), kWrong);
}

// To the server's first message, for any secrets.
SaslStep begin_scram(SaslServer& sasl, const Secrets& secrets,
                     std::string_view first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO") {
  const SaslStep asked = sasl.begin("SCRAM-SHA-256 " + to_base64(first));
  EXPECT_EQ(asked.kind, Kind::ask) << said(asked);
  EXPECT_FALSE(sasl.has_password());
  return sasl.give(secrets);
}
std::string final_message(std::string_view header = "biws",
                          std::string_view nonce = rfc7677_nonce(),
                          std::string_view proof = kProof) {
  return to_base64("c=" + std::string(header) + ",r=" + std::string(nonce) +
                   ",p=" + std::string(proof));
}

TEST(SaslServer, ScramDoesAsThePublishedExchange) {
  SaslServer sasl = server();
  EXPECT_EQ(challenged(begin_scram(sasl, {secrets_of("pencil")})),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  EXPECT_EQ(challenged(sasl.respond(final_message())),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  const SaslStep step = sasl.respond("");
  EXPECT_EQ(step.kind, Kind::succeeded);
  EXPECT_EQ(said(step), "235 2.7.0 Authentication successful");
  EXPECT_EQ(sasl.user(), "user");
}

TEST(SaslServer, ScramTakesTheOtherFlagAndOneselfAsAuthzid) {
  SaslServer sasl = server();
  EXPECT_EQ(challenged(sasl.begin("SCRAM-SHA-256")), "");
  ASSERT_EQ(sasl.respond(to_base64("y,a=user,n=user,r=" + std::string(kClientNonce))).kind,
            Kind::ask);
  EXPECT_EQ(sasl.authzid(), "user");
  EXPECT_EQ(sasl.give({secrets_of("pencil")}).kind, Kind::challenge);
  const SaslStep last = sasl.respond(final_message("eSxhPXVzZXIs", rfc7677_nonce(),
                                                   "JFFKgYq1XeFuTw+WHP6gR7NsO5gFtShZ57IjzxXeIak="));
  EXPECT_EQ(challenged(last), "v=fqtx8p4mn0hAhklSMKvJNoRNJ8OEyLXVcj+TtdrYENA=");
}

TEST(SaslServer, ScramTriesThePasswordsOfOneSalt) {
  SaslServer sasl = server();
  EXPECT_EQ(begin_scram(sasl, {secrets_of("pen"), secrets_of("pencil")}).kind, Kind::challenge);
  EXPECT_EQ(challenged(sasl.respond(final_message())),
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");

  SaslServer other = server();
  const ScramSecrets elsewhere =
      ScramSecrets::from_password("pen", "another salt", kScramIterationsMin).value();
  EXPECT_EQ(begin_scram(other, {elsewhere, secrets_of("pencil")}).kind, Kind::challenge);
  EXPECT_EQ(said(other.respond(final_message())), kWrong);
}

TEST(SaslServer, ScramIsWonByNobodyElse) {
  const auto ends = [](const std::string& line) {
    SaslServer sasl = server();
    EXPECT_EQ(begin_scram(sasl, {secrets_of("pencil")}).kind, Kind::challenge);
    return said(sasl.respond(line));
  };
  EXPECT_EQ(ends(final_message("biws", rfc7677_nonce(), to_base64(std::string(32, '\0')))), kWrong);
  EXPECT_EQ(ends(final_message("eSws")), kWrong) << "another header than at first";
  EXPECT_EQ(ends(final_message("biws", kClientNonce)), kWrong);
  EXPECT_EQ(ends(final_message("biws", rfc7677_nonce(), "AAAA")),
            "501 5.5.2 SCRAM: p= is no proof");
  EXPECT_EQ(ends(""), "501 5.5.2 SCRAM: the message has no p=");
  EXPECT_EQ(ends("!"), "501 5.5.2 Not base64");

  SaslServer sasl = server();
  EXPECT_EQ(begin_scram(sasl, {secrets_of("pencil")}).kind, Kind::challenge);
  EXPECT_EQ(sasl.respond(final_message()).kind, Kind::challenge);
  EXPECT_EQ(said(sasl.respond("eA==")), "501 5.5.2 An empty line was due");
}

TEST(SaslServer, ScramRefusesWhatItDoesNotOffer) {
  const auto refusal = [](std::string_view first) {
    SaslServer sasl = server();
    return said(sasl.begin("SCRAM-SHA-256 " + to_base64(first)));
  };
  EXPECT_EQ(refusal("p=tls-unique,,n=user,r=x"), "501 5.5.2 SCRAM: channel binding is not offered");
  EXPECT_EQ(refusal("n,,m=new,n=user,r=x"), "501 5.5.2 SCRAM: m= asks for an unknown extension");
  for (const std::string_view bad :
       {"", "n", "n,", "n,,", "n,,n=user", "n,,n=user,r=", "n,,r=x,n=user", "z,,n=user,r=x",
        "n,a=,n=user,r=x", "n,b=user,n=user,r=x", "n,,n=us=er,r=x", "n,,n=us=2c,r=x",
        "n,,n=user,r=a b"}) {
    EXPECT_TRUE(refusal(bad).starts_with("501 5.5.2 SCRAM: ")) << bad;
  }
  EXPECT_TRUE(refusal("n,,n=user,r=" + std::string(kScramNonceOctetsMax + 1, 'x'))
                  .starts_with("501 5.5.2 "));
  EXPECT_EQ(refusal("n,a=other,n=user,r=x"), kWrong);
  EXPECT_EQ(refusal("n,,n=,r=x"), kWrong);
}

TEST(SaslServer, NamesAreUnescaped) {
  SaslServer sasl = server();
  EXPECT_EQ(sasl.begin("SCRAM-SHA-256 " + to_base64("n,,n=a=2Cb=3Dc,r=x,e=ignored")).kind,
            Kind::ask);
  EXPECT_EQ(sasl.user(), "a,b=c");
}

TEST(SaslServer, AStrangerIsAnsweredAsAUserIs) {
  const auto first = [](std::string_view name) {
    SaslServer sasl = server();
    const SaslStep step =
        begin_scram(sasl, {}, "n,,n=" + std::string(name) + ",r=" + std::string(kClientNonce));
    const std::string message = challenged(step);
    EXPECT_EQ(said(sasl.respond(final_message())), kWrong);
    return message;
  };
  const std::string once = first("nobody");
  EXPECT_EQ(once, first("nobody")) << "a salt that changes is of nobody";
  EXPECT_NE(once, first("noone"));
  const std::string real = "r=" + rfc7677_nonce() + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  EXPECT_EQ(once.size(), real.size());
  EXPECT_TRUE(once.ends_with(",i=4096"));

  SaslServer by_password = server();
  ASSERT_EQ(by_password.begin("PLAIN " + plain("", "nobody", "pencil")).kind, Kind::ask);
  EXPECT_EQ(said(by_password.give({})), kWrong);
}

TEST(SaslServer, NobodyActsForAnother) {
  SaslServer sasl = server();
  EXPECT_EQ(said(sasl.begin("PLAIN " + plain("admin", "user", "pencil"))), kWrong);
}

TEST(SaslServer, BrokenMessagesEndTheExchange) {
  const auto refusal = [](std::string_view argument) { return said(server().begin(argument)); };
  EXPECT_EQ(refusal("PLAIN !"), "501 5.5.2 Not base64");
  EXPECT_EQ(refusal("PLAIN eA== eA=="), "501 5.5.2 Not base64");
  EXPECT_EQ(refusal("PLAIN ="), "501 5.5.2 Not a PLAIN message");
  EXPECT_EQ(refusal("PLAIN eA=="), "501 5.5.2 Not a PLAIN message");
  EXPECT_EQ(refusal("PLAIN " + plain("", "user", std::string("a\0b", 3))),
            "501 5.5.2 Not a PLAIN message");
  EXPECT_EQ(refusal("PLAIN " + plain("", "user", "")), kWrong);
  EXPECT_EQ(refusal("PLAIN " + plain("", "", "pencil")), kWrong);
  EXPECT_EQ(refusal("PLAIN " + plain("", "\xFF", "pencil")), kWrong);
  EXPECT_EQ(refusal("PLAIN " + plain("", std::string(256, 'u'), "pencil")), kWrong);
  EXPECT_EQ(refusal("PLAIN " + plain("", "user", std::string(kPasswordOctetsMax + 1, 'p'))),
            kWrong);
  EXPECT_EQ(refusal("LOGIN ="), kWrong);
  EXPECT_EQ(refusal("PLAIN " + std::string(12'292, 'A')), "500 5.5.6 Line too long");
}

TEST(SaslServer, OnlyOfferedMechanismsAreThere) {
  const SaslOptions options{.mechanisms = "PLAIN", .decoy_key = kOptions.decoy_key};
  for (const std::string_view name :
       {"LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "CRAM-MD5", ""}) {
    SaslServer sasl(options, std::string(kServerNonce));
    EXPECT_EQ(said(sasl.begin(name)), "504 5.5.4 Unknown mechanism");
    EXPECT_EQ(sasl.mechanism(), "");
  }
}

}  // namespace
}  // namespace todoku::smtp
