// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dmarc/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mailauth/dmarc/test_zones.h"

namespace todoku::mailauth::dmarc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TreeWalk walk(TestZones& zones, const std::string& domain) {
  return zones.play([&](DnsFacts& facts) { return walk_tree(domain, facts); });
}

std::string organizational_domain(TestZones& zones, const std::string& domain) {
  return walk(zones, domain).organizational_domain();
}

// The example of RFC 9989 section 4.10.
TEST(DmarcTreeWalk, AsksEightNamesOfALongOne) {
  EXPECT_THAT(walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com"),
              ElementsAre("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com",
                          "h.i.j.mail.example.com", "i.j.mail.example.com", "j.mail.example.com",
                          "mail.example.com", "example.com", "com"));
}

TEST(DmarcTreeWalk, LeavesOutNothingOfUpToEightLabels) {
  EXPECT_THAT(walk_names("com"), ElementsAre("com"));
  EXPECT_THAT(walk_names("a.example.com"), ElementsAre("a.example.com", "example.com", "com"));
  EXPECT_THAT(walk_names("a.b.c.d.e.f.g.h"), SizeIs(8));
  EXPECT_EQ(walk_names("a.b.c.d.e.f.g.h")[1], "b.c.d.e.f.g.h");
  EXPECT_THAT(walk_names("z.a.b.c.d.e.f.g.h"), SizeIs(8));
  EXPECT_EQ(walk_names("z.a.b.c.d.e.f.g.h")[1], "b.c.d.e.f.g.h");
  EXPECT_THAT(walk_names(""), IsEmpty());
}

// RFC 9989 section 4.10.2 and appendix B.4.
TEST(DmarcTreeWalk, FindsTheOrganizationalDomain) {
  TestZones zones;
  zones.txt("_dmarc.mail.example.com", "v=DMARC1; p=none")
      .txt("_dmarc.example.com", "v=DMARC1; p=reject")
      .txt("_dmarc.unit.example.net", "v=DMARC1; p=none; psd=n")
      .txt("_dmarc.example.net", "v=DMARC1; p=none")
      .txt("_dmarc.org", "v=DMARC1; p=reject; psd=y")
      .txt("_dmarc.bank.example", "v=DMARC1; p=reject; psd=y")
      .txt("_dmarc.giant.bank.example", "v=DMARC1; p=reject");
  const struct {
    const char* domain;
    const char* organizational;
  } kCases[] = {
      {"example.com", "example.com"},
      {"a.mail.example.com", "example.com"},
      {"a.b.c.d.e.f.g.h.i.j.k.example.com", "example.com"},
      {"a.unit.example.net", "unit.example.net"},
      {"b.example.net", "example.net"},
      {"a.mail.example.org", "example.org"},
      {"a.b.c.d.e.f.g.h.i.example.org", "example.org"},
      {"giant.bank.example", "giant.bank.example"},
      {"mail.giant.bank.example", "giant.bank.example"},
      {"mail.mega.bank.example", "mega.bank.example"},
      // Where the walk starts, psd=y is no end of an organisation.
      {"bank.example", "bank.example"},
      {"org", "org"},
      // Without records a domain is its own.
      {"a.example.jp", "a.example.jp"},
  };
  for (const auto& [domain, organizational] : kCases) {
    EXPECT_EQ(organizational_domain(zones, domain), organizational) << domain;
  }
}

TEST(DmarcTreeWalk, SeveralRecordsAreNoneAndTheWalkGoesOn) {
  TestZones zones;
  zones.txt("_dmarc.mail.example.jp", "v=DMARC1; p=none; psd=n")
      .txt("_dmarc.mail.example.jp", "v=DMARC1; p=reject; psd=n")
      .txt("_dmarc.example.jp", "v=DMARC1; p=none");
  const TreeWalk found = walk(zones, "mail.example.jp");
  EXPECT_EQ(found.organizational_domain(), "example.jp");
  EXPECT_THAT(found.several, ElementsAre("mail.example.jp"));
}

TEST(DmarcTreeWalk, OtherTextsAreDiscardedBeforeRecordsAreCounted) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=none")
      .txt("_dmarc.example.jp", "v=spf1 -all")
      .txt("_dmarc.example.jp", "v=dmarc1; p=reject");
  EXPECT_THAT(walk(zones, "example.jp").records, SizeIs(1));
}

TEST(DmarcTreeWalk, ConcludesNothingFromADnsThatFails) {
  TestZones zones;
  zones.txt("_dmarc.a.example.jp", "v=DMARC1; p=none").broken("_dmarc.example.jp");
  EXPECT_EQ(walk(zones, "a.example.jp").failure, "_dmarc.example.jp: SERVFAIL");
  EXPECT_THAT(walk(zones, "b.example.jp").failure, testing::Not(IsEmpty()));
}

TEST(DmarcTreeWalk, DoesNotNeedWhatIsAboveItsEnd) {
  TestZones zones;
  zones.txt("_dmarc.example.jp", "v=DMARC1; p=none; psd=n").broken("_dmarc.jp");
  EXPECT_EQ(walk(zones, "a.example.jp").failure, "");
  // Nor a top-level domain that fails right above a record.
  TestZones plain;
  plain.txt("_dmarc.example.jp", "v=DMARC1; p=none").broken("_dmarc.jp");
  EXPECT_EQ(walk(plain, "a.example.jp").failure, "");
  TestZones deeper;
  deeper.txt("_dmarc.a.example.jp", "v=DMARC1; p=none").broken("_dmarc.jp");
  EXPECT_NE(walk(deeper, "a.example.jp").failure, "");
}

TEST(DmarcExistence, OnlyNxdomainSaysThatANameIsNotThere) {
  TestZones zones;
  zones.name("a.example.jp").broken("c.example.jp");
  const auto is_there = [&](const std::string& domain) {
    return zones.play([&](DnsFacts& facts) { return exists(domain, facts); });
  };
  EXPECT_EQ(is_there("a.example.jp"), true);
  EXPECT_EQ(is_there("example.jp"), true) << "something is below it";
  EXPECT_EQ(is_there("b.example.jp"), false);
  EXPECT_EQ(is_there("c.example.jp"), std::nullopt);
}

}  // namespace
}  // namespace todoku::mailauth::dmarc
