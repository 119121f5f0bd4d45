// SPDX-License-Identifier: Apache-2.0
// Streams over real loopback sockets: both ends run as tasks of one thread.
#include "net/stream.h"

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "net/dialer.h"
#include "net/listener.h"
#include "net/net_error.h"
#include "net/self_signed.h"
#include "support/no_files_left.h"

namespace todoku::net {
namespace {

using async::run_to_completion;

const Endpoint kAnyPort{IpAddress::v4({127, 0, 0, 1}), 0};

SteadyInstant in(Milliseconds wait) {
  return std::chrono::time_point_cast<Microseconds>(SystemClock().steady_now() + wait);
}
SteadyInstant soon() {
  return in(std::chrono::seconds(20));
}

struct Pair {
  Stream client;
  Stream server;
};

Task<void> dial_into(Endpoint remote, Stream& into) {
  auto dialled = co_await dial(remote, {}, soon());
  EXPECT_TRUE(dialled) << dialled.error().detail;
  if (dialled) into = std::move(*dialled);
}

Task<Pair> connected_pair() {
  auto listener = Listener::open(co_await boost::asio::this_coro::executor, kAnyPort).value();
  Pair pair;
  co_await dial_into(listener.local(), pair.client);
  pair.server = (co_await listener.accept()).value();
  co_return pair;
}

Task<std::string> read_all(Stream& stream) {
  std::string all;
  std::array<char, 4096> buffer;
  for (;;) {
    const auto got = co_await stream.read_some(buffer, soon());
    EXPECT_TRUE(got) << got.error().detail;
    if (!got || *got == 0) co_return all;
    all.append(buffer.data(), *got);
  }
}

Task<void> write_then_finish(Stream& stream, std::vector<std::string> pieces) {
  const std::vector<std::string_view> views(pieces.begin(), pieces.end());
  const auto written = co_await stream.write(views, soon());
  EXPECT_TRUE(written) << written.error().detail;
  stream.finish_writing();
}

Task<void> read_into(Stream& stream, std::string& into) {
  into = co_await read_all(stream);
}

// Pieces of awkward sizes, larger in sum than any socket buffer.
std::vector<std::string> awkward_pieces() {
  std::vector<std::string> pieces;
  const std::size_t sizes[] = {0,     1,      2, 0, 16'383, 16'384,    16'385,
                               5'000, 40'000, 3, 0, 70'000, 9'000'000, 17};
  char fill = 'a';
  for (const std::size_t size : sizes) pieces.emplace_back(size, fill++);
  for (int i = 0; i < 300; ++i) pieces.emplace_back("small piece ");
  pieces.emplace_back("");
  return pieces;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

Task<void> transfer(Stream& from, Stream& to) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const std::vector<std::string> pieces = awkward_pieces();
  std::string received;
  async::TaskGroup group(executor);
  group.spawn("read", read_into(to, received));
  group.spawn("write", write_then_finish(from, pieces));
  co_await group.wait_empty();
  EXPECT_TRUE(received == joined(pieces)) << received.size();
}

Task<void> transfer_in_clear_text() {
  Pair pair = co_await connected_pair();
  co_await transfer(pair.client, pair.server);
  EXPECT_TRUE(pair.client.is_open());
  co_await transfer(pair.server, pair.client);
}

TEST(Stream, CarriesLargeGatherWritesBothWays) {
  run_to_completion(transfer_in_clear_text());
}

Task<void> know_the_ends() {
  Pair pair = co_await connected_pair();
  EXPECT_EQ(pair.client.local(), pair.server.remote());
  EXPECT_EQ(pair.client.remote(), pair.server.local());
  EXPECT_NE(pair.client.local().port, 0);
}

TEST(Stream, KnowsBothEnds) {
  run_to_completion(know_the_ends());
}

int option_of(const Stream& stream, int level, int name) {
  // The socket is found by its two ends: a stream does not hand it out.
  for (int fd = 3; fd < 256; ++fd) {
    sockaddr_in at{};
    socklen_t size = sizeof at;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) continue;
    if (at.sin_family != AF_INET || ntohs(at.sin_port) != stream.local().port) continue;
    size = sizeof at;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) continue;
    if (ntohs(at.sin_port) != stream.remote().port) continue;
    int value = -1;
    socklen_t length = sizeof value;
    return ::getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
  }
  return -1;
}

Task<void> look_at_keep_alive() {
  const Pair pair = co_await connected_pair();
  for (const Stream* end : {&pair.client, &pair.server}) {
    EXPECT_EQ(option_of(*end, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(option_of(*end, IPPROTO_TCP, TCP_KEEPIDLE), 60);
    EXPECT_EQ(option_of(*end, IPPROTO_TCP, TCP_KEEPINTVL), 20);
    EXPECT_EQ(option_of(*end, IPPROTO_TCP, TCP_KEEPCNT), 3);
    EXPECT_EQ(option_of(*end, IPPROTO_TCP, TCP_NODELAY), 1);
  }
}

TEST(Stream, KeepsSilentFlowsAliveFromBothEnds) {
  run_to_completion(look_at_keep_alive());
}

Task<void> wait_in_vain(ErrorKind& got) {
  Pair pair = co_await connected_pair();
  std::array<char, 16> buffer;
  const auto read = co_await pair.client.read_some(buffer, in(Milliseconds(1)));
  got = read.error().kind;
}

TEST(Stream, ReadEndsAtTheDeadline) {
  ErrorKind got{};
  run_to_completion(wait_in_vain(got));
  EXPECT_EQ(got, ErrorKind::timeout);
}

Task<void> short_after_long(ErrorKind& got) {
  Pair pair = co_await connected_pair();
  std::array<char, 16> buffer;
  const auto hello = co_await pair.server.write("hello", soon());
  EXPECT_TRUE(hello);
  const auto first = co_await pair.client.read_some(buffer, in(std::chrono::hours(10)));
  EXPECT_TRUE(first);
  const auto second = co_await pair.client.read_some(buffer, in(Milliseconds(1)));
  got = second.error().kind;
}

TEST(Stream, AnEarlierDeadlineIsNotHiddenByALaterOneBefore) {
  ErrorKind got{};
  run_to_completion(short_after_long(got));
  EXPECT_EQ(got, ErrorKind::timeout);
}

Task<void> write_into_a_full_pipe(Stream& stream, ErrorKind& got) {
  const std::string much(64UL << 20U, 'x');
  const auto written = co_await stream.write(much, in(Milliseconds(5)));
  got = written.error().kind;
}

Task<void> read_beside_a_write_that_times_out(ErrorKind& got, std::string& read) {
  Pair pair = co_await connected_pair();
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn("read", read_into(pair.client, read));
  co_await write_into_a_full_pipe(pair.client, got);
  const auto written = co_await pair.server.write("still heard", soon());
  EXPECT_TRUE(written);
  pair.server.finish_writing();
  co_await group.wait_empty();
}

TEST(Stream, ADeadlineOfOneDirectionLeavesTheOtherAlone) {
  ErrorKind got{};
  std::string read;
  run_to_completion(read_beside_a_write_that_times_out(got, read));
  EXPECT_EQ(got, ErrorKind::timeout);
  EXPECT_EQ(read, "still heard");
}

Task<void> read_kind(Stream& stream, std::optional<ErrorKind>& got) {
  std::array<char, 16> buffer;
  const auto read = co_await stream.read_some(buffer, soon());
  if (!read) got = read.error().kind;
}

Task<void> close_below_a_reader(std::optional<ErrorKind>& got) {
  Pair pair = co_await connected_pair();
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn("read", read_kind(pair.client, got));
  co_await async::sleep_for(Microseconds(1));
  pair.client.close();
  co_await group.wait_empty();
}

TEST(Stream, CloseEndsAReader) {
  std::optional<ErrorKind> got;
  run_to_completion(close_below_a_reader(got));
  EXPECT_EQ(got, ErrorKind::closed);
}

Task<void> cancel_a_reader(std::optional<ErrorKind>& got) {
  Pair pair = co_await connected_pair();
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn("read", read_kind(pair.client, got));
  co_await async::sleep_for(Microseconds(1));
  co_await group.stop();
}

TEST(Stream, CancellationEndsAReader) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  std::optional<ErrorKind> got;
  run_to_completion(cancel_a_reader(got));
  EXPECT_EQ(got, ErrorKind::cancelled);
  EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
}

Task<void> say_goodbye(Stream& stream, bool& said) {
  std::array<char, 16> buffer;
  const auto read = co_await stream.read_some(buffer, soon());
  EXPECT_FALSE(read);
  const auto written = co_await stream.write("QUIT\r\n", soon());
  said = written.has_value();
}

Task<void> cancel_politely(bool& said) {
  Pair pair = co_await connected_pair();
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn("polite", say_goodbye(pair.client, said));
  co_await async::sleep_for(Microseconds(1));
  co_await group.stop();
}

TEST(Stream, ACancelledTaskMayStillWrite) {
  const std::size_t thrown_before = async::unhandled_exceptions();
  bool said = false;
  run_to_completion(cancel_politely(said));
  EXPECT_TRUE(said);
  EXPECT_EQ(async::unhandled_exceptions(), thrown_before);
}

Task<void> write_to_a_closed_peer(ErrorKind& got) {
  Pair pair = co_await connected_pair();
  pair.server.close();
  const std::string block(1UL << 20U, 'x');
  for (;;) {
    const auto written = co_await pair.client.write(block, soon());
    if (written) continue;
    got = written.error().kind;
    co_return;
  }
}

TEST(Stream, WritingToAClosedPeerIsAnErrorAndNoSignal) {
  ErrorKind got{};
  run_to_completion(write_to_a_closed_peer(got));
  EXPECT_EQ(got, ErrorKind::closed);
}

Task<void> tell_input() {
  Pair pair = co_await connected_pair();
  EXPECT_FALSE(pair.client.has_input());
  const auto written = co_await pair.server.write("421 bye\r\n", soon());
  EXPECT_TRUE(written);
  EXPECT_TRUE(pair.client.has_input());
  std::array<char, 64> buffer;
  const auto read = co_await pair.client.read_some(buffer, soon());
  EXPECT_EQ(read.value(), 9U);
  EXPECT_FALSE(pair.client.has_input());
  pair.server.close();
  EXPECT_TRUE(pair.client.has_input());
}

TEST(Stream, TellsWhetherInputWaits) {
  run_to_completion(tell_input());
}

struct TlsPair {
  std::shared_ptr<TlsClientContext> client;
  std::shared_ptr<TlsServerContext> server;
};

TlsPair tls_pair(bool trusted, std::vector<std::string> names = {"mx.example.jp", "192.0.2.1"}) {
  const TlsIdentity identity = make_self_signed(names, SystemClock().now());
  return {TlsClientContext::create({.ca_pem = trusted ? identity.chain : ""}).value(),
          TlsServerContext::create(identity).value()};
}

Task<void> serve_tls(Stream& stream, std::shared_ptr<TlsServerContext> context) {
  const auto info = co_await stream.start_tls_server(context, soon());
  EXPECT_TRUE(info) << info.error().detail;
}

Task<TlsInfo> shake_hands(Pair& pair, const TlsPair& tls, std::string server_name) {
  async::TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn("server", serve_tls(pair.server, tls.server));
  auto info = co_await pair.client.start_tls_client(tls.client, server_name, soon());
  co_await group.wait_empty();
  EXPECT_TRUE(info) << info.error().detail;
  co_return info.value_or(TlsInfo{});
}

Task<void> handshake_only(TlsPair tls, std::string server_name, TlsInfo& info) {
  Pair pair = co_await connected_pair();
  info = co_await shake_hands(pair, tls, server_name);
}

TEST(StreamTls, TellsThatTheCertificateProvesTheName) {
  TlsInfo info;
  run_to_completion(handshake_only(tls_pair(true), "mx.example.jp", info));
  EXPECT_TRUE(info.verified) << info.verify_error;
  EXPECT_EQ(info.summary(), "TLSv1.3 TLS_AES_256_GCM_SHA384");
  run_to_completion(handshake_only(tls_pair(true), "192.0.2.1", info));
  EXPECT_TRUE(info.verified) << info.verify_error;
}

TEST(StreamTls, TellsWhyItDoesNotAndGoesOn) {
  TlsInfo info;
  run_to_completion(handshake_only(tls_pair(true), "other.example.jp", info));
  EXPECT_FALSE(info.verified);
  EXPECT_EQ(info.verify_error, "hostname mismatch");
  run_to_completion(handshake_only(tls_pair(false), "mx.example.jp", info));
  EXPECT_FALSE(info.verified);
  EXPECT_EQ(info.verify_error, "self-signed certificate");
}

Task<void> transfer_in_tls() {
  Pair pair = co_await connected_pair();
  const TlsInfo info = co_await shake_hands(pair, tls_pair(true), "mx.example.jp");
  EXPECT_TRUE(pair.client.is_tls());
  EXPECT_FALSE(pair.client.has_input());
  co_await transfer(pair.client, pair.server);
  co_await transfer(pair.server, pair.client);
}

TEST(StreamTls, CarriesLargeGatherWritesBothWays) {
  run_to_completion(transfer_in_tls());
}

Task<void> exchange_and_close(const TlsPair& tls, TlsInfo& info) {
  Pair pair = co_await connected_pair();
  info = co_await shake_hands(pair, tls, "mx.example.jp");
  // Session tickets arrive with the first octets of the server.
  const auto written = co_await pair.server.write("220", soon());
  EXPECT_TRUE(written);
  pair.server.close();
  const std::string got = co_await read_all(pair.client);
  EXPECT_EQ(got, "220");
}

Task<void> resume(TlsInfo& first, TlsInfo& second) {
  const TlsPair tls = tls_pair(true);
  co_await exchange_and_close(tls, first);
  co_await exchange_and_close(tls, second);
}

TEST(StreamTls, ResumesASessionAndItsVerdict) {
  TlsInfo first;
  TlsInfo second;
  run_to_completion(resume(first, second));
  EXPECT_FALSE(first.resumed);
  EXPECT_TRUE(second.resumed);
  EXPECT_TRUE(second.verified) << second.verify_error;
}

// What is there to be read is not given to who asks too late.
Task<void> read_late(Pair& pair, std::vector<std::optional<ErrorKind>>& got) {
  std::array<char, 16> buffer;
  const auto hello = co_await pair.server.write("hello", soon());
  EXPECT_TRUE(hello);
  while (!pair.client.has_input()) co_await async::sleep_for(Microseconds(100));
  const auto read = co_await pair.client.read_some(buffer, in(Milliseconds(-1)));
  got.push_back(read ? std::nullopt : std::optional(read.error().kind));
}

Task<void> read_late_in_clear_and_in_tls(std::vector<std::optional<ErrorKind>>& got) {
  Pair clear = co_await connected_pair();
  co_await read_late(clear, got);
  Pair pair = co_await connected_pair();
  const TlsPair tls = tls_pair(true);
  (void)co_await shake_hands(pair, tls, "mx.example.jp");
  co_await read_late(pair, got);
}

TEST(StreamTls, AReadThatBeginsAfterItsDeadlineGetsNothingAsInClear) {
  std::vector<std::optional<ErrorKind>> got;
  run_to_completion(read_late_in_clear_and_in_tls(got));
  EXPECT_EQ(got, (std::vector<std::optional<ErrorKind>>(2, ErrorKind::timeout)));
}

Task<void> talk_plain_to_a_tls_client(Error& error) {
  Pair pair = co_await connected_pair();
  const auto written = co_await pair.server.write("500 what is that?\r\n", soon());
  EXPECT_TRUE(written);
  const TlsPair tls = tls_pair(true);
  auto info = co_await pair.client.start_tls_client(tls.client, "mx.example.jp", soon());
  error = info.error();
}

TEST(StreamTls, AFailedHandshakeSaysWhy) {
  Error error;
  run_to_completion(talk_plain_to_a_tls_client(error));
  EXPECT_EQ(error.kind, ErrorKind::unsupported);
  EXPECT_EQ(error.detail, "TLS handshake: wrong version number");
}

Task<void> never_answer_a_tls_client(Error& error) {
  Pair pair = co_await connected_pair();
  const TlsPair tls = tls_pair(true);
  auto info =
      co_await pair.client.start_tls_client(tls.client, "mx.example.jp", in(Milliseconds(2)));
  error = info.error();
}

TEST(StreamTls, AHandshakeEndsAtTheDeadline) {
  Error error;
  run_to_completion(never_answer_a_tls_client(error));
  EXPECT_EQ(error.kind, ErrorKind::timeout);
}

TEST(Tls, RefusesAKeyOfAnotherCertificate) {
  TlsIdentity mixed = make_self_signed({"a.example.jp"}, SystemClock().now());
  mixed.private_key = make_self_signed({"a.example.jp"}, SystemClock().now()).private_key;
  EXPECT_EQ(TlsServerContext::create(mixed).error().kind, ErrorKind::corrupt);
  EXPECT_EQ(TlsServerContext::create({.chain = "x", .private_key = SecretText("y")}).error().kind,
            ErrorKind::corrupt);
  EXPECT_EQ(read_identity("/nonexistent/a.pem", "/nonexistent/b.pem").error().kind,
            ErrorKind::not_found);
}

Task<void> dial_nobody(ErrorKind& got) {
  // A port that was just free: the listener is closed before the dial.
  auto listener = Listener::open(co_await boost::asio::this_coro::executor, kAnyPort).value();
  const Endpoint gone = listener.local();
  listener.close();
  const auto dialled = co_await dial(gone, {}, soon());
  got = dialled.error().kind;
}

TEST(Dialer, RefusedIsClosed) {
  ErrorKind got{};
  run_to_completion(dial_nobody(got));
  EXPECT_EQ(got, ErrorKind::closed);
}

Task<void> dial_from(IpAddress local, Result<Endpoint>& seen) {
  auto listener = Listener::open(co_await boost::asio::this_coro::executor, kAnyPort).value();
  const Endpoint at = listener.local();
  auto dialled = co_await dial(at, {.local_address = local}, soon());
  if (!dialled) {
    seen = fail(dialled.error());
    co_return;
  }
  auto accepted = co_await listener.accept();
  seen = accepted.value().remote();
}

Task<void> dial_without_files(ErrorKind& got) {
  auto listener = Listener::open(co_await boost::asio::this_coro::executor, kAnyPort).value();
  const NoFilesLeft poor;
  const auto dialled = co_await dial(listener.local(), {}, soon());
  got = dialled.error().kind;
}

TEST(Dialer, AWantOfFilesIsToldFromWhatThePeerDoes) {
  ErrorKind got{};
  run_to_completion(dial_without_files(got));
  EXPECT_EQ(got, ErrorKind::unavailable);
}

TEST(NetError, OnlyWhatWeLackOurselvesIsUnavailable) {
  for (const int number : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN}) {
    EXPECT_EQ(errno_to_error("connect", number).kind, ErrorKind::unavailable) << number;
  }
  for (const int number : {ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN}) {
    EXPECT_EQ(errno_to_error("connect", number).kind, ErrorKind::io) << number;
  }
}

TEST(Dialer, SendsFromTheGivenAddress) {
  Result<Endpoint> seen;
  run_to_completion(dial_from(IpAddress::v4({127, 0, 0, 9}), seen));
  EXPECT_EQ(seen.value().address.to_string(), "127.0.0.9");
  run_to_completion(dial_from(IpAddress::v4({192, 0, 2, 1}), seen));
  EXPECT_EQ(seen.error().kind, ErrorKind::invalid_input);
  run_to_completion(dial_from(IpAddress::parse("::1").value(), seen));
  EXPECT_EQ(seen.error().kind, ErrorKind::invalid_input);
}

Task<void> accept_one(Listener& listener, std::optional<Result<Stream>>& accepted) {
  accepted = co_await listener.accept();
}

Task<void> respect_the_maximum() {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto listener = Listener::open(executor, kAnyPort, {.connections_max = 1}).value();
  Stream first;
  Stream second;
  co_await dial_into(listener.local(), first);
  co_await dial_into(listener.local(), second);
  std::optional<Result<Stream>> one;
  co_await accept_one(listener, one);
  EXPECT_EQ(listener.connections_open(), 1U);
  std::optional<Result<Stream>> two;
  async::TaskGroup group(executor);
  group.spawn("accept", accept_one(listener, two));
  co_await async::sleep_for(Milliseconds(2));
  EXPECT_FALSE(two.has_value());
  one->value().close();
  co_await group.wait_empty();
  EXPECT_EQ(two->value().remote(), second.local());
}

Task<void> rest_a_moment() {
  co_await async::sleep_for(Milliseconds(1));
}

Task<void> accept_after_a_want_of_files() {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto listener = Listener::open(executor, kAnyPort).value();
  Stream client;
  co_await dial_into(listener.local(), client);
  std::optional<Result<Stream>> accepted;
  async::TaskGroup group(executor);
  // As NoFilesLeft's line of log: the sanitizer meets what waits in a group while there are files.
  group.spawn("moment", rest_a_moment());
  co_await group.wait_empty();
  {
    const NoFilesLeft poor;
    group.spawn("accept", accept_one(listener, accepted));
    co_await async::sleep_for(Milliseconds(20));
    EXPECT_FALSE(accepted.has_value());
  }
  co_await group.wait_empty();
  EXPECT_EQ(accepted->value().remote(), client.local());
}

TEST(Listener, WaitsWhileThereAreNoFilesAndGoesOn) {
  run_to_completion(accept_after_a_want_of_files());
}

TEST(Listener, AcceptsNoMoreThanItsMaximumAtOnce) {
  run_to_completion(respect_the_maximum());
}

Task<void> echo_once(Stream stream) {
  std::array<char, 64> buffer;
  const auto got = co_await stream.read_some(buffer, soon());
  EXPECT_TRUE(got);
  const auto written = co_await stream.write({buffer.data(), got.value_or(0)}, soon());
  EXPECT_TRUE(written);
}

// Hands every connection to the other thread; there is never more than one at a time.
Task<void> accept_for(async::Executor other, Listener& listener, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    auto stream = co_await listener.accept(other);
    boost::asio::co_spawn(other, echo_once(std::move(stream.value())), boost::asio::detached);
  }
}

