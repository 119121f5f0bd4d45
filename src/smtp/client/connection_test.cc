// SPDX-License-Identifier: Apache-2.0
// Connections over real loopback sockets to a scripted server.
#include "smtp/client/connection.h"

#include <string>
#include <vector>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "smtp/client/scripted_receiver.h"

namespace todoku::smtp {
namespace {

// Opens a connection to `receiver`, sends `mails` mails, quits. What came of it:
struct Story {
  std::optional<ConnectionFailure> failure;
  Path path;
  std::string remote;
  std::vector<RecipientResult> results;
  bool reusable = false;
};

constexpr TlsPlan kInClear{.mode = TlsMode::never};
constexpr TlsPlan kProven{.mode = TlsMode::required, .proof = TlsProof::mx_name};

Task<void> tell(Receiver& receiver, int mails, TlsPlan tls, bool trusted, Story& story) {
  const auto executor = co_await boost::asio::this_coro::executor;
  net::Listener listener = listen(executor);
  async::TaskGroup group(executor);
  group.spawn("receiver", receive_all(listener, receiver));
  story.remote = listener.local().to_string();
  ConnectionOptions options =
      options_for(listener.local(), trusted ? receiver.identity.chain : std::string());
  options.session.tls = tls;
  {
    auto opened = co_await Connection::open(options, kClock);
    if (!opened) {
      story.failure = opened.error();
    } else {
      Connection& connection = **opened;
      story.path = connection.path();
      const ClientEnvelope to = envelope();
      for (int i = 0; i < mails; ++i) {
        const auto results = co_await connection.send(to, view_of(kPieces));
        story.results.insert(story.results.end(), results.begin(), results.end());
      }
      story.reusable = connection.is_reusable();
      co_await connection.quit();
    }
  }
  listener.close();
  co_await group.wait_empty();
}

Story story_of(Receiver& receiver, int mails = 1, TlsPlan tls = {}, bool trusted = true) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  Story story;
  async::run_to_completion(tell(receiver, mails, tls, trusted, story));
  EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
  return story;
}

TEST(Connection, SendsManyMailsAndQuits) {
  for (const Strings& offers :
       {Strings{"PIPELINING", "CHUNKING"}, Strings{"PIPELINING"}, Strings{"CHUNKING"}, Strings{}}) {
    Receiver receiver{.script = {.offers = offers}};
    const Story story = story_of(receiver, 3);
    ASSERT_FALSE(story.failure);
    ASSERT_EQ(story.results.size(), 3U);
    for (const RecipientResult& result : story.results) {
      EXPECT_TRUE(result.accepted());
      EXPECT_EQ(result.reply, (Reply{250, "2.0.0 taken"}));
    }
    EXPECT_TRUE(story.reusable);
    ASSERT_EQ(receiver.taken.size(), 3U);
    EXPECT_EQ(receiver.taken[2].content, kContent);
    EXPECT_EQ(receiver.commands.back(), "QUIT");
    EXPECT_EQ(story.path, (Path{.mx_host = "mx.example.jp",
                                .remote_ip = story.remote,
                                .egress_source = "main",
                                .tls = TlsUse::none,
                                .tls_detail = "STARTTLS not offered"}));
  }
}

TEST(Connection, SaysWhetherTheCertificateProvedTheHost) {
  Receiver receiver{.script = {.offers = {"STARTTLS", "PIPELINING", "CHUNKING"}}};
  const Story trusted = story_of(receiver);
  EXPECT_TRUE(trusted.results.at(0).accepted());
  EXPECT_EQ(to_string(trusted.path.tls), "verified");
  EXPECT_EQ(trusted.path.tls_detail, "TLSv1.3 TLS_AES_256_GCM_SHA384");
  const Story stranger = story_of(receiver, 1, {}, false);
  EXPECT_TRUE(stranger.results.at(0).accepted());
  EXPECT_EQ(to_string(stranger.path.tls), "unverified");
  EXPECT_EQ(stranger.path.tls_detail, "TLSv1.3 TLS_AES_256_GCM_SHA384 (self-signed certificate)");
  const Story required = story_of(receiver, 1, kProven, false);
  ASSERT_TRUE(required.failure);
  EXPECT_EQ(to_string(required.failure->stage), "starttls");
  EXPECT_FALSE(required.failure->failed_in_tls);
  EXPECT_EQ(required.failure->cause, Cause::tls_failed);
  EXPECT_EQ(story_of(receiver, 1, kProven).path.tls_detail,
            "TLSv1.3 TLS_AES_256_GCM_SHA384 (required by the site's rule)");
}

TEST(Connection, TellsThatClearTextMayWorkWhereTlsDoesNot) {
  Receiver receiver{.script = {.offers = {"STARTTLS"}}, .breaks_tls = true};
  const Story first = story_of(receiver);
  ASSERT_TRUE(first.failure);
  EXPECT_TRUE(first.failure->failed_in_tls);
  EXPECT_EQ(to_string(first.failure->stage), "starttls");
  EXPECT_EQ(first.failure->reply.text, "TLS handshake: wrong version number");
  EXPECT_EQ(first.failure->path.tls_detail, "TLS handshake: wrong version number");
  const Story second = story_of(receiver, 1, kInClear);
  EXPECT_TRUE(second.results.at(0).accepted());
}

TEST(Connection, TellsHowOpeningFailed) {
  Receiver refusing{.script = {.greeting = "554 5.7.1 blocked\r\n"}};
  const Story story = story_of(refusing);
  ASSERT_TRUE(story.failure);
  EXPECT_EQ(to_string(story.failure->stage), "greeting");
  EXPECT_EQ(story.failure->reply, (Reply{554, "5.7.1 blocked"}));
  EXPECT_EQ(story.failure->path.mx_host, "mx.example.jp");
  EXPECT_EQ(story.failure->path.remote_ip, story.remote);
}

Task<void> dial_nobody(ConnectionFailure& failure) {
  net::Listener listener = listen(co_await boost::asio::this_coro::executor);
  const ConnectionOptions options = options_for(listener.local());
  listener.close();
  auto opened = co_await Connection::open(options, kClock);
  failure = opened.error();
}

TEST(Connection, TellsThatNobodyIsThere) {
  ConnectionFailure failure;
  async::run_to_completion(dial_nobody(failure));
  EXPECT_EQ(to_string(failure.stage), "connect");
  EXPECT_EQ(failure.reply, (Reply{0, "connect: Connection refused"}));
  EXPECT_EQ(failure.cause, Cause::unreachable);
}

class FailingDialer final : public net::Dialer {
 public:
  explicit FailingDialer(ErrorKind kind) : kind_(kind) {}
  Task<Result<net::Stream>> dial(net::Endpoint, net::DialOptions, SteadyInstant) override {
    co_return fail(kind_, "deliberate");
  }

