// SPDX-License-Identifier: Apache-2.0
#include "sink/options_toml.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace todoku::sink {
namespace {

std::string mistake(std::string_view toml) {
  const auto options = parse_options(toml, "f");
  return options ? "none" : options.error().detail;
}

// A mistake within one receiver.
std::string receiver_mistake(std::string_view keys) {
  return mistake("[[receiver]]\nlisten = \"127.0.0.1:2525\"\n" + std::string(keys));
}

TEST(SinkOptions, ReadsEveryKey) {
  const auto options = parse_options(R"(
threads = 3
seed = 42
allow_public = true
idle_seconds = 10
connections_max = 11
duplicates_max = 12
latency_header = "X-Sent"
store_directory = "d"
store_max = 13
arrival_log_file = "l"
report_file = "r"
certificates_file = "c"
[dkim]
sample = 0.5
keys_file = "k"
dns_server = "127.0.0.1:53"

[[receiver]]
name = "docomo"
listen = ["127.0.1.1:2525", "[::1]:2525"]
hostname = "mx.docomo.example"
banner = "SMTP"
ehlo = false
domains = "docomo.ne.jp"
provider = "docomo"
tls = "expired"
auth_user = "u"
auth_password = "p"
without = ["CHUNKING", "smtputf8"]
pipelined = "lost"
size_max = 1000
recipients_max = 5
address_rules = false
messages_per_connection_max = 1
connections_max = 2
messages_per_second_max = 3
tarpit = 0.25
delay = { rcpt = 1, body = 0.5 }
close_at = "quit"
fail_4xx = 0.1
fail_5xx = 0.2
greylist = { seconds = 60 }
[[receiver.rule]]
at = "rcpt"
local = "a*"
domain = "*.jp"
odds = 0.3
reply = "450 4.2.0 wait"
delay = 2
[[receiver.rule]]
at = "body"
say = "spam"

[[receiver]]
listen = "127.0.0.1:1"
)",
                                     "f");
  ASSERT_TRUE(options) << options.error().detail;
  EXPECT_EQ(options->threads, 3U);
  EXPECT_EQ(options->seed, 42U);
  EXPECT_TRUE(options->allow_public);
  EXPECT_EQ(options->dkim.sample, 0.5);
  EXPECT_EQ(options->dkim.dns_server, "127.0.0.1:53");
  ASSERT_EQ(options->receivers.size(), 2U);
  EXPECT_EQ(options->receivers[1].name, "receiver-2");
  const Receiver& docomo = options->receivers[0];
  EXPECT_EQ(docomo.listen[1].to_string(), "[::1]:2525");
  EXPECT_EQ(docomo.protocol.hostname, "mx.docomo.example");
  EXPECT_FALSE(docomo.protocol.ehlo);
  EXPECT_FALSE(docomo.protocol.chunking);
  EXPECT_FALSE(docomo.protocol.smtputf8);
  EXPECT_TRUE(docomo.protocol.pipelining);
  EXPECT_EQ(docomo.protocol.recipients_max, 5U);
  EXPECT_EQ(docomo.protocol.pipelined, smtp::Pipelined::lost);
  EXPECT_EQ(docomo.tls, TlsMode::expired);
  EXPECT_EQ(docomo.tarpit, Microseconds(250'000));
  EXPECT_EQ(docomo.greylist->tries, 0U);
  ASSERT_EQ(docomo.rules.size(), 7U);
  EXPECT_EQ(docomo.rules[0].delay, std::chrono::seconds(1));
  EXPECT_EQ(docomo.rules[1].at, Moment::body);
  EXPECT_EQ(docomo.rules[2].reply->text, "4.2.0 wait");
  EXPECT_EQ(docomo.rules[3].excuse, Excuse::spam);
  EXPECT_TRUE(docomo.rules[4].close);
  EXPECT_EQ(docomo.rules[5].excuse, Excuse::any_permanent);
  EXPECT_EQ(docomo.rules[6].odds, 0.1);
}

TEST(SinkOptions, MistakesNameLineAndKey) {
  EXPECT_EQ(mistake("sead = 1"), "f: line 1: sead is not a key");
  EXPECT_EQ(mistake("\nseed = -1"), "f: line 2: seed should be a whole number from 0");
  EXPECT_EQ(mistake("receiver = 1"), "f: line 1: receiver should be written as [[receiver]]");
  EXPECT_TRUE(mistake("seed = ").starts_with("f: line 1: "));
  EXPECT_EQ(receiver_mistake("tls = \"bad\""),
            "f: line 3: receiver.tls should be none, good, self_signed, expired, wrong_name, "
            "broken or stalled");
  EXPECT_EQ(receiver_mistake("fail_4xx = 1.5"),
            "f: line 3: receiver.fail_4xx should be a number from 0 to 1");
  EXPECT_EQ(receiver_mistake("delay = { rcpt = -1 }"),
            "f: line 3: receiver.delay.rcpt should be a number from 0 to 86400");
  EXPECT_EQ(receiver_mistake("delay = { rctp = 1 }"),
            "f: line 3: receiver.delay.rctp is not a key");
  EXPECT_TRUE(receiver_mistake("pipelined = \"no\"").contains("receiver.pipelined should be"));
  EXPECT_TRUE(receiver_mistake("without = [\"DSN\"]").contains("receiver.without should be"));
  EXPECT_TRUE(receiver_mistake("[[receiver.rule]]\nat = \"rcpt\"\nreply = \"nope\"")
                  .starts_with("f: line 5: receiver.rule.reply should be a code"));
}

TEST(SinkOptions, ContradictionsAreMistakes) {
  EXPECT_TRUE(mistake("[[receiver]]\nname = \"x\"").contains("listen is missing"));
  EXPECT_TRUE(receiver_mistake("certificate_file = \"c\"").contains("belong together"));
  EXPECT_TRUE(receiver_mistake("greylist = { tries = 0 }").contains("never accept"));
  EXPECT_TRUE(receiver_mistake("[[receiver.rule]]\nat = \"rcpt\"").contains("does nothing"));
  EXPECT_TRUE(receiver_mistake("[[receiver.rule]]\nat = \"mail\"\nlocal = \"a\"\nclose = true")
                  .contains("knows no recipient"));
  EXPECT_TRUE(receiver_mistake("[[receiver.rule]]\nat = \"rcpt\"\nclose = true\nsay = \"spam\"")
                  .contains("more than one"));
  EXPECT_TRUE(receiver_mistake("[[receiver.rule]]\nat = \"data\"\nreply = \"250 ok\"")
                  .contains("cannot have a reply"));
  EXPECT_TRUE(mistake("[[receiver]]\nname = \"x\"\nlisten = \"127.0.0.1:1\"\n"
                      "[[receiver]]\nname = \"x\"\nlisten = \"127.0.0.1:2\"")
                  .contains("named once: x"));
}

TEST(SinkOptions, RepliesAreACodeAndAText) {
  EXPECT_EQ(*parse_reply("550 5.1.1 No"), (Reply{550, "5.1.1 No"}));
  EXPECT_EQ(*parse_reply("421"), (Reply{421, ""}));
  for (const std::string_view bad : {"", "55", "650 x", "150 x", "5x0 x", "550x"}) {
    EXPECT_FALSE(parse_reply(bad)) << bad;
  }
}

}  // namespace
}  // namespace todoku::sink