Task<void> call_often(Endpoint remote, std::size_t count) {
  std::array<char, 64> buffer;
  for (std::size_t i = 0; i < count; ++i) {
    auto stream = co_await dial(remote, {}, soon());
    const auto written = co_await stream.value().write("hello", soon());
    EXPECT_TRUE(written);
    const auto got = co_await stream.value().read_some(buffer, soon());
    EXPECT_EQ(got.value_or(0), 5U);
  }
}

TEST(Listener, AcceptsForAnotherThreadAndHearsWhenItIsDone) {
  async::Runtime runtime(2);
  auto listener = Listener::open(runtime.executor(0), kAnyPort, {.connections_max = 1}).value();
  runtime.start();
  auto accepting = boost::asio::co_spawn(
      runtime.executor(0), accept_for(runtime.executor(1), listener, 100), boost::asio::use_future);
  run_to_completion(call_often(listener.local(), 100));
  accepting.get();
  runtime.join();
}

Task<void> handshakes(TlsPair tls, int count) {
  for (int i = 0; i < count; ++i) {
    TlsInfo info;
    co_await exchange_and_close(tls, info);
    EXPECT_TRUE(info.verified);
  }
}

TEST(StreamTls, SharesOneContextBetweenThreads) {
  const TlsPair tls = tls_pair(true);
  async::Runtime runtime(2);
  runtime.start();
  std::vector<std::future<void>> done;
  for (std::size_t i = 0; i < 4; ++i) {
    done.push_back(
        boost::asio::co_spawn(runtime.executor(i), handshakes(tls, 10), boost::asio::use_future));
  }
  for (auto& future : done) future.get();
  runtime.join();
}

