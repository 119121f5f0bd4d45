// SPDX-License-Identifier: Apache-2.0
// A list of a thousand domains on a slow DNS with dead name servers, in simulated time.
#include "app/preflight_facts.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/no_kernel_timers.h"
#include "async/timer.h"
#include "async/timer_clock.h"
#include "dns/fake_resolver.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

// Answers after a while, about names that begin with "dead" after a long one.
class SlowResolver final : public dns::Resolver {
 public:
  explicit SlowResolver(dns::FakeResolver& names) : names_(names) {}

  Task<Result<dns::Answer<dns::MxRecord>>> mx(std::string name) override {
    const bool is_dead = co_await wait_for(name);
    if (is_dead) co_return fail(ErrorKind::timeout, "no answer");
    co_return co_await names_.mx(std::move(name));
  }
  Task<Result<dns::Answer<net::IpAddress>>> a(std::string name) override {
    const bool is_dead = co_await wait_for(name);
    if (is_dead) co_return fail(ErrorKind::timeout, "no answer");
    co_return co_await names_.a(std::move(name));
  }
  Task<Result<dns::Answer<net::IpAddress>>> aaaa(std::string name) override {
    const bool is_dead = co_await wait_for(name);
    if (is_dead) co_return fail(ErrorKind::timeout, "no answer");
    co_return co_await names_.aaaa(std::move(name));
  }
  Task<Result<dns::Answer<std::string>>> txt(std::string name) override {
    const bool is_dead = co_await wait_for(name);
    if (is_dead) co_return fail(ErrorKind::timeout, "no answer");
    co_return co_await names_.txt(std::move(name));
  }
  Task<Result<dns::Answer<std::string>>> ptr(net::IpAddress address) override {
    return names_.ptr(address);
  }
  Task<Result<dns::Answer<dns::TlsaRecord>>> tlsa(std::string name) override {
    return names_.tlsa(std::move(name));
  }
  Task<Result<dns::Answer<std::string>>> cname(std::string name) override {
    return names_.cname(std::move(name));
  }

  std::size_t together_most = 0;

 private:
  Task<bool> wait_for(const std::string& name) {  // NOLINT(*-reference-coroutine-parameters)
    together_most = std::max(together_most, ++open_);
    const bool is_dead = name.starts_with("dead");
    (void)co_await async::sleep_for(is_dead ? Microseconds(15s) : Microseconds(50ms));
    --open_;
    co_return is_dead;
  }

  dns::FakeResolver& names_;
  std::size_t open_ = 0;
};

