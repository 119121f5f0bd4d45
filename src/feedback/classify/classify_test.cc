// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "feedback/classify/meaning.h"
#include "feedback/classify/words.h"

namespace todoku::feedback::classify {
namespace {

std::string_view to_string(NextStep step) {
  switch (step) {
    case NextStep::nothing:
      return "nothing";
    case NextStep::retry:
      return "retry";
    case NextStep::retry_greylisted:
      return "retry_greylisted";
    case NextStep::retry_slowly:
      return "retry_slowly";
    case NextStep::retry_refused:
      return "retry_refused";
    case NextStep::look_again:
      return "look_again";
    case NextStep::soon:
      return "soon";
    case NextStep::wait_for_operator:
      return "wait_for_operator";
    case NextStep::give_up:
      return "give_up";
  }
  return "invalid";
}

Stage stage_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Stage::accepted); ++i) {
    if (todoku::to_string(static_cast<Stage>(i)) == name) return static_cast<Stage>(i);
  }
  ADD_FAILURE() << name;
  return Stage::none;
}

Cause cause_of_reply(Stage stage, int code, std::string text) {
  return meaning_of({.stage = stage, .reply = {code, std::move(text)}}).cause;
}

// Each line: stage ("/clear": without TLS), code, text of the reply, then what it must mean.
TEST(Meaning, IsWhatTheCorpusOfRepliesSays) {
  std::ifstream file(TODOKU_SOURCE_DIR "/tests/corpus/classify/replies.tsv");
  int count = 0;
  for (std::string row; std::getline(file, row);) {
    if (row.empty() || row.starts_with('#')) continue;
    std::vector<std::string> cells;
    std::istringstream stream(row);
    for (std::string cell; std::getline(stream, cell, '\t');) cells.push_back(cell);
    ASSERT_EQ(cells.size(), 6U) << row;
    std::string& text = cells[2];  // "\n" stands for the end of a line
    for (std::size_t at = 0; (at = text.find("\\n", at)) != std::string::npos;) {
      text.replace(at, 2, "\n");
    }
    const bool in_clear = cells[0].ends_with("/clear");
    if (in_clear) cells[0].resize(cells[0].find('/'));
    const bool permanent = cells[4] == "permanent";
    const Answer answer{.stage = stage_named(cells[0]),
                        .reply = {std::stoi(cells[1]), cells[2]},
                        .permanent = permanent && cells[1] == "0",
                        .in_clear = in_clear};
    const Meaning meaning = meaning_of(answer);
    EXPECT_EQ(todoku::to_string(meaning.cause), cells[3]) << row;
    EXPECT_EQ(meaning.permanence, permanent ? Permanence::permanent : Permanence::temporary) << row;
    EXPECT_EQ(to_string(meaning.next), cells[5]) << row;
    // What is stored means the same, with its cause and without.
    Outcome outcome{.state = state_of(meaning, false),
                    .stage = answer.stage,
                    .reply = answer.reply,
                    .is_attempt = meaning.is_attempt};
    // What was said without TLS is stored as of STARTTLS, with a note.
    if (meaning.cause != Cause::tls_required || !in_clear) {
      EXPECT_EQ(todoku::to_string(cause_of(outcome)), cells[3]) << row;
    }
    outcome.reply.text.clear();
    outcome.cause = meaning.cause;
    EXPECT_EQ(cause_of(outcome), meaning.cause) << row;
    ++count;
  }
  EXPECT_GE(count, 300);
}

