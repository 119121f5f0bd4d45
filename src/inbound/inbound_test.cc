// SPDX-License-Identifier: Apache-2.0
// What is decided of mail that comes in, without a store or a network.
#include <array>
#include <cctype>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "feedback/parse/bounce.h"
#include "inbound/addressee.h"
#include "inbound/complaint.h"
#include "inbound/counted.h"
#include "inbound/forwarding.h"
#include "inbound/leaving.h"
#include "inbound/returned.h"
#include "inbound/room.h"
#include "mail/unsubscribe_token.h"
#include "net/endpoint.h"

namespace todoku::inbound {
namespace {

using Kind = Returned::Kind;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kSecret = "0123456789abcdef";
constexpr RecipientToken kToken{.delivery = 12, .batch = 3, .seq = 45};

InboundOptions options() {
  InboundOptions options;
  options.hostname = "mx.example.jp";
  options.domains = {"bounce.example.jp", "back.example.com"};
  options.report_addresses = {"dmarc@example.jp"};
  options.forward_to = "ops@example.com";
  options.forward_account = "house";
  return options;
}

std::optional<Addressee> addressee(std::string_view text) {
  return addressee_of(*parse_address(text), options(), kSecret);
}

std::string report(std::string_view recipient, std::string_view action, std::string_view status,
                   std::string_view said) {
  return std::string(
             "From: MAILER-DAEMON@mx.example.net\nTo: b@bounce.example.jp\nSubject: Returned\n"
             "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;"
             " boundary=b\n\n--b\nContent-Type: text/plain\n\nIt came back.\n--b\n"
             "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
             "Final-Recipient: rfc822; ") +
         std::string(recipient) + "\nAction: " + std::string(action) +
         "\nStatus: " + std::string(status) + "\nDiagnostic-Code: smtp; " + std::string(said) +
         "\n\n--b--\n";
}

Returned returned(std::string_view mail, std::string_view address = "taro@example.net") {
  return returned_of(*feedback::parse::read_bounce(mail), address);
}

TEST(Addressee, IsWhoeverASealedReturnPathIsOf) {
  const std::string local = encode_recipient_token(kToken, kSecret);
  const auto found = addressee(local + "@bounce.example.jp");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, Addressee::Kind::return_path);
  EXPECT_EQ(found->token, kToken);
  std::string upper = local;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_TRUE(addressee(upper + "@BACK.example.com"));
}

TEST(Addressee, IsNobodyElse) {
  const std::string local = encode_recipient_token(kToken, kSecret);
  EXPECT_FALSE(addressee(local + "@elsewhere.example"));
  EXPECT_FALSE(addressee(local + "a@bounce.example.jp"));
  EXPECT_FALSE(
      addressee(encode_recipient_token(kToken, "another secret!!") + "@bounce.example.jp"));
  EXPECT_FALSE(addressee("info@bounce.example.jp"));
  EXPECT_FALSE(addressee("postmaster@elsewhere.example"));
}

TEST(Addressee, PeopleAndReportsHaveAddresses) {
  for (const char* text : {"postmaster@bounce.example.jp", "Abuse@back.example.com"}) {
    const auto found = addressee(text);
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->kind, Addressee::Kind::people);
  }
  const auto leaves = addressee("unsubscribe@bounce.example.jp");
  ASSERT_TRUE(leaves);
  EXPECT_EQ(leaves->kind, Addressee::Kind::unsubscribe);
  const auto reports = addressee("DMARC@example.jp");
  ASSERT_TRUE(reports);
  EXPECT_EQ(reports->kind, Addressee::Kind::reports);
  InboundOptions nobody = options();
  nobody.forward_to.clear();
  EXPECT_FALSE(addressee_of(*parse_address("abuse@bounce.example.jp"), nobody, kSecret));
}