 private:
  const ErrorKind kind_;
};

Task<void> dial_by(net::Dialer& dialer, ConnectionFailure& failure) {
  ConnectionOptions options = options_for({});
  options.dialer = &dialer;
  auto opened = co_await Connection::open(options, kClock);
  failure = opened.error();
}

TEST(Connection, TellsWhatWeLackFromWhatTheServerDoes) {
  for (const auto& [kind, cause] : {std::pair{ErrorKind::unavailable, Cause::own_shortage},
                                    std::pair{ErrorKind::invalid_input, Cause::own_shortage},
                                    std::pair{ErrorKind::cancelled, Cause::stopping},
                                    std::pair{ErrorKind::timeout, Cause::unreachable},
                                    std::pair{ErrorKind::closed, Cause::unreachable},
                                    std::pair{ErrorKind::io, Cause::unreachable}}) {
    FailingDialer dialer(kind);
    ConnectionFailure failure;
    async::run_to_completion(dial_by(dialer, failure));
    EXPECT_EQ(failure.cause, cause) << to_string(kind);
  }
}

// As a host that does not answer in time.
class SilentDialer final : public net::Dialer {
 public:
  Task<Result<net::Stream>> dial(net::Endpoint, net::DialOptions, SteadyInstant) override {
    co_return fail(ErrorKind::timeout, "connect: timed out");
  }
};

Task<void> dial_within(std::optional<Milliseconds> time, ConnectionFailure& failure) {
  SilentDialer dialer;
  ConnectionOptions options = options_for({});
  options.dialer = &dialer;
  if (time) options.not_after = kClock.steady_now() + *time;
  auto opened = co_await Connection::open(options, kClock);
  failure = opened.error();
}

TEST(Connection, ADialThatIsCutShortIsToldAsThat) {
  ConnectionFailure failure;
  async::run_to_completion(dial_within({}, failure));
  EXPECT_EQ(failure.reply.text, "connect: no answer within 30 s");
  EXPECT_FALSE(failure.cut_short);
  for (const auto& [left, told] : {std::pair{2'000, "2 s"}, std::pair{1'500, "1.5 s"}}) {
    async::run_to_completion(dial_within(Milliseconds(left), failure));
    EXPECT_EQ(failure.reply.text, fmt::format("connect: no answer within {}", told));
    EXPECT_TRUE(failure.cut_short) << "it says nothing about the host";
  }
}

TEST(Connection, IsInDoubtWhenTheServerHangsUpAfterTheContent) {
  Receiver receiver{.script = {.offers = {"PIPELINING", "CHUNKING"},
                               .answers = {{"MAIL", ""}, {"RCPT a@example.jp", ""}, {"BDAT", ""}}},
                    .hang_up_after = 4};
  const Story story = story_of(receiver);
  EXPECT_TRUE(story.results.at(0).in_doubt);
  EXPECT_EQ(to_string(story.results[0].stage), "mail_from");
  EXPECT_EQ(story.results[0].reply.text,
            "the receiver closed the connection before it answered MAIL FROM");
  EXPECT_FALSE(story.reusable);
}

TEST(Connection, IsNotReusableOnceTheServerSaidGoodbyeWhileIdle) {
  Receiver receiver{.script = {.offers = {"PIPELINING", "CHUNKING"},
                               .answers = {{"BDAT", "250 ok\r\n421 4.4.2 enough"}}}};
  const Story story = story_of(receiver);
  EXPECT_TRUE(story.results.at(0).accepted());
  EXPECT_FALSE(story.reusable);
}

Task<void> send_and_keep(Connection& connection, std::vector<RecipientResult>& kept) {
  const ClientEnvelope to = envelope();
  const auto results = co_await connection.send(to, view_of(kPieces));
  kept.assign(results.begin(), results.end());
}

Task<void> cancel_a_send(Receiver& receiver, std::vector<RecipientResult>& kept, bool& reusable) {
  const auto executor = co_await boost::asio::this_coro::executor;
  net::Listener listener = listen(executor);
  async::TaskGroup receivers(executor);
  receivers.spawn("receiver", receive_all(listener, receiver));
  auto opened = co_await Connection::open(options_for(listener.local()), kClock);
  async::TaskGroup senders(executor);
  senders.spawn("sender", send_and_keep(**opened, kept));
  co_await async::sleep_for(std::chrono::milliseconds(1));
  co_await senders.stop();
  reusable = (*opened)->is_reusable();
  co_await (*opened)->quit();
  listener.close();
  co_await receivers.wait_empty();
}

TEST(Connection, GivesResultsEvenWhenCancelled) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  Receiver receiver{.script = {.offers = {"PIPELINING"}, .answers = {{".", ""}}}};
  std::vector<RecipientResult> kept;
  bool reusable = true;
  async::run_to_completion(cancel_a_send(receiver, kept, reusable));
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_TRUE(kept[0].in_doubt);
  EXPECT_EQ(kept[0].reply.text, "this engine was stopped before the receiver answered the content");
  EXPECT_EQ(kept[0].cause, Cause::in_doubt) << "the content was out";
  EXPECT_FALSE(reusable);
  EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
}