class PreflightFactsTest : public ::testing::Test {
 protected:
  PreflightAnswers answered(PreflightQuestions questions,
                            dns::CheckFinding::Result check = dns::CheckFinding::Result::passed,
                            bool is_doubted = false) {
    std::optional<PreflightAnswers> answers;
    dns::CheckFinding finding;
    finding.result = check;
    PreflightWorld world{.resolver = slow_,
                         .check_resolver = [this, finding] { return checked(finding); },
                         .is_doubted = [is_doubted] { return is_doubted; }};
    const SteadyInstant begun = clock_.steady_now();
    boost::asio::co_spawn(context_, answer_preflight(std::move(world), std::move(questions)),
                          [&](const std::exception_ptr& thrown, PreflightAnswers its) {
                            if (thrown) std::rethrow_exception(thrown);
                            answers = std::move(its);
                            took_ = clock_.steady_now() - begun;
                          });
    while (true) {
      context_.restart();
      context_.poll();
      const SteadyInstant next = time_.next();
      if (next == SteadyInstant::max()) break;
      if (next > clock_.steady_now()) clock_.advance(next - clock_.steady_now());
    }
    EXPECT_TRUE(answers.has_value());
    return answers.value_or(PreflightAnswers());
  }
  Task<dns::CheckFinding> checked(dns::CheckFinding finding) {
    ++checks_;
    (void)co_await async::sleep_for(check_takes_);
    co_return finding;
  }
  static PreflightQuestions questions_of(std::size_t domains, std::size_t every) {
    PreflightQuestions questions{.samples = {{.recipient = "a@d1.example",
                                              .octets = "From: a@example.jp\r\n\r\n",
                                              .mail_from = "b@bounce.example.jp"}},
                                 .author_domains = {"example.jp"},
                                 .sources = {},
                                 .domains = {},
                                 .now = from_epoch_ms(1'767'225'600'000),
                                 .within = 2'300ms};
    for (std::size_t i = 0; i < domains; ++i) {
      const bool is_dead = every > 0 && i % every == 0;
      questions.domains.push_back(
          {.domain = (is_dead ? "dead" : "d") + std::to_string(i) + ".example", .recipients = 1});
    }
    return questions;
  }

  FakeClock clock_;
  dns::FakeResolver names_{[] {
    dns::FakeResolver::Zone zone;
    for (int i = 0; i < 500; ++i) {
      zone.mx["d" + std::to_string(i) + ".example"] = {{10, "mx.example.jp"}};
    }
    zone.mx["example.jp"] = {{10, "mx.example.jp"}};
    zone.txt["_dmarc.example.jp"] = {"v=DMARC1; p=none"};
    return zone;
  }()};
  SlowResolver slow_{names_};
  boost::asio::io_context context_;
  async::SimulatedTime time_{clock_};
  Microseconds took_{};
  Microseconds check_takes_{};
  int checks_ = 0;
};

std::int64_t open_in(const PreflightAnswers& answers) {
  return std::ranges::count(answers.domains, doctor::DomainState::open,
                            &doctor::AudienceDomain::state);
}

TEST_F(PreflightFactsTest, DeadNameServersCostASecondAndTheirOwnDomains) {
  const PreflightAnswers answers = answered(questions_of(500, 20));
  EXPECT_EQ(open_in(answers), 25);
  EXPECT_EQ(answers.authentication.from_host.state, doctor::HostState::there);
  EXPECT_LT(took_, 3s);
  EXPECT_LE(slow_.together_most, kDomainsTogether + 32);
}

TEST_F(PreflightFactsTest, WhereAllAreAliveItIsQuick) {
  const PreflightAnswers answers = answered(questions_of(500, 0));
  EXPECT_EQ(open_in(answers), 0);
  EXPECT_LT(took_, 500ms);
}

TEST_F(PreflightFactsTest, WhereAllAreDeadItEndsInTime) {
  const PreflightAnswers answers = answered(questions_of(500, 1));
  EXPECT_EQ(open_in(answers), 500);
  EXPECT_LT(took_, 3s);
  EXPECT_EQ(answers.authentication.from_host.state, doctor::HostState::there)
      << "others' silence keeps nothing else away";
}

TEST_F(PreflightFactsTest, OfAResolverThatLiesNothingIsLearnt) {
  const PreflightAnswers answers = answered(questions_of(10, 0), dns::CheckFinding::Result::failed);
  EXPECT_EQ(open_in(answers), 10);
  EXPECT_EQ(answers.authentication.from_host.state, doctor::HostState::open);
  EXPECT_EQ(answers.authentication.dmarc.by_walk.result, mailauth::dmarc::Result::temperror);
}

TEST_F(PreflightFactsTest, WhatACommitIsToldOfTakesNoLongerThanItMay) {
  PreflightQuestions questions = questions_of(500, 1);
  questions.within = 300ms;
  check_takes_ = 15s;  // our own resolver is dead
  const PreflightAnswers answers = answered(std::move(questions));
  EXPECT_EQ(open_in(answers), 500);
  EXPECT_LE(took_, 300ms);
  EXPECT_EQ(answers.authentication.from_host.state, doctor::HostState::open);
}

TEST_F(PreflightFactsTest, ADoubtedResolverIsNotAskedUnlessSomebodyWaits) {
  PreflightQuestions questions = questions_of(10, 0);
  const PreflightAnswers unasked = answered(questions, dns::CheckFinding::Result::passed, true);
  EXPECT_EQ(open_in(unasked), 10);
  EXPECT_EQ(unasked.authentication.author_domains, questions.author_domains);
  EXPECT_EQ(took_, 0ms);
  EXPECT_EQ(slow_.together_most, 0U);
  EXPECT_EQ(checks_, 0);
  questions.asks_anyway = true;
  EXPECT_EQ(open_in(answered(questions, dns::CheckFinding::Result::passed, true)), 0);
  EXPECT_EQ(checks_, 1);
}

TEST_F(PreflightFactsTest, OfASandboxNobodyIsAskedHoweverLongSomebodyWaits) {
  PreflightQuestions questions = questions_of(10, 0);
  questions.asks_anyway = true;
  questions.asks_nobody = true;
  const PreflightAnswers answers = answered(std::move(questions));
  EXPECT_EQ(open_in(answers), 10);
  EXPECT_EQ(answers.authentication.from_host.state, doctor::HostState::open);
  EXPECT_EQ(answers.authentication.from_host.reason, "nothing is asked of the DNS for a sandbox");
  EXPECT_EQ(slow_.together_most, 0U);
  EXPECT_EQ(checks_, 0);
}

TEST_F(PreflightFactsTest, WithoutTimeNobodyIsAsked) {
  PreflightQuestions questions = questions_of(10, 0);
  questions.within = 0ms;
  EXPECT_EQ(open_in(answered(std::move(questions))), 10);
  EXPECT_EQ(slow_.together_most, 0U);
}

}  // namespace
}  // namespace todoku::app