TEST(Returned, AFailureEndsItAndSpeaksAgainstItsOwnAddress) {
  const Returned back =
      returned(report("taro@example.net", "failed", "5.1.1", "550 5.1.1 User unknown"));
  EXPECT_EQ(back.kind, Kind::bounced);
  EXPECT_EQ(back.outcome.state, RecipientState::bounced);
  EXPECT_FALSE(back.outcome.is_attempt);
  EXPECT_EQ(back.outcome.reply.code, 550);
  EXPECT_THAT(back.outcome.reply.text, HasSubstr("User unknown"));
  EXPECT_EQ(back.outcome.cause, Cause::mailbox);
  EXPECT_TRUE(back.against_address);
}

TEST(Returned, AnotherAddressBehindAForwardingIsNotHeldAgainstTheOneThatWasSentTo) {
  const Returned back =
      returned(report("old@elsewhere.example", "failed", "5.1.1", "550 5.1.1 User unknown"));
  EXPECT_EQ(back.kind, Kind::bounced);
  EXPECT_FALSE(back.against_address);
  EXPECT_EQ(back.outcome.cause, Cause::forwarding) << "and not as an unknown user of its receiver";
  EXPECT_EQ(returned(report("old@elsewhere.example", "failed", "5.7.1", "550 5.7.1 SPF failed"))
                .outcome.cause,
            Cause::spf)
      << "what speaks of the sender does so wherever it is said";
}

TEST(Returned, WhatSpeaksOfTheSenderStopsNobody) {
  const Returned back = returned(
      report("taro@example.net", "failed", "5.7.1", "550 5.7.1 Your IP address is blocklisted"));
  EXPECT_EQ(back.kind, Kind::bounced);
  EXPECT_FALSE(back.against_address);
}

TEST(Returned, WithoutAReplyItHasTheStatusOfTheReport) {
  const Returned back = returned(report("taro@example.net", "failed", "5.4.7", ""));
  EXPECT_EQ(back.kind, Kind::bounced);
  EXPECT_EQ(back.outcome.reply.code, 550);
  EXPECT_THAT(back.outcome.reply.text, testing::StartsWith("5.4.7"));
}

TEST(Returned, WhatIsNotOverChangesNothing) {
  const Returned late = returned(report("taro@example.net", "delayed", "4.4.1", "451 later"));
  EXPECT_EQ(late.kind, Kind::delayed);
  EXPECT_FALSE(late.against_address);
  EXPECT_TRUE(store::is_told_delay(late.outcome));
  EXPECT_EQ(late.outcome.reply.code, 451);
  EXPECT_EQ(late.outcome.reply.text, "4.4.1 later");
  EXPECT_EQ(returned(report("taro@example.net", "delayed", "", "")).outcome.reply.code, 450)
      << "and not as one that has ended";
  EXPECT_EQ(returned(report("taro@example.net", "delivered", "2.0.0", "250 ok")).kind,
            Kind::delivered);
  EXPECT_EQ(returned("From: taro@example.net\nAuto-Submitted: auto-replied\nSubject: away\n\nback "
                     "on Monday, user unknown\n")
                .kind,
            Kind::auto_reply);
  EXPECT_EQ(returned("From: taro@example.net\nSubject: thank you\n\nIt works.\n").kind,
            Kind::not_understood);
}

TEST(Returned, CutOffItIsStillOfItsReturnPath) {
  const Returned back = returned(
      "From: MAILER-DAEMON@mx.example.net\nSubject: failure notice\n\n"
      "Hi. This is the qmail-send program. I wasn't able to deliver");
  EXPECT_EQ(back.kind, Kind::bounced);
  EXPECT_FALSE(back.against_address) << "nobody has said why";
}

// What a delivery has counted.
class SomeCounts final : public store::OutcomeCountReads {
 public:
  void add(std::string_view site, RecipientState state, Cause cause = Cause::none) {
    counts_.push_back(
        {.site = std::string(site), .state = state, .cause = cause, .mails = 1, .sample = {}});
  }
  Result<std::vector<store::OutcomeCount>> outcomes_of(store::DeliveryKey,
                                                       const std::optional<std::string>& site,
                                                       std::int64_t) override {
    std::vector<store::OutcomeCount> found = counts_;
    if (site) std::erase_if(found, [&](const auto& count) { return count.site != *site; });
    return found;
  }
  Result<std::vector<store::OutcomeCount>> outcomes_within(const Hours&, std::int64_t) override {
    return std::vector<store::OutcomeCount>{};
  }