TEST(Connection, IsStoppedWithoutBlameBeforeTheContent) {
  Receiver receiver{
      .script = {.offers = {"PIPELINING"}, .answers = {{"RCPT a@example.jp", ""}, {"DATA", ""}}}};
  std::vector<RecipientResult> kept;
  bool reusable = true;
  async::run_to_completion(cancel_a_send(receiver, kept, reusable));
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_FALSE(kept[0].in_doubt);
  EXPECT_FALSE(kept[0].again);
  EXPECT_EQ(kept[0].cause, Cause::stopping);
  EXPECT_EQ(kept[0].reply.text, "this engine was stopped before the receiver answered RCPT TO");
}

Task<void> be_impatient(ConnectionFailure& failure) {
  net::Listener listener = listen(co_await boost::asio::this_coro::executor);
  ConnectionOptions options = options_for(listener.local());
  options.session.timeouts.greeting = std::chrono::milliseconds(1);
  auto opened = co_await Connection::open(options, kClock);
  failure = opened.error();
}

TEST(Connection, WaitsNoLongerThanItIsTold) {
  ConnectionFailure failure;
  async::run_to_completion(be_impatient(failure));
  EXPECT_EQ(to_string(failure.stage), "greeting");
  EXPECT_EQ(failure.reply.code, 0);
}