Task<void> close_below_accept(std::optional<Result<Stream>>& accepted) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto listener = Listener::open(executor, kAnyPort).value();
  async::TaskGroup group(executor);
  group.spawn("accept", accept_one(listener, accepted));
  co_await async::sleep_for(Microseconds(1));
  listener.close();
  co_await group.wait_empty();
}

TEST(Listener, CloseEndsAccept) {
  std::optional<Result<Stream>> accepted;
  run_to_completion(close_below_accept(accepted));
  EXPECT_EQ(accepted.value().error().kind, ErrorKind::closed);
}

Task<void> take_a_taken_port(ErrorKind& got) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto listener = Listener::open(executor, kAnyPort).value();
  got = Listener::open(executor, listener.local()).error().kind;
}

TEST(Listener, ATakenPortIsAConflict) {
  ErrorKind got{};
  run_to_completion(take_a_taken_port(got));
  EXPECT_EQ(got, ErrorKind::conflict);
}

Task<void> talk_over_a_unix_socket(std::string path) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto listener = Listener::open_unix(executor, path).value();
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  auto client = co_await dial_unix(path, soon());
  auto server = co_await listener.accept();
  co_await transfer(client.value(), server.value());
  EXPECT_EQ(Listener::open_unix(executor, path).error().kind, ErrorKind::conflict);
}

