// SPDX-License-Identifier: Apache-2.0
// A whole sink on loopback, spoken to over streams of our own; keys from a file and from the DNS.
#include "sink/sink.h"

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <span>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "async/run_blocking.h"
#include "dns/fake_resolver.h"
#include "mailauth/dkim/dns_record.h"
#include "mailauth/dkim/message.h"
#include "mailauth/dkim/signer.h"
#include "net/dialer.h"

namespace todoku::sink {
namespace {

const SystemClock kClock;

SteadyInstant soon() {
  return kClock.steady_now() + std::chrono::seconds(20);
}

// Says every line of `input` at once and returns all that came back until the peer closed.
Task<std::string> converse(net::Endpoint at, std::string input) {
  auto stream = co_await net::dial(at, {}, soon());
  EXPECT_TRUE(stream);
  if (!stream) co_return "";
  EXPECT_TRUE(co_await stream->write(input, soon()));
  std::string heard;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto got = co_await stream->read_some(buffer, soon());
    if (!got || *got == 0) co_return heard;
    heard.append(buffer.data(), *got);
  }
}

class SinkTest : public testing::Test {
 protected:
  SinkTest() : runtime_(2) {
    runtime_.start();
    options_.receivers.push_back(
        {.name = "r", .listen = {net::Endpoint::parse("127.0.0.1:0").value()}});
    options_.seed = 1;
  }
  ~SinkTest() override {
    if (sink_) sink_->stop();
  }

  void start(std::shared_ptr<dns::Resolver> resolver = nullptr) {
    auto sink = Sink::create(options_, kClock, std::move(resolver));
    ASSERT_TRUE(sink) << sink.error().detail;
    sink_ = std::move(*sink);
    const auto started = sink_->start(runtime_);
    ASSERT_TRUE(started) << started.error().detail;
  }
  std::string say(const std::string& input) {
    return async::run_blocking(runtime_.executor(1), converse(sink_->endpoints()[0], input));
  }
  std::string send(const std::string& message, const std::string& recipient = "b@example.jp") {
    return say("EHLO c.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<" + recipient +
               ">\r\nBDAT " + std::to_string(message.size()) + " LAST\r\n" + message + "QUIT\r\n");
  }

  async::Runtime runtime_;
  Options options_;
  std::unique_ptr<Sink> sink_;
};

TEST_F(SinkTest, CountsWhatArrivesAndFindsDuplicates) {
  start();
  const std::string message = "Message-ID: <1@example.com>\r\n\r\nx\r\n";
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(send(message).ends_with("250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n"));
  }
  EXPECT_TRUE(send(message, "bounce-550@example.jp").contains("550 5.1.1"));
  sink_->stop();
  const Report report = sink_->report();
  EXPECT_EQ(report.total.connections, 4U);
  EXPECT_EQ(report.total.messages, 3U);
  EXPECT_EQ(report.total.duplicates, 2U);
  EXPECT_EQ(report.total.octets, 3 * message.size());
  EXPECT_EQ(report.total.replies.at(221), 4U);
  EXPECT_EQ(report.total.replies.at(554), 1U);
  EXPECT_EQ(report.total.connections_open, 0U);
  EXPECT_EQ(report.domains.at("example.jp").recipients, 3U);
  EXPECT_EQ(report.domains.at("example.jp").refused, 1U);
}

TEST_F(SinkTest, OnlyLoopbackIsBoundUnlessAllowed) {
  options_.receivers[0].listen = {net::Endpoint::parse("0.0.0.0:0").value()};
  const auto refused = Sink::create(options_, kClock);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid_input);
  options_.allow_public = true;
  EXPECT_TRUE(Sink::create(options_, kClock));
}

TEST_F(SinkTest, AnAddressInUseStopsTheStart) {
  start();
  Options second = options_;
  auto taken =
      net::Listener::open(runtime_.executor(0), net::Endpoint::parse("127.0.0.1:0").value());
  ASSERT_TRUE(taken);
  second.receivers[0].listen = {net::Endpoint::parse("127.0.0.1:0").value(), taken->local()};
  auto sink = Sink::create(second, kClock);
  ASSERT_TRUE(sink);
  const auto started = (*sink)->start(runtime_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, ErrorKind::conflict);
}

TEST_F(SinkTest, StopEndsConnectionsThatAreOpen) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  options_.receivers[0].rules = {{.at = Moment::quit, .delay = std::chrono::hours(1)}};
  start();
  auto heard = std::async(std::launch::async, [&] { return say("QUIT\r\n"); });
  while (sink_->report().total.connections_open == 0) std::this_thread::yield();
  sink_->stop();
  EXPECT_TRUE(heard.get().starts_with("220 "));
  EXPECT_EQ(sink_->report().total.connections, 1U);
  EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
}