// Says `words`, an octet every five milliseconds, again and again.
Task<void> drip(net::Stream stream, std::string words) {
  for (std::size_t i = 0; stream.is_open(); ++i) {
    const auto written =
        co_await stream.write(std::string_view(words).substr(i % words.size(), 1), soon());
    if (!written) co_return;
    co_await async::sleep_for(std::chrono::milliseconds(5));
  }
}

// Greets and answers EHLO, then drips.
Task<void> drip_once_opened(net::Listener& listener, std::string ehlo_answer, std::string words) {
  auto stream = co_await listener.accept();
  if (!stream) co_return;
  std::array<char, 4096> buffer;
  if (!ehlo_answer.empty()) {
    (void)co_await stream->write("220 mx.example.jp\r\n", soon());
    (void)co_await stream->read_some(buffer, soon());
    (void)co_await stream->write(ehlo_answer, soon());
    (void)co_await stream->read_some(buffer, soon());
  }
  co_await drip(std::move(*stream), std::move(words));
}

struct Drip {
  std::string ehlo_answer;  // empty: the greeting drips
  std::string words = "220-and so on\r\n";
  Milliseconds not_after = std::chrono::hours(1);
};

// The sentence with which a connection to such a receiver ended.
Task<void> bear_a_drip(Drip what, std::string& sentence) {
  const auto executor = co_await boost::asio::this_coro::executor;
  net::Listener listener = listen(executor);
  async::TaskGroup receivers(executor);
  receivers.spawn("receiver", drip_once_opened(listener, what.ehlo_answer, what.words));
  ConnectionOptions options = options_for(listener.local());
  auto& timeouts = options.session.timeouts;
  const Milliseconds patience = std::chrono::milliseconds(150);
  if (what.not_after > std::chrono::minutes(1)) {
    timeouts.greeting = timeouts.starttls = timeouts.mail = patience;
  }
  const SteadyInstant not_after = kClock.steady_now() + what.not_after;
  options.not_after = not_after;
  {
    auto opened = co_await Connection::open(options, kClock);
    if (!opened) {
      sentence = opened.error().reply.text;
    } else {
      const ClientEnvelope to = envelope();
      const auto results = co_await (*opened)->send(to, view_of(kPieces), not_after);
      sentence = results[0].reply.text;
      EXPECT_FALSE(results[0].in_doubt);
      (*opened)->close();
    }
  }
  listener.close();
  co_await receivers.wait_empty();
}

