// SPDX-License-Identifier: Apache-2.0
#include "doctor/blocklist.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/without_answers.h"

namespace todoku::doctor {
namespace {

using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::DnsQuestion;
using mailauth::FactType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Status = DnsFact::Status;
using ListZone = std::map<DnsQuestion, DnsFact>;

const SourceAddress kListMailer{std::string("\xC0\x00\x02\x04", 4), "192.0.2.4", true};
const SourceAddress kListMailer6{std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16),
                                 "2001:db8::1", true};
const Blocklist kList{
    .zone = "bl.example.com", .page = "https://bl.example.com/", .text = "", .ipv6 = false};

std::string code(int a, int b, int c, int d) {
  return {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)};
}
DnsFact says(std::vector<std::string> values) {
  return {.status = Status::found, .values = std::move(values), .reason = ""};
}
DnsFact fails() {
  return {.status = Status::failed, .values = {}, .reason = "SERVFAIL"};
}
// A list that works.
ListZone with(DnsFact answer) {
  return {{{FactType::a, "2.0.0.127.bl.example.com"}, says({code(127, 0, 0, 2)})},
          {{FactType::a, "4.2.0.192.bl.example.com"}, std::move(answer)}};
}

template <class Evaluate>
auto play(const ListZone& world, Evaluate evaluate) {
  DnsFacts facts;
  while (true) {
    auto value = evaluate(facts);
    const auto wanted = facts.take_wanted();
    if (wanted.empty()) return value;
    for (const DnsQuestion& question : wanted) {
      const auto known = world.find(question);
      facts.learn(question, known == world.end()
                                ? DnsFact{.status = Status::absent, .values = {}, .reason = ""}
                                : known->second);
    }
  }
}
BlocklistStanding standing(const ListZone& world, const SourceAddress& address = kListMailer,
                           const Blocklist& list = kList) {
  return *play(world, [&](DnsFacts& facts) { return standing_on("main", address, list, facts); });
}

