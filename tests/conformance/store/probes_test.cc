// SPDX-License-Identifier: Apache-2.0
// Probes of receivers' mailboxes (store/probes.h).
#include <vector>

#include <gmock/gmock.h>

#include "conformance/store/store_suite.h"

namespace todoku::store {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

// Instants of stores are whole milliseconds.
Probe probe_of(std::string token, std::string mailbox, Instant asked) {
  Probe probe{.token = std::move(token),
              .mailbox = std::move(mailbox),
              .asked = asked,
              .due = asked,
              .news = {}};
  probe.news.sender = "sender@example.jp";
  return probe;
}

std::vector<Probe> told(Store& store, const ProbeQuestion& question) {
  return must(store.read_and_wait([&](ReadTransaction& t) { return t.probes(question); }));
}

TEST_P(StoreSuite, AProbeIsAskedForOnceTakenByOneAndKeptAsHistory) {
  const Instant start = from_epoch_ms(1'767'225'600'000);
  const auto ask = [&](const Probe& probe) {
    return must(write([&](WriteTransaction& t) { return t.ask_probe(probe); }));
  };
  const auto take = [&](Instant now, Instant until) {
    return must(write([&](WriteTransaction& t) { return t.take_probes(now, until, 10); }));
  };
  const auto keep = [&](const Probe& probe, Instant taken) {
    return must(write([&](WriteTransaction& t) { return t.keep_probe(probe, taken); }));
  };
  const auto open = [&] {
    return must(store_->read_and_wait([](ReadTransaction& t) { return t.probes_open(); }));
  };
  const Probe first = probe_of("a1", "gmail", start);
  EXPECT_TRUE(ask(first));
  EXPECT_FALSE(ask(first)) << "its token is there";
  EXPECT_TRUE(ask(probe_of("b2", "yahoo", start + 1s)));
  EXPECT_EQ(open(), 2);
  EXPECT_THAT(told(*store_, {}),
              ElementsAre(Field(&Probe::token, "b2"), Field(&Probe::token, "a1")));
  EXPECT_THAT(told(*store_, {.mailbox = "gmail"}), ElementsAre(first));
  EXPECT_THAT(told(*store_, {.mailbox = {}, .before = start + 1s}), ElementsAre(first));
  EXPECT_THAT(told(*store_, {.mailbox = {}, .before = {}, .limit = 1}),
              ElementsAre(Field(&Probe::token, "b2")));

  const auto taken = take(start, start + 60s);
  ASSERT_THAT(taken, ElementsAre(Field(&Probe::token, "a1")));
  EXPECT_EQ(taken[0].due, start + 60s);
  EXPECT_THAT(take(start, start + 60s), IsEmpty()) << "somebody has it";

  Probe done = taken[0];
  done.due.reset();
  done.news.place = ProbePlace::junk;
  done.news.provider = "gmail";
  done.news.delivery = DeliveryKey{7};
  done.news.sent = start + 1s;
  done.news.accepted = start + 2s;
  done.news.found = start + 9s;
  done.news.source = "s1";
  done.news.folder = "[Gmail]/迷惑メール";
  done.news.spf = "pass";
  done.news.dkim = "pass";
  done.news.dmarc = "fail";
  EXPECT_FALSE(keep(done, start + 59s)) << "another took it since";
  EXPECT_TRUE(keep(done, start + 60s));
  EXPECT_THAT(told(*store_, {.mailbox = "gmail"}), ElementsAre(done));
  EXPECT_EQ(open(), 1);
  EXPECT_THAT(take(start + 1h, start + 2h), ElementsAre(Field(&Probe::token, "b2")))
      << "what is over is not worked on";

  const auto drop = [&](Instant before) {
    return must(write([&](WriteTransaction& t) { return t.drop_probes(before); }));
  };
  EXPECT_EQ(drop(start), 0);
  EXPECT_EQ(drop(start + 1s), 1);
  EXPECT_THAT(told(*store_, {}), ElementsAre(Field(&Probe::token, "b2")));
}

TEST(ProbeNewsOfTheStore, DamagedOnesAreNoProbes) {
  const std::string packed =
      pack_probe_news({.place = ProbePlace::inbox, .sender = "a@example.jp"});
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(unpack_probe_news(packed.substr(0, size))) << size;
  }
  EXPECT_TRUE(unpack_probe_news(packed + "more"));
  EXPECT_EQ(probe_news_in(packed).place, ProbePlace::inbox);
  EXPECT_EQ(probe_news_in("damaged").place, ProbePlace::failed);
  EXPECT_NE(probe_news_in("damaged").detail, "");
}

}  // namespace
}  // namespace todoku::store