TEST(Meaning, OfARefusalInClearTextIsTlsOnlyWhereItIsDemanded) {
  struct Case {
    Stage stage;
    int code;
    std::string text;
    Cause cause;
  };
  using enum Stage;
  for (const Case& made : std::vector<Case>{
           {mail_from, 530, "5.7.0 Must issue a STARTTLS command first", Cause::tls_required},
           {mail_from, 530, "Must issue STARTTLS first.", Cause::tls_required},
           {rcpt_to, 450, "4.7.1 Session encryption is required", Cause::tls_required},
           {rcpt_to, 554, "5.7.1 Session encryption is required", Cause::tls_required},
           {rcpt_to, 550, "5.7.1 TLS required", Cause::tls_required},
           {mail_from, 554, "5.7.1 <a@b.example>: Sender address rejected: TLS required",
            Cause::tls_required},
           {data, 550,
            "5.7.29 This email has been blocked because it wasn't sent over a TLS connection.",
            Cause::tls_required},
           {mail_from, 451, "5.7.3 STARTTLS is required to send mail", Cause::tls_required},
           {mail_from, 403, "4.7.0 encryption too weak 0 less than 128", Cause::tls_required},
           {rcpt_to, 550, "A secure connection required: tls.example.jp", Cause::tls_required},
           {rcpt_to, 550, "5.7.1 We take nothing over plain text connections", Cause::tls_required},
           {rcpt_to, 554, "5.7.10 no", Cause::tls_required},
           {rcpt_to, 523, "no", Cause::tls_required},

           {mail_from, 530, "5.7.57 Client not authenticated to send mail.", Cause::client_auth},
           {rcpt_to, 550, "User unknown in domain tls.example.jp", Cause::mailbox},
           {rcpt_to, 550, "no such user, and TLS is required", Cause::mailbox},
           {rcpt_to, 550, "5.7.1 not here, see use.tls.example.jp", Cause::policy},
           {data, 554, "5.7.1 HTML mail is not accepted here, please send plain text only",
            Cause::policy},
           {rcpt_to, 550, "Only plain text messages are accepted by this list", Cause::unclear},
           {data, 554, "5.7.1 Message rejected as spam, see https://ssl.example.com/why",
            Cause::content},
           {data, 554, "5.7.1 No, see https://example.com/?why=tls+required", Cause::policy},
           {data, 554, "5.7.1 Encrypted attachments are not accepted", Cause::content},
           {data, 554, "5.7.1 A link without SSL", Cause::policy},
           {mail_from, 454, "TLS not available due to temporary reason", Cause::unclear}}) {
    const Meaning meaning =
        meaning_of({.stage = made.stage, .reply = {made.code, made.text}, .in_clear = true});
    EXPECT_EQ(todoku::to_string(meaning.cause), todoku::to_string(made.cause)) << made.text;
    const bool permanent = made.cause != Cause::tls_required && made.code >= 500;
    EXPECT_EQ(meaning.permanence, permanent ? Permanence::permanent : Permanence::temporary)
        << made.text;
  }
}

TEST(Meaning, OfARefusalOfTheSenderCountsAgainstNobodysAddress) {
  for (const auto& [stage, code, text] : std::vector<std::tuple<Stage, int, std::string>>{
           {Stage::mail_from, 550, "5.1.1 <b@example.jp>: User unknown"},
           {Stage::mail_from, 550, "User unknown"},
           {Stage::mail_from, 550, "5.2.1 disabled"},
           {Stage::data, 550, "5.7.1 Account disabled: your sending account is disabled for spam"},
           {Stage::rcpt_to, 550, "Verification failed\nNo such user here\nSender verify failed"},
           {Stage::rcpt_to, 550, "5.7.1 Too many unknown user attempts from your host"},
           {Stage::rcpt_to, 550, "Too many unknown user attempts from your host"}}) {
    const Meaning meaning = meaning_of({.stage = stage, .reply = {code, text}});
    EXPECT_EQ(meaning.permanence, Permanence::permanent) << text;
    EXPECT_FALSE(meaning.counts_against_address()) << text;
  }
}

// Whatever the words say of mailboxes, once they name another party.
TEST(Meaning, CountsAgainstAnAddressOnlyWhereNobodyElseIsSpokenOf) {
  for (const std::string_view other :
       {"try again later", "throttled", "bitte sp\xc3\xa4ter erneut", "SASL login", "for sending",
        "backscatter", "threshold exceeded", "sender", "your bounce address", "return path",
        "callout", "verification failed", "client host", "rate", "whitelist", "external", "blocked",
        "spam", "header"}) {
    for (const std::string_view mailbox :
         {"5.1.1 user unknown", "no such user", "5.7.1 unknown recipient", "5.2.1 mailbox disabled",
          "account suspended", "5.1.1", "5.1.0", "5.2.1", "5.4.1 Recipient address rejected"}) {
      for (const Stage stage : {Stage::mail_from, Stage::rcpt_to, Stage::data}) {
        for (const int code : {550, 553, 554, 571}) {
          const std::string text = std::string(mailbox) + ": " + std::string(other);
          const Meaning meaning = meaning_of({.stage = stage, .reply = {code, text}});
          EXPECT_FALSE(meaning.counts_against_address()) << text;
          EXPECT_NE(meaning.cause, Cause::mailbox_full) << text;
        }
      }
    }
  }
}

TEST(Meaning, OfARefusalOfContentIsNeverADemandForTls) {
  for (const int code : {523, 530, 538, 550, 554}) {
    for (const std::string_view text : {"", "5.7.0", "5.7.0 Must issue a STARTTLS command first",
                                        "5.7.1 encryption is required", "TLS required"}) {
      const Meaning meaning =
          meaning_of({.stage = Stage::data, .reply = {code, std::string(text)}, .in_clear = true});
      EXPECT_EQ(meaning.permanence, Permanence::permanent) << code << ' ' << text;
    }
  }
}