TEST(Listener, ServesAPrivateUnixSocketAndReplacesAStaleOne) {
  const std::string path = testing::TempDir() + "net_test_" + std::to_string(::getpid()) + ".sock";
  run_to_completion(talk_over_a_unix_socket(path));
  EXPECT_FALSE(std::filesystem::exists(path));
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un un{.sun_family = AF_UNIX};
  path.copy(static_cast<char*>(un.sun_path), path.size());
  ASSERT_EQ(::bind(stale, reinterpret_cast<const sockaddr*>(&un), sizeof un), 0);
  ::close(stale);
  run_to_completion(talk_over_a_unix_socket(path));
}

Task<void> know_who_connects(std::string path) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto listener = Listener::open_unix(executor, path, {.unix_mode = 0666}).value();
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0666));
  const auto client = co_await dial_unix(path, soon());
  const auto server = co_await listener.accept();
  EXPECT_EQ(server.value().peer_user(), ::geteuid());
  EXPECT_EQ(client.value().peer_user(), ::geteuid());
  EXPECT_EQ(Stream().peer_user(), std::nullopt);
  auto tcp = Listener::open(executor, Endpoint::parse("127.0.0.1:0").value()).value();
  const auto far = co_await dial(tcp.local(), {}, soon());
  EXPECT_EQ(far.value().peer_user(), std::nullopt);
}