 private:
  std::vector<store::OutcomeCount> counts_;
};

SiteNames site_names() {
  return {.by_rule =
              [](std::string_view, std::string_view host) {
                return std::string(host == "mx.outlook.example" ? "outlook" : "");
              },
          .has_host =
              [](std::string_view site, std::string_view host) {
                return site == "(mx1|mx2).example.jp" && host == "mx2.example.jp";
              }};
}

// Deferred by another host before.
store::Story taken_story(std::string_view mx_host, RecipientState state = RecipientState::delivered,
                         Cause cause = Cause::none) {
  store::Story story;
  story.type = DeliveryType::bulk;
  story.address = "taro@example.jp";
  story.state = state;
  story.attempts.resize(2);
  story.attempts[0].outcome.state = RecipientState::deferred;
  story.attempts[0].outcome.cause = Cause::rate;
  story.attempts[0].path.mx_host = "mx9.example.jp";
  story.attempts[1].outcome.state = state;
  story.attempts[1].outcome.cause = cause;
  story.attempts[1].path.mx_host = mx_host;
  return story;
}

TEST(Counted, AMailIsCountedUnderTheNameOfWhoTookIt) {
  SomeCounts counts;
  counts.add("", RecipientState::delivered);
  const auto site = [&](std::string_view host) {
    return counted_site(counts, taken_story(host), site_names()).value();
  };
  EXPECT_EQ(site("mx.outlook.example"), "") << "by name it counts nothing that was delivered";
  counts.add("outlook", RecipientState::delivered);
  EXPECT_EQ(site("mx.outlook.example"), "outlook");
  EXPECT_EQ(site("mx.example.com"), "");
  counts.add("mx.example.com", RecipientState::bounced, Cause::mailbox);
  EXPECT_EQ(site("mx.example.com"), "") << "what it counts there is something else";
  counts.add("mx.example.com", RecipientState::delivered);
  EXPECT_EQ(site("mx.example.com"), "mx.example.com");
  counts.add("(mx1|mx2).example.jp", RecipientState::delivered);
  EXPECT_EQ(site("mx2.example.jp"), "(mx1|mx2).example.jp");
  EXPECT_EQ(site("mx3.example.jp"), "");
}

TEST(Counted, WhatIsNotCountedHasTheNameOfItsRule) {
  SomeCounts counts;
  EXPECT_EQ(counted_site(counts, taken_story("mx.outlook.example"), site_names()).value(),
            "outlook");
  EXPECT_EQ(counted_site(counts, taken_story("mx.example.com"), site_names()).value(), "");
}

TEST(Counted, OfADoubtTheCauseAndTheHostBeforeAreKnown) {
  const store::Story story = taken_story("", RecipientState::unknown, Cause::in_doubt);
  EXPECT_EQ(taken_by(story).cause, Cause::in_doubt);
  EXPECT_EQ(taken_by(story).mx_host, "mx9.example.jp");
}

TEST(Complaint, IsOfTheReturnPathThatItNames) {
  const std::string path = encode_recipient_token(kToken, kSecret) + "@bounce.example.jp";
  const auto complaint = [](std::string_view fields, std::string_view of_mail) {
    return std::string(
               "From: fbl@provider.example\nSubject: complaint\nMIME-Version: 1.0\n"
               "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n"
               "\n--b\nContent-Type: text/plain\n\nspam\n--b\n"
               "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n") +
           std::string(fields) + "\n--b\nContent-Type: message/rfc822\n\n" + std::string(of_mail) +
           "From: news@example.jp\nSubject: news\n\ntext\n--b--\n";
  };
  const auto of = [](const std::string& mail) {
    return mail_complained_of(mail, options(), kSecret);
  };
  EXPECT_EQ(of(complaint("Original-Mail-From: <" + path + ">\n", "")), kToken);
  EXPECT_EQ(of(complaint("", "Return-Path: <" + path + ">\n")), kToken);
  EXPECT_EQ(of(complaint("", "")), std::nullopt);
  EXPECT_EQ(of(complaint("Original-Mail-From: <x" + path + ">\n", "")), std::nullopt);
}