std::string end_of(Drip what) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  std::string sentence;
  async::run_to_completion(bear_a_drip(std::move(what), sentence));
  EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
  return sentence;
}

// What trickled in is told, too.
void expect_end(Drip what, const std::string& sentence, const std::string& begun) {
  const std::string end = end_of(std::move(what));
  EXPECT_TRUE(end.starts_with(sentence + "; its answer had begun: " + begun)) << end;
  EXPECT_LE(end.size(), 700U);
}

TEST(Connection, AReplyThatOnlyTricklesInDoesNotHoldIt) {
  expect_end({}, "no answer to the greeting within 0 s", "2");
  expect_end({.ehlo_answer = "250 mx\r\n", .words = "250-go on\r\n"},
             "no answer to MAIL FROM within 0 s", "2");
  expect_end({.ehlo_answer = "250-mx\r\n250 STARTTLS\r\n", .words = "220-go on\r\n"},
             "no answer to STARTTLS within 0 s", "2");
}

TEST(Connection, AHandshakeThatOnlyTricklesInDoesNotHoldIt) {
  // A TLS record of 16 KiB that never gets whole.
  const std::string record = std::string("\x16\x03\x03\x40\x00", 5) + std::string(16'384, '\2');
  EXPECT_EQ(end_of({.ehlo_answer = "250-mx\r\n250 STARTTLS\r\n", .words = "220 go\r\n" + record}),
            "TLS handshake: read: timed out");
}

TEST(Connection, EndsWithTheLifeTimeOfTheMail) {
  using std::chrono::milliseconds;
  expect_end({.not_after = milliseconds(60)},
             "the time for a connection is over (waiting for the answer to the greeting)", "2");
  expect_end({.ehlo_answer = "250 mx\r\n", .words = "250-go on\r\n", .not_after = milliseconds(60)},
             "the mail's time is over (waiting for the answer to MAIL FROM)", "2");
}

// Takes a command, says `go`, and nothing of what follows.
Task<void> take_no_content(net::Listener& listener, std::optional<net::Stream>& kept) {
  auto stream = co_await listener.accept();
  if (!stream) co_return;
  std::array<char, 4096> buffer;
  (void)co_await stream->write("220 mx.example.jp\r\n", soon());
  (void)co_await stream->read_some(buffer, soon());
  (void)co_await stream->write("250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n", soon());
  (void)co_await stream->read_some(buffer, soon());
  (void)co_await stream->write("250 ok\r\n250 ok\r\n", soon());
  kept = std::move(*stream);
}

Task<void> send_to_a_shut_window(std::string& sentence) {
  const auto executor = co_await boost::asio::this_coro::executor;
  net::Listener listener = listen(executor);
  std::optional<net::Stream> kept;
  async::TaskGroup receivers(executor);
  receivers.spawn("receiver", take_no_content(listener, kept));
  ConnectionOptions options = options_for(listener.local());
  // Of the whole content: 20 minutes and more.
  options.session.timeouts.data_block = std::chrono::milliseconds(60);
  options.session.timeouts.farewell = std::chrono::milliseconds(1);
  {
    auto opened = co_await Connection::open(options, kClock);
    const std::string large(20'000'000, 'x');
    const std::vector<std::string_view> pieces = {large};
    const ClientEnvelope to = envelope();
    const auto results = co_await (*opened)->send(to, view_of(pieces));
    sentence = results[0].reply.text;
    EXPECT_FALSE(results[0].in_doubt);
  }
  co_await receivers.wait_empty();
}

TEST(Connection, WritingEndsWhenTheReceiverStopsTaking) {
  std::string sentence;
  async::run_to_completion(send_to_a_shut_window(sentence));
  EXPECT_EQ(sentence,
            "could not send the content: the receiver takes it too slowly (20000000 octets)");
}

}  // namespace
}  // namespace todoku::smtp