TEST(Blocklist, IsAskedByOctetsAndByNibbles) {
  EXPECT_EQ(blocklist_name(kListMailer.octets, "bl.example.com"), "4.2.0.192.bl.example.com");
  EXPECT_EQ(blocklist_name(kListMailer6.octets, "bl.example.com"),
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example.com");
}

TEST(Blocklist, ListsWithACodeAndTellsWhy) {
  ListZone world = with(says({code(127, 0, 0, 4), code(127, 0, 0, 11)}));
  world[{FactType::txt, "4.2.0.192.bl.example.com"}] = says({"see https://bl.example.com/4\x1b"});
  const BlocklistStanding listed = standing(world);
  EXPECT_EQ(listed.standing, ListStanding::listed);
  EXPECT_THAT(listed.found, HasSubstr("127.0.0.4 127.0.0.11: see https://bl.example.com/4"));
  EXPECT_EQ(listed.found.find('\x1b'), std::string::npos) << "text from outside is printable";
  const Finding finding = finding_of(listed, kList);
  EXPECT_EQ(finding.outcome, Outcome::fail);
  EXPECT_EQ(finding.code, "blocklist_listed");
  EXPECT_THAT(finding.advice.en, HasSubstr("https://bl.example.com/"));
  EXPECT_THAT(finding.advice.en, HasSubstr("192.0.2.4"));
  EXPECT_THAT(finding.advice.ja, HasSubstr("192.0.2.4"));
  EXPECT_EQ(standing(with(fails())).standing, ListStanding::unanswered);
  EXPECT_EQ(standing(with({.status = Status::absent, .values = {}, .reason = ""})).standing,
            ListStanding::clear);
  EXPECT_EQ(finding_of(standing({}), kList).outcome, Outcome::not_determined)
      << "a list that lists nobody proves nothing";
}

TEST(Blocklist, ItsOwnErrorsAreNoListings) {
  const std::vector<std::string> errors{code(127, 255, 255, 252), code(127, 255, 255, 254),
                                        code(127, 255, 255, 255), code(127, 0, 0, 1),
                                        code(192, 0, 2, 80),      code(0, 0, 0, 0)};
  for (const std::string& error : errors) {
    const BlocklistStanding found = standing(with(says({error})));
    EXPECT_EQ(found.standing, ListStanding::list_error);
    EXPECT_EQ(finding_of(found, kList).outcome, Outcome::not_determined);
    EXPECT_EQ(standing(with(says({code(127, 0, 0, 2), error}))).standing, ListStanding::list_error)
        << "beside a listing, too";
  }
  EXPECT_EQ(standing(with(says({code(127, 255, 254, 2)}))).standing, ListStanding::listed);
}

TEST(Blocklist, HasToListItsTestEntryAndNoMore) {
  ListZone everybody = with(says({code(127, 0, 0, 2)}));
  everybody[{FactType::a, "1.0.0.127.bl.example.com"}] = says({code(127, 0, 0, 2)});
  EXPECT_EQ(standing(everybody).standing, ListStanding::list_error) << "it lists everybody";
  const Finding doubted = finding_of(standing(everybody), kList);
  EXPECT_THAT(doubted.why.en, HasSubstr("it lists 127.0.0.1"));
  EXPECT_THAT(doubted.why.ja, HasSubstr("127.0.0.1 が載っており"));
  EXPECT_TRUE(doubted.found.empty()) << "no English beside Japanese";
  ListZone refuses = with(says({code(127, 255, 255, 254)}));
  refuses[{FactType::a, "2.0.0.127.bl.example.com"}] = says({code(127, 255, 255, 254)});
  EXPECT_EQ(standing(refuses).standing, ListStanding::list_error);
  ListZone broken = with({.status = Status::absent, .values = {}, .reason = ""});
  broken[{FactType::a, "2.0.0.127.bl.example.com"}] = fails();
  EXPECT_EQ(standing(broken).standing, ListStanding::unanswered);
}

TEST(Blocklist, AsksOfIpv6WhereTheListHasIt) {
  DnsFacts facts;
  EXPECT_FALSE(standing_on("main", kListMailer6, kList, facts));
  EXPECT_THAT(facts.take_wanted(), IsEmpty());
  SourceAddress hidden = kListMailer;
  hidden.is_public = false;
  EXPECT_FALSE(standing_on("main", hidden, kList, facts)) << "a private address is nobody's";
  Blocklist both = kList;
  both.ipv6 = true;
  ListZone world;
  world[{FactType::a, blocklist_name(std::string("\0\0\0\0\0\0\0\0\0\0\xFF\xFF\x7F\0\0\x02", 16),
                                     "bl.example.com")}] = says({code(127, 0, 0, 2)});
  EXPECT_EQ(standing(world, kListMailer6, both).standing, ListStanding::clear);
}

TEST(Blocklist, TheOperatorsTextNamesTheAddress) {
  Blocklist list = kList;
  list.text = "Please delist {address}; {address} is mended.";
  EXPECT_EQ(text_to_send(standing(with(says({code(127, 0, 0, 2)}))), list).ja,
            "Please delist 192.0.2.4; 192.0.2.4 is mended.");
}

TEST(ListingWatch, TellsOfAListingAndItsEndOnce) {
  const BlocklistStanding listed = standing(with(says({code(127, 0, 0, 2)})));
  const BlocklistStanding clear =
      standing(with({.status = Status::absent, .values = {}, .reason = ""}));
  const BlocklistStanding error = standing(with(says({code(127, 255, 255, 254)})));
  ListingWatch watch;
  EXPECT_THAT(watch.look(std::vector{clear}), IsEmpty());
  const auto began = watch.look(std::vector{listed});
  ASSERT_THAT(began, SizeIs(1));
  EXPECT_TRUE(began[0].is_listed);
  EXPECT_THAT(watch.look(std::vector{listed}), IsEmpty());
  EXPECT_THAT(watch.look(std::vector{error}), IsEmpty()) << "an error ends no listing";
  EXPECT_THAT(watch.listed(), SizeIs(1));
  const auto ended = watch.look(std::vector{clear});
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_FALSE(ended[0].is_listed);
  EXPECT_THAT(watch.listed(), IsEmpty());
}

TEST(ListingWatch, ForgetsWhatIsLookedAtElsewhere) {
  const BlocklistStanding listed = standing(with(says({code(127, 0, 0, 2)})));
  ListingWatch watch;
  (void)watch.look(std::vector{listed});
  EXPECT_THAT(watch.keep_only(std::vector{listed.source}), IsEmpty());
  EXPECT_THAT(watch.listed(), SizeIs(1));
  EXPECT_THAT(watch.keep_only(std::vector<std::string>{"another"}), SizeIs(1));
  EXPECT_THAT(watch.listed(), IsEmpty());
  EXPECT_THAT(watch.look(std::vector{listed}), SizeIs(1)) << "it is told anew when it is back";
}

TEST(Blocklist, SaysNothingWithoutAnswers) {
  const auto of = without_answers("the name servers lie", [](DnsFacts& facts) {
    return *standing_on("main", kListMailer, kList, facts);
  });
  EXPECT_EQ(of.standing, ListStanding::unanswered);
  EXPECT_EQ(of.found, "the name servers lie");
}

TEST(Blocklist, EveryFindingSpeaksBothLanguages) {
  for (const ListStanding each : {ListStanding::clear, ListStanding::listed,
                                  ListStanding::list_error, ListStanding::unanswered}) {
    BlocklistStanding of = standing(with(says({code(127, 0, 0, 2)})));
    of.standing = each;
    const Finding finding = finding_of(of, kList);
    EXPECT_FALSE(finding.sentence.en.empty());
    EXPECT_FALSE(finding.sentence.ja.empty());
    EXPECT_EQ(finding.why.en.empty(), finding.outcome == Outcome::pass);
    EXPECT_EQ(finding.why.ja.empty(), finding.outcome == Outcome::pass);
  }
}

}  // namespace
}  // namespace todoku::doctor