std::string forwarded(std::string_view octets) {
  const Forwarded mail =
      forwarded_mail(octets, {.client = "192.0.2.7"}, "abc", Instant{}, options());
  EXPECT_TRUE(is_ascii(mail.octets));
  return mail.octets;
}

TEST(Forwarding, KeepsTheSubjectAndAnAnswerGoesToWhoWrote) {
  const std::string octets =
      "From: =?utf-8?B?5bGx55Sw?= <yamada@example.net>\r\nTo: abuse@bounce.example.jp\r\n"
      "Subject: =?utf-8?B?6L+35oOR?= mail\r\n\r\nplease stop\r\n";
  const std::string mail = forwarded(octets);
  EXPECT_THAT(mail, HasSubstr("Reply-To: <yamada@example.net>\r\n"));
  EXPECT_THAT(mail, HasSubstr("Subject: =?UTF-8?B?" + to_base64("迷惑 mail") + "?=\r\n"));
  EXPECT_THAT(mail, HasSubstr("Content-Type: message/rfc822\r\nContent-Disposition: attachment; "
                              "filename=\"mail.eml\"\r\n\r\n" +
                              octets + "--todoku-abc--"));
  EXPECT_THAT(forwarded("Reply-To: <desk@example.net>\r\nFrom: x@example.net\r\n\r\n"),
              HasSubstr("Reply-To: <desk@example.net>\r\n"));
  EXPECT_EQ(forwarded_mail(octets, {.client = ""}, "abc", Instant{}, options()).subject,
            "迷惑 mail");
}

TEST(Forwarding, SaysNothingOfWhatIsNotThere) {
  const std::string mail = forwarded("From: nobody\r\nSubject: \r\n\r\n");
  EXPECT_THAT(mail, Not(HasSubstr("Reply-To:")));
  EXPECT_THAT(mail, HasSubstr("Subject: Mail to abuse or postmaster at bounce.example.jp\r\n"));
  // A name or a subject ends no line early.
  const std::string broken = forwarded(
      "From: <a@example.net\rBcc: b@example.net>\r\nSubject: =?utf-8?Q?a=0D=0ABcc:_c?=\r\n\r\n");
  EXPECT_THAT(broken.substr(0, broken.find("\r\n\r\n")), Not(HasSubstr("\r\nBcc:")));
}

