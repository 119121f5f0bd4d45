// SPDX-License-Identifier: Apache-2.0
#include "dns/fact_gathering.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/fake_resolver.h"

namespace todoku::dns {
namespace {

using mailauth::DnsFact;
using mailauth::DnsFacts;
using mailauth::FactType;
using testing::ElementsAre;

template <class Evaluate>
auto gathered(FakeResolver& resolver, DnsFacts& facts, Evaluate evaluate) {
  boost::asio::io_context context;
  decltype(evaluate(facts)) value{};
  boost::asio::co_spawn(context, gather_facts(resolver, facts, evaluate),
                        [&value](const std::exception_ptr& thrown, auto gathered) {
                          if (thrown) std::rethrow_exception(thrown);
                          value = std::move(gathered);
                        });
  context.run();
  return value;
}

TEST(FactGathering, AnEvaluationIsPlayedUntilAllIsKnown) {
  FakeResolver resolver({.mx = {{"example.jp", {{20, "b.example.jp"}, {10, "a.example.jp"}}}},
                         .a = {{"a.example.jp", {"192.0.2.1"}}, {"b.example.jp", {"192.0.2.2"}}}});
  DnsFacts facts;
  int played = 0;
  const auto addresses = gathered(resolver, facts, [&played](DnsFacts& known) {
    ++played;
    std::vector<std::string> found;
    for (const std::string& host : known.ask(FactType::mx, "example.jp").values) {
      const DnsFact& fact = known.ask(FactType::a, host);
      found.insert(found.end(), fact.values.begin(), fact.values.end());
    }
    return found;
  });
  EXPECT_THAT(addresses,
              ElementsAre(std::string("\xC0\x00\x02\x01", 4), std::string("\xC0\x00\x02\x02", 4)));
  EXPECT_EQ(played, 3) << "once for the hosts, once for both addresses, once with all";
}

TEST(FactGathering, EachEndOfALookUpHasItsStatus) {
  FakeResolver resolver({.txt = {{"example.jp", {"v=spf1 -all"}}},
                         .failures = {{"TXT broken.example", ErrorKind::timeout},
                                      {"TXT full.example", ErrorKind::limit_exceeded}}});
  DnsFacts facts;
  const auto statuses = gathered(resolver, facts, [](DnsFacts& known) {
    return std::vector{known.ask(FactType::txt, "example.jp").status,
                       known.ask(FactType::mx, "example.jp").status,
                       known.ask(FactType::txt, "nowhere.example").status,
                       known.ask(FactType::txt, "broken.example").status,
                       known.ask(FactType::txt, "full.example").status};
  });
  EXPECT_THAT(statuses,
              ElementsAre(DnsFact::Status::found, DnsFact::Status::empty, DnsFact::Status::absent,
                          DnsFact::Status::failed, DnsFact::Status::failed));
}

TEST(FactGathering, NamesOfAnAddressAreAskedByItsReverseName) {
  FakeResolver resolver(
      {.ptr = {{"192.0.2.4", {"mail.example.jp"}}, {"2001:db8::1f", {"six.example.jp"}}}});
  DnsFacts facts;
  const auto names = gathered(resolver, facts, [](DnsFacts& known) {
    std::vector<std::string> found;
    for (const std::string& address :
         {std::string("\xC0\x00\x02\x04", 4),
          std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x1f"}) {
      const DnsFact& fact = known.ask(FactType::ptr, mailauth::reverse_name(address));
      found.insert(found.end(), fact.values.begin(), fact.values.end());
    }
    return found;
  });
  EXPECT_THAT(names, ElementsAre("mail.example.jp", "six.example.jp"));
}

TEST(FactGathering, AnEvaluationThatNeverEndsIsEnded) {
  FakeResolver resolver;
  DnsFacts facts;
  const int asked = gathered(resolver, facts, [](DnsFacts& known) {
    for (int i = 0;; ++i) {
      const DnsFact& fact = known.ask(FactType::a, std::to_string(i) + ".example");
      if (!fact.is_known() || fact.status == DnsFact::Status::failed) return i;
    }
  });
  EXPECT_EQ(asked, static_cast<int>(kFactsMax));
}

}  // namespace
}  // namespace todoku::dns