TEST(Meaning, OfA250IsNothing) {
  const Meaning meaning = meaning_of({.stage = Stage::accepted, .reply = {250, "2.0.0 Ok"}});
  EXPECT_EQ(meaning, Meaning{});
  EXPECT_EQ(state_of(meaning, false), RecipientState::delivered);
}

TEST(Meaning, OfADecisionOfOursIsToldByWhoeverMadeIt) {
  const auto state = [](Cause cause) { return state_of(meaning_of({.cause = cause}), false); };
  EXPECT_EQ(state(Cause::too_large), RecipientState::dropped);
  EXPECT_EQ(state(Cause::suppressed), RecipientState::dropped);
  EXPECT_EQ(state(Cause::cancelled), RecipientState::cancelled);
  EXPECT_EQ(state(Cause::out_of_time), RecipientState::expired);
  EXPECT_EQ(state(Cause::key_missing), RecipientState::deferred);
  EXPECT_EQ(state(Cause::over_size_limit), RecipientState::bounced);
  EXPECT_EQ(state(Cause::no_such_domain), RecipientState::bounced);
  EXPECT_EQ(state(Cause::stopping), RecipientState::deferred);
  EXPECT_FALSE(meaning_of({.cause = Cause::key_missing}).is_attempt);
  EXPECT_FALSE(meaning_of({.cause = Cause::stopping}).is_attempt);
}

TEST(Meaning, OfADrainInMidDialogueIsOursUnlessTheContentWasOut) {
  const Meaning cut = meaning_of({.stage = Stage::rcpt_to, .cause = Cause::stopping});
  EXPECT_EQ(cut.next, NextStep::soon);
  EXPECT_FALSE(cut.is_attempt);
  EXPECT_FALSE(cut.other_host);
  const Answer out{.stage = Stage::data, .in_doubt = true, .cause = Cause::stopping};
  EXPECT_EQ(meaning_of(out).cause, Cause::in_doubt);
  EXPECT_TRUE(meaning_of(out).is_attempt);
  EXPECT_EQ(state_of(meaning_of(out), true), RecipientState::unknown);
}

TEST(Meaning, ARefusalAtTheGreetingAsksTheNextHostFirst) {
  const Meaning meaning = meaning_of({.stage = Stage::greeting, .reply = {554, "no"}});
  EXPECT_EQ(meaning.cause, Cause::no_service);
  EXPECT_TRUE(meaning.other_host);
  EXPECT_EQ(state_of(meaning, false), RecipientState::deferred);
}

TEST(Meaning, CountsAgainstAnAddressOnlyIfItSpeaksOfTheAddress) {
  const auto counts = [](int code, std::string text) {
    return meaning_of({.stage = Stage::rcpt_to, .reply = {code, std::move(text)}})
        .counts_against_address();
  };
  EXPECT_TRUE(counts(550, "5.1.1 User unknown"));
  EXPECT_TRUE(counts(550, "5.2.1 disabled"));
  EXPECT_TRUE(meaning_of({.stage = Stage::dns, .permanent = true}).counts_against_address());
  EXPECT_FALSE(counts(450, "4.1.1 unverified address"));
  EXPECT_FALSE(counts(552, "5.2.2 Mailbox full"));
  EXPECT_FALSE(counts(550, "Requested action not taken"));
  EXPECT_FALSE(counts(554, "5.7.1 blocked using zen.spamhaus.org"));
}

TEST(Meaning, OfAnEnhancedCodeInBracketsCounts) {
  EXPECT_EQ(cause_of_reply(Stage::rcpt_to, 550, "sorry (#5.2.1)"), Cause::mailbox_disabled);
  EXPECT_EQ(cause_of_reply(Stage::rcpt_to, 550, "sorry (#5.2"), Cause::unclear);
}

TEST(Words, AreFoundWhole) {
  EXPECT_TRUE(has_phrase("blocked by rbl.", "dnsbl|rbl"));
  EXPECT_FALSE(has_phrase("marble", "rbl"));
  EXPECT_TRUE(has_phrase("you are throttled", "throttl*"));
  EXPECT_FALSE(has_phrase("hustlsson", "tls"));
  EXPECT_EQ(readable("A <Spam@example.jp>:\nB  c "), "a b c");
}

TEST(Causes, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Cause cause : kCauses) names.insert(todoku::to_string(cause));
  EXPECT_EQ(names.size(), kCauses.size());
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(todoku::to_string(static_cast<Cause>(254)), "unknown");
  EXPECT_EQ(whose(static_cast<Cause>(254)), Whose::receiver);
}

}  // namespace
}  // namespace todoku::feedback::classify
