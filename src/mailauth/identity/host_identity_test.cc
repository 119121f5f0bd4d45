// SPDX-License-Identifier: Apache-2.0
#include "mailauth/identity/host_identity.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace todoku::mailauth {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;
using Status = DnsFact::Status;

const std::string kAddress("\xC0\x00\x02\x04", 4);
const std::string kOther("\xC0\x00\x02\x05", 4);
const std::string kAddress6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);

DnsFact found(std::vector<std::string> values) {
  return {.status = Status::found, .values = std::move(values), .reason = ""};
}
DnsFact just(Status status) {
  return {.status = status, .values = {}, .reason = "SERVFAIL"};
}

using World = std::map<DnsQuestion, DnsFact>;

HostIdentity identify(const World& world, const std::string& address, std::string_view hello = "") {
  DnsFacts facts;
  while (true) {
    HostIdentity identity = identify_host(address, hello, facts);
    const auto wanted = facts.take_wanted();
    if (wanted.empty()) return identity;
    for (const DnsQuestion& question : wanted) {
      const auto known = world.find(question);
      facts.learn(question, known == world.end() ? just(Status::absent) : known->second);
    }
  }
}

World named(DnsFact addresses) {
  return {{{FactType::ptr, "4.2.0.192.in-addr.arpa"}, found({"mx1.example.jp"})},
          {{FactType::a, "mx1.example.jp"}, std::move(addresses)}};
}

TEST(HostIdentity, IsConfirmedByANameThatLeadsBack) {
  EXPECT_EQ(identify(named(found({kOther, kAddress})), kAddress).iprev, Iprev::pass);
  EXPECT_EQ(identify(named(found({kOther})), kAddress).iprev, Iprev::fail);
  EXPECT_EQ(identify(named(just(Status::absent)), kAddress).iprev, Iprev::permerror);
  EXPECT_EQ(identify(named(just(Status::empty)), kAddress).iprev, Iprev::permerror);
  EXPECT_EQ(identify(named(just(Status::failed)), kAddress).iprev, Iprev::temperror);
}

TEST(HostIdentity, HasToHaveAName) {
  EXPECT_EQ(identify({}, kAddress).iprev, Iprev::permerror);
  EXPECT_EQ(
      identify({{{FactType::ptr, "4.2.0.192.in-addr.arpa"}, just(Status::failed)}}, kAddress).iprev,
      Iprev::temperror);
}

TEST(HostIdentity, OneNameOfSeveralIsEnough) {
  World world = {{{FactType::ptr, "4.2.0.192.in-addr.arpa"},
                  found({"a.example.jp", "b.example.jp", "c.example.jp"})},
                 {{FactType::a, "a.example.jp"}, just(Status::failed)},
                 {{FactType::a, "b.example.jp"}, found({kAddress})}};
  const HostIdentity identity = identify(world, kAddress);
  EXPECT_EQ(identity.iprev, Iprev::pass);
  ASSERT_THAT(identity.names, SizeIs(3));
  EXPECT_FALSE(identity.names[0].is_confirmed);
  EXPECT_TRUE(identity.names[1].is_confirmed);
}

TEST(HostIdentity, OfV6IsAskedByV6) {
  const World world = {{{FactType::ptr, reverse_name(kAddress6)}, found({"mx1.example.jp"})},
                       {{FactType::aaaa, "mx1.example.jp"}, found({kAddress6})}};
  EXPECT_EQ(identify(world, kAddress6).iprev, Iprev::pass);
}

TEST(HostIdentity, LooksAtTenNamesOnly) {
  std::vector<std::string> names;
  World world;
  for (int i = 0; i < 50; ++i) {
    names.push_back("n" + std::to_string(i) + ".example.jp");
    world[{FactType::a, names.back()}] = found({i < 10 ? kOther : kAddress});
  }
  world[{FactType::ptr, "4.2.0.192.in-addr.arpa"}] = found(names);
  const HostIdentity identity = identify(world, kAddress);
  EXPECT_EQ(identity.iprev, Iprev::fail);
  EXPECT_THAT(identity.names, SizeIs(kPtrNamesMax));
  EXPECT_THAT(identity.trace, Contains(HasSubstr("has 50 names")));
}

TEST(HostIdentity, TheHelloNameAgrees) {
  World world = named(found({kAddress}));
  world[{FactType::a, "out.example.jp"}] = found({kAddress});
  world[{FactType::a, "www.example.jp"}] = found({kOther});
  world[{FactType::a, "lame.example.jp"}] = just(Status::failed);
  const struct {
    const char* hello;
    HelloAgreement agreement;
  } kCases[] = {
      {"", HelloAgreement::unsaid},
      {"MX1.example.jp", HelloAgreement::same},
      {"mx1.example.jp.", HelloAgreement::same},
      {"out.example.jp", HelloAgreement::confirmed},
      {"www.example.jp", HelloAgreement::differs},
      {"nowhere.example.jp", HelloAgreement::differs},
      {"lame.example.jp", HelloAgreement::undetermined},
      {"localhost", HelloAgreement::invalid},
      {"not a name", HelloAgreement::invalid},
      {"[192.0.2.4]", HelloAgreement::literal},
      {"[192.0.2.4", HelloAgreement::invalid},
  };
  for (const auto& [hello, agreement] : kCases) {
    EXPECT_EQ(identify(world, kAddress, hello).hello, agreement) << hello;
  }
}

TEST(HostIdentity, TellsOfNamesThatLookGeneric) {
  World world = {{{FactType::ptr, "4.2.0.192.in-addr.arpa"}, found({"192-0-2-4.dsl.example.jp"})},
                 {{FactType::a, "192-0-2-4.dsl.example.jp"}, found({kAddress})}};
  const HostIdentity identity = identify(world, kAddress, "192-0-2-4.dsl.example.jp");
  EXPECT_EQ(identity.names.at(0).generic_sign, "holds the address itself");
  EXPECT_EQ(identity.hello_generic_sign, "holds the address itself");
}

}  // namespace
}  // namespace todoku::mailauth
