// SPDX-License-Identifier: Apache-2.0
// What is decided of mail that comes in, without a store or a network.
#include <cctype>
#include <cstdint>
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
#include "inbound/returned.h"
#include "inbound/room.h"
#include "net/endpoint.h"

namespace todoku::inbound {
namespace {

using Kind = Returned::Kind;
using testing::HasSubstr;

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
  EXPECT_EQ(returned(report("taro@example.net", "delayed", "4.4.1", "451 later")).kind,
            Kind::delayed);
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

TEST(Forwarding, EnclosesTheMailInOneOfSevenBits) {
  const Forwarded mail =
      forwarded_mail("Subject: 迷惑\r\n\r\n\xFF\r\n", "192.0.2.7", "abc", Instant{}, options());
  EXPECT_EQ(mail.from, "postmaster@bounce.example.jp");
  EXPECT_TRUE(is_ascii(mail.octets));
  EXPECT_THAT(mail.octets, HasSubstr("To: <ops@example.com>\r\n"));
  EXPECT_THAT(mail.octets, HasSubstr("handed in by 192.0.2.7"));
  EXPECT_THAT(mail.octets, HasSubstr(to_base64("Subject: 迷惑\r\n\r\n\xFF\r\n")));
}

net::IpAddress host(std::string_view text) {
  return net::IpAddress::parse(text).value();
}

TEST(Room, IsGivenBack) {
  Room room(100, 100);
  {
    Room::Share share(room, host("192.0.2.1"));
    EXPECT_TRUE(share.take(60));
    EXPECT_FALSE(share.take(60));
    Room::Share other(room, host("192.0.2.1"));
    EXPECT_FALSE(other.take(41));
    EXPECT_TRUE(other.take(40));
    EXPECT_EQ(room.networks(), 1U);
  }
  EXPECT_EQ(room.used(), 0U);
  EXPECT_EQ(room.networks(), 0U);
}

TEST(Room, LeavesOthersWhatOneNetworkMayNotHave) {
  Room room(100, 40);
  Room::Share share(room, host("2001:db8::1"));
  EXPECT_TRUE(share.take(40));
  Room::Share neighbour(room, host("2001:db8::2:1"));
  EXPECT_FALSE(neighbour.take(1)) << "of the same /64";
  Room::Share other(room, host("2001:db8:0:1::1"));
  EXPECT_TRUE(other.take(40));
  Room::Share third(room, host("192.0.2.1"));
  EXPECT_FALSE(third.take(21)) << "there is no more";
  EXPECT_TRUE(third.take(20));
  share.give_back();
  EXPECT_TRUE(neighbour.take(40));
}

TEST(Room, ReturnedMailHasOneOfItsOwn) {
  Rooms rooms(64, 1, 20);
  Room::Share stranger(rooms.others, host("192.0.2.1"));
  EXPECT_TRUE(stranger.take(20)) << "a whole mail, though it is more than a quarter";
  EXPECT_FALSE(stranger.take(1));
  Room::Share second(rooms.others, host("192.0.2.2"));
  EXPECT_TRUE(second.take(20));
  Room::Share third(rooms.others, host("192.0.2.3"));
  EXPECT_FALSE(third.take(9)) << "48 in all";
  Room::Share returned(rooms.returned, host("192.0.2.1"));
  EXPECT_TRUE(returned.take(8));
  EXPECT_FALSE(returned.take(1));
  Room::Share another(rooms.returned, host("192.0.2.2"));
  EXPECT_TRUE(another.take(8));
  EXPECT_FALSE(another.take(1)) << "16 in all";
}

}  // namespace
}  // namespace todoku::inbound
