// SPDX-License-Identifier: Apache-2.0
#include "app/source_doctor.h"

#include <set>

#include <gtest/gtest.h>

#include "async/runtime.h"
#include "dns/fake_resolver.h"

namespace todoku::app {
namespace {

ExaminedSource source_at(std::string name, std::string octets, std::string text) {
  return {.identity = {.name = name,
                       .hello = name + ".example.jp",
                       .addresses = {{std::move(octets), std::move(text), true}}},
          .bind_v4 = {},
          .bind_v6 = {}};
}

// Two sources. One has its name, the other has none.
class SourceDoctorTest : public testing::Test {
 protected:
  void look_with(const std::function<Task<void>(SourceDoctor&)>& looks) {
    async::run_to_completion(make_and(looks));
  }
  Task<void> make_and(const std::function<Task<void>(SourceDoctor&)>& looks) {
    const auto executor = co_await boost::asio::this_coro::executor;
    SourceDoctor doctor(
        {.examiner = examiner_,
         .rested = rested_,
         .listed = listed_,
         .is_here = [this](const std::string& source) { return here_.contains(source); },
         .clock = clock_,
         .metrics = metrics_},
        {.every = std::chrono::minutes(15),
         .lists_every = std::chrono::hours(1),
         .sources = {source_at("right", std::string("\xC0\x00\x02\x04", 4), "192.0.2.4"),
                     source_at("wrong", std::string("\xC0\x00\x02\x05", 4), "192.0.2.5")},
         .lists = {},
         .rest = {}},
        executor);
    co_await looks(doctor);
  }
  Task<void> look(SourceDoctor& doctor, int times) {
    for (int i = 0; i < times; ++i) {
      clock_.advance(std::chrono::minutes(15));
      co_await doctor.look();
    }
  }
  double resting(const std::string& source) {
    return metrics_.gauge("todoku_source_resting", "", {{"source", source}}).value();
  }
  double failing(const std::string& source) {
    return metrics_.gauge("todoku_source_check_failed", "", {{"source", source}, {"check", "ptr"}})
        .value();
  }
  static Task<dns::CheckFinding> passed() {
    co_return dns::CheckFinding{.result = dns::CheckFinding::Result::passed, .problem = {}};
  }

  dns::FakeResolver resolver_{
      {.a = {{"right.example.jp", {"192.0.2.4"}}}, .ptr = {{"192.0.2.4", {"right.example.jp"}}}}};
  FakeClock clock_;
  Metrics metrics_;
  SourceExaminer examiner_{{.resolver = resolver_,
                            .check_resolver = passed,
                            .dialer = net::system_dialer(),
                            .clock = clock_},
                           {.port_25_hosts = {}}};
  delivery::SourceSet rested_;
  delivery::SourceSet listed_;
  std::set<std::string> here_{"right", "wrong"};
};

TEST_F(SourceDoctorTest, ASourceThatWentElsewhereAndCameBackSendsAgain) {
  look_with([this](SourceDoctor& doctor) -> Task<void> {
    co_await look(doctor, 3);
    EXPECT_TRUE(rested_.contains("wrong"));
    EXPECT_EQ(resting("wrong"), 1);
    EXPECT_EQ(failing("wrong"), 1);
    here_.erase("wrong");
    co_await look(doctor, 1);
    EXPECT_FALSE(rested_.contains("wrong"));
    EXPECT_EQ(resting("wrong"), 0);
    EXPECT_EQ(failing("wrong"), 0) << "it is looked at elsewhere";
    here_.insert("wrong");
    co_await look(doctor, 2);
    EXPECT_FALSE(rested_.contains("wrong")) << "it begins anew";
    co_await look(doctor, 1);
    EXPECT_TRUE(rested_.contains("wrong"));
    EXPECT_FALSE(rested_.contains("right"));
  });
}

TEST_F(SourceDoctorTest, WhatFailsAtBothRestsNeither) {
  resolver_.set_zone({});
  look_with([this](SourceDoctor& doctor) -> Task<void> {
    co_await look(doctor, 5);
    EXPECT_EQ(failing("right"), 1);
    EXPECT_EQ(failing("wrong"), 1);
    EXPECT_FALSE(rested_.contains("right"));
    EXPECT_FALSE(rested_.contains("wrong"));
  });
}

}  // namespace
}  // namespace todoku::app