TEST(Forwarding, EncodesAnewWhatIsOfEightBits) {
  const std::string mail = forwarded(
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\n助けて\r\n");
  EXPECT_THAT(mail, HasSubstr("Content-Type: message/rfc822\r\n"));
}

TEST(Forwarding, ComesAsAFileWhereNothingElseWouldKeepIt) {
  const Forwarded mail = forwarded_mail("Subject: 迷惑\r\n\r\n\xFF\r\n", {.client = "192.0.2.7"},
                                        "abc", Instant{}, options());
  EXPECT_EQ(mail.from, "postmaster@bounce.example.jp");
  EXPECT_TRUE(is_ascii(mail.octets));
  EXPECT_THAT(mail.octets, HasSubstr("Subject: =?UTF-8?B?"));
  EXPECT_THAT(mail.octets, HasSubstr("To: <ops@example.com>\r\n"));
  EXPECT_THAT(mail.octets, HasSubstr("handed in by 192.0.2.7"));
  EXPECT_THAT(mail.octets, HasSubstr(to_base64("Subject: 迷惑\r\n\r\n\xFF\r\n")));
}

constexpr std::array<std::uint8_t, 16> kLeavingSecret{8, 7, 6, 5, 4, 3, 2, 1};

TEST(Leaving, TheTokenIsFoundWhateverIsAroundIt) {
  const UnsubscribeTokens tokens(kLeavingSecret);
  std::string token;
  std::string scratch;
  tokens.append(token, {.account = 3, .delivery = 12, .batch = 0, .seq = 7}, "news",
                "taro@example.net", scratch);
  const std::string cut = token.substr(0, 40) + " " + token.substr(40);
  for (const std::string& subject :
       {token, "Re: " + token, "Re:" + token, "RE:RE: " + token, "Fwd: [ext] <" + token + ">",
        "\"" + token + "\".", token + " (was: news)", cut, "Re:" + cut, "Re: unsubscribe " + cut}) {
    const auto leaver = leaver_in(subject, tokens);
    ASSERT_TRUE(leaver) << subject;
    EXPECT_EQ(leaver->address, "taro@example.net");
    EXPECT_EQ(leaver->list_id, "news");
  }
  for (const std::string& subject :
       {std::string(), std::string("unsubscribe me"), token + "a", token.substr(1), "a" + token}) {
    EXPECT_FALSE(leaver_in(subject, tokens)) << subject;
  }
}

net::IpAddress host(std::string_view text) {
  return net::IpAddress::parse(text).value();
}

constexpr std::size_t kMebi = std::size_t{1} << 20U;

TEST(Room, IsGivenBack) {
  Room room(16 * kMebi);
  {
    Room::Share share(room, host("192.0.2.1"));
    EXPECT_TRUE(share.take(6 * kMebi));
    EXPECT_FALSE(share.take(2 * kMebi)) << "more than it would leave";
    Room::Share other(room, host("192.0.2.1"));
    EXPECT_FALSE(other.take(2 * kMebi)) << "of the same network";
    EXPECT_TRUE(other.take(kMebi));
    EXPECT_EQ(room.networks(), 1U);
  }
  EXPECT_EQ(room.used(), 0U);
  EXPECT_EQ(room.networks(), 0U);
}

TEST(Room, ANetworkLeavesAsMuchAsItHolds) {
  Room room(16 * kMebi);
  Room::Share share(room, host("2001:db8::1"));
  EXPECT_TRUE(share.take(7 * kMebi)) << "half of what is not kept for newcomers";
  Room::Share neighbour(room, host("2001:db8::2:1"));
  EXPECT_FALSE(neighbour.take(1)) << "of the same /64";
  Room::Share other(room, host("2001:db8:0:1::1"));
  EXPECT_FALSE(other.take(4 * kMebi));
  EXPECT_TRUE(other.take(3 * kMebi));
  share.give_back();
  EXPECT_TRUE(neighbour.take(5 * kMebi));
}

TEST(Room, HoweverManyAreGreedyANewcomerGetsIn) {
  Room room(48 * kMebi);
  std::deque<Room::Share> greedy;
  for (int each = 0; each < 40; ++each) {
    Room::Share& share = greedy.emplace_back(room, host("192.0.2." + std::to_string(each + 1)));
    for (std::size_t step = 16 * kMebi; step >= 1'024; step /= 2) {
      while (share.take(step)) {
      }
    }
  }
  Room::Share newcomer(room, host("198.51.100.1"));
  EXPECT_TRUE(newcomer.take(Room::kNewcomerOctets));
  EXPECT_LE(room.used(), 48 * kMebi);
}

TEST(Room, ReturnedMailHasOneOfItsOwn) {
  Rooms rooms(64 * kMebi, kMebi, 20 * kMebi);
  Room::Share stranger(rooms.others, host("192.0.2.1"));
  EXPECT_TRUE(stranger.take(20 * kMebi)) << "a whole mail";
  EXPECT_FALSE(stranger.take(2 * kMebi));
  Room::Share returned(rooms.returned, host("192.0.2.1"));
  EXPECT_TRUE(returned.take(7 * kMebi));
  EXPECT_FALSE(returned.take(1));
}

TEST(Room, HasEnoughForTheLargestMail) {
  for (const std::size_t octets : {kMebi, 20 * kMebi, 64 * kMebi}) {
    Rooms rooms(64 * kMebi, kMebi, octets);
    Room::Share share(rooms.others, host("192.0.2.1"));
    EXPECT_TRUE(share.take(octets)) << octets;
  }
}

}  // namespace
}  // namespace todoku::inbound