class SinkDkimTest : public SinkTest {
 protected:
  SinkDkimTest() {
    namespace dkim = mailauth::dkim;
    const auto key = dkim::SigningKey::generate(dkim::KeyAlgorithm::ed25519).value();
    const dkim::KeyName name{.domain = "example.com", .selector = "s1"};
    record_ = dkim::key_record_text(key);
    const auto signer = dkim::Signer::create({{name, key}}).value();
    const auto view = dkim::split_message(message_);
    dkim::SigningContext context;
    const std::string_view body = view.body;
    std::string field;
    const auto done = signer.sign(context,
                                  {.headers = view.fields,
                                   .body_hash = context.body_hash({&body, 1}),
                                   .signed_at = kClock.now()},
                                  field);
    EXPECT_TRUE(done);
    signed_ = field + message_;
  }
  std::uint64_t counted(const std::string& word) {
    const Report report = sink_->report();
    const auto found = report.total.dkim.find(word);
    return found == report.total.dkim.end() ? 0 : found->second;
  }

  std::string message_ = "From: a@example.com\r\nSubject: x\r\n\r\nbody\r\n";
  std::string signed_;
  std::string record_;
};

TEST_F(SinkDkimTest, VerifiesWithKeysFromTheDns) {
  options_.dkim.sample = 1;
  const auto resolver = std::make_shared<dns::FakeResolver>(
      dns::FakeResolver::Zone{.txt = {{"s1._domainkey.example.com", {record_}}}});
  start(resolver);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send(signed_).contains("250 2.0.0 Ok"));
  send(signed_ + "tampered\r\n");
  send(message_);
  EXPECT_EQ(counted("pass"), 3U);
  EXPECT_EQ(counted("fail"), 1U);
  EXPECT_EQ(counted("none"), 1U);
  EXPECT_EQ(resolver->asked("TXT s1._domainkey.example.com"), 1);
}

TEST_F(SinkDkimTest, TellsAMissingKeyFromASilentDns) {
  options_.dkim.sample = 1;
  start(std::make_shared<dns::FakeResolver>(dns::FakeResolver::Zone{
      .failures = {{"TXT s1._domainkey.example.com", ErrorKind::timeout}}}));
  send(signed_);
  EXPECT_EQ(counted("temperror"), 1U);
}

TEST_F(SinkDkimTest, VerifiesWithKeysFromAFile) {
  const auto file = std::filesystem::path(testing::TempDir()) / "sink_keys.txt";
  std::ofstream(file) << "; comment\ns1._domainkey.example.com. 300 IN TXT \"" +
                             record_.substr(0, 20) + "\" \"" + record_.substr(20) + "\"\n";
  options_.dkim = {.sample = 1, .keys_file = file};
  start();
  send(signed_);
  EXPECT_EQ(counted("pass"), 1U);
  std::filesystem::remove(file);
}

TEST(SinkKeyFile, MistakesNameTheirLine) {
  EXPECT_EQ(parse_key_file("a._domainkey.example.com v=DKIM1; p=x")
                ->at("a._domainkey.example.com")
                .front(),
            "v=DKIM1; p=x");
  EXPECT_TRUE(parse_key_file("\nexample.com TXT x").error().detail.starts_with("line 2: "));
  EXPECT_FALSE(parse_key_file("a._domainkey.example.com TXT \"x"));
  EXPECT_FALSE(parse_key_file("a._domainkey.example.com TXT"));
}

TEST_F(SinkTest, KeepsMessagesAndLogsArrivals) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "sink_store";
  std::filesystem::remove_all(folder);
  options_.store_directory = folder / "mail";
  options_.store_max = 1;
  options_.arrival_log_file = folder / "mail.jsonl";
  options_.report_file = folder / "report.json";
  options_.latency_header = "Subject";
  std::filesystem::create_directories(folder);
  start();
  const std::string message = "Message-ID: <1@example.com>\r\nSubject: t " +
                              std::to_string(to_epoch_ms(kClock.now()) - 40) + "\r\n\r\n.x\r\n";
  send(message);
  send(message);
  sink_->stop();
  ASSERT_TRUE(sink_->write_files());
  const Report report = sink_->report();
  EXPECT_EQ(report.total.stored, 1U);
  EXPECT_EQ(report.latency.count, 2U);
  EXPECT_GE(report.latency.p50_ms, 40U);
  std::string kept;
  std::string envelope;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "mail")) {
    std::ifstream file(entry.path(), std::ios::binary);
    (entry.path().extension() == ".eml" ? kept : envelope)
        .assign(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_EQ(kept, message);
  EXPECT_TRUE(envelope.contains(R"("rcpt_to":["b@example.jp"])")) << envelope;
  std::ifstream log(folder / "mail.jsonl");
  std::string first;
  std::string second;
  std::getline(log, first);
  std::getline(log, second);
  EXPECT_TRUE(first.contains(R"("message_id":"<1@example.com>")")) << first;
  EXPECT_TRUE(first.contains(R"("duplicate":false)"));
  EXPECT_TRUE(second.contains(R"("duplicate":true)")) << second;
  EXPECT_TRUE(std::filesystem::exists(folder / "report.json"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace todoku::sink