TEST(Listener, AUnixSocketForEverybodyTellsWhoConnects) {
  run_to_completion(know_who_connects(testing::TempDir() + "net_test_users_" +
                                      std::to_string(::getpid()) + ".sock"));
}

Task<void> replace_a_unix_socket(std::string path) {
  const auto executor = co_await boost::asio::this_coro::executor;
  auto first = Listener::open_unix(executor, path).value();
  ::unlink(path.c_str());
  const auto second = Listener::open_unix(executor, path).value();
  first.close();
  auto client = co_await dial_unix(path, soon());
  EXPECT_TRUE(client.has_value()) << "the other one's socket is still there";
}

TEST(Listener, LeavesTheUnixSocketOfAnotherAlone) {
  const std::string path = testing::TempDir() + "todoku-stream-test-replaced.sock";
  ::unlink(path.c_str());
  run_to_completion(replace_a_unix_socket(path));
  struct stat status{};
  EXPECT_NE(::lstat(path.c_str(), &status), 0) << "its own it takes away";
}

Task<void> nobody_at_a_unix_path(ErrorKind& got) {
  const auto dialled = co_await dial_unix("/nonexistent/socket", soon());
  got = dialled.error().kind;
}

TEST(Dialer, AMissingUnixSocketIsNotFound) {
  ErrorKind got{};
  run_to_completion(nobody_at_a_unix_path(got));
  EXPECT_EQ(got, ErrorKind::not_found);
}

}  // namespace
}  // namespace todoku::net
