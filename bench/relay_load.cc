// SPDX-License-Identifier: Apache-2.0
// Hands in mail by SMTP over connections that stay, and tells how long the answers took; the load
// of the benchmark `relay`. One thread; what of the machine goes to it is told.
//
//   todoku_relay_load --port P --connections N --seconds S [--user U --password W] [--tls]
//     [--mails N] [--rate R] [--octets N] [--sender ADDRESS] [--domain NAME] [--first N] [--opening
//     N] [--hold]
//     [--untimed]
//
// Every connection logs in once (without --user: not at all) before time is taken; then mail goes
// as a good client sends it, in one flight where the server offers PIPELINING and CHUNKING. Without
// a rate a connection sends again as soon as it has its answer. With one, mails are due at even
// intervals whatever the answers do, and an answer's time counts from when its mail was due.
// --mails ends it after so many instead. --hold: logs in, says how many connections are open, and
// sends nothing until its standard input ends. Every mail goes to t<number>@DOMAIN; its subject
// holds the time of sending in milliseconds, for `latency_header` of `todoku sink`.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "async/runtime.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/bytes.h"
#include "base/check.h"
#include "net/dialer.h"
#include "net/tls.h"
#include "smtp/protocol/client_session.h"
#include "smtp/protocol/reply_parser.h"
#include "support/measure.h"

namespace todoku {
namespace {

const SystemClock kClock;
constexpr Milliseconds kPatience = std::chrono::minutes(5);
constexpr std::string_view kHelloName = "client.example.jp";

struct Options {
  std::uint16_t port = 0;
  std::string user;
  std::string password;
  bool tls = false;
  std::size_t connections = 20;
  double seconds = 5;
  std::uint64_t mails = std::numeric_limits<std::uint64_t>::max();
  double rate = 0;  // mails/s; 0: as fast as answers come
  std::size_t octets = 2048;
  std::string sender = "shop@plain.example";
  std::string domain = "one.example";
  std::uint64_t first = 0;                                        // number of the first recipient
  std::size_t opening = std::numeric_limits<std::size_t>::max();  // connections that log in at once
  bool hold = false;
  bool untimed = false;
};

SteadyInstant soon() {
  return kClock.steady_now() + kPatience;
}

// A connection until it is logged in: answers are read one at a time.
class Introduction {
 public:
  explicit Introduction(net::Stream stream) : stream_(std::move(stream)) {}

  [[nodiscard]] Task<void> expect(int code) {
    std::string_view rest;
    for (smtp::ReplyParser parser;;) {
      if (must(parser.take(rest))) {
        if (parser.reply().code != code) {
          fmt::print(stderr, "{}, not {}: {}\n", parser.reply().code, code, parser.reply().text);
          std::exit(1);
        }
        check(rest.empty(), "a server says nothing that it is not asked");
        co_return;
      }
      const auto got = co_await stream_.read_some(buffer_, soon());
      rest = {buffer_.data(), must(got)};
      check(!rest.empty(), "the server stays");
    }
  }
  [[nodiscard]] Task<void> say(std::string line, int code) {
    line += "\r\n";
    const auto written = co_await stream_.write(line, soon());
    must(written);
    co_await expect(code);
  }
  [[nodiscard]] net::Stream& stream() { return stream_; }

 private:
  net::Stream stream_;
  std::array<char, 4096> buffer_;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options) {
    constexpr std::string_view line =
        "A line of the text, which is as long as such lines are wont.";
    while (body_.size() < options.octets) body_.append(line).append("\r\n");
    if (options.tls) tls_ = must(net::TlsClientContext::create({.sessions_max = 0}));
  }

  [[nodiscard]] Task<void> run() {
    const async::Executor executor = co_await boost::asio::this_coro::executor;
    async::TaskGroup tasks(executor);
    logged_in_ = std::make_unique<async::Signal>(executor);
    go_ = std::make_unique<async::Signal>(executor);
    const SteadyInstant login_began = kClock.steady_now();
    for (std::size_t i = 0; i < options_.connections; ++i) {
      while (i - open_ >= options_.opening) co_await logged_in_->wait();
      tasks.spawn("connection", converse());
    }
    while (open_ < options_.connections) co_await logged_in_->wait();
    login_seconds_ = seconds_since(login_began);
    if (options_.hold) {
      print_line("open", static_cast<double>(open_), "connections");
      print_line("login_seconds", login_seconds_, "s");
      std::fflush(stdout);
      char octet = 0;
      while (::read(STDIN_FILENO, &octet, 1) > 0) continue;
      end_ = kClock.steady_now();
    } else {
      begun_ = kClock.steady_now();
      end_ = begun_ + microseconds_of(options_.seconds);
    }
    const double cpu = cpu_seconds();
    go_->notify();
    co_await tasks.wait_empty();
    if (!options_.hold) print((cpu_seconds() - cpu) / seconds_since(begun_));
  }

 private:
  static double seconds_since(SteadyInstant began) {
    return std::chrono::duration<double>(kClock.steady_now() - began).count();
  }
  static Microseconds microseconds_of(double seconds) {
    return std::chrono::duration_cast<Microseconds>(std::chrono::duration<double>(seconds));
  }
  static double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }
  static void print_line(std::string_view name, double value, std::string_view unit) {
    fmt::print("{}\t{:.6g}\t{}\n", name, value, unit);
  }

  [[nodiscard]] Task<void> converse() {
    const net::Endpoint remote{net::IpAddress::v4({127, 0, 0, 1}), options_.port};
    auto dialled = co_await net::dial(remote, {}, soon());
    auto introduction = std::make_unique<Introduction>(must(std::move(dialled)));
    co_await log_in(*introduction);
    ++open_;
    logged_in_->notify();
    co_await go_->wait();
    net::Stream stream = std::move(introduction->stream());
    introduction.reset();
    // The session begins here: it has its greeting, and says EHLO once more.
    smtp::ClientSession session(
        {.hello_name = std::string(kHelloName), .tls = {.mode = TlsMode::never}});
    session.received("220 greeted\r\n");
    co_await drive(session, stream);
    while (const auto due = next_due()) {
      while (kClock.steady_now() < *due) co_await async::sleep_for(*due - kClock.steady_now());
      co_await send_one(session, stream, options_.rate > 0 ? *due : kClock.steady_now());
    }
    session.quit();
    co_await drive(session, stream);
  }

  [[nodiscard]] Task<void> log_in(Introduction& introduction) {
    const std::string hello = fmt::format("EHLO {}", kHelloName);
    co_await introduction.expect(220);
    co_await introduction.say(hello, 250);
    if (options_.tls) {
      co_await introduction.say("STARTTLS", 220);
      const auto secured =
          co_await introduction.stream().start_tls_client(tls_, "relay.example.jp", soon());
      must(secured);
      co_await introduction.say(hello, 250);
    }
    if (options_.user.empty()) co_return;
    const std::string plain =
        std::string(1, '\0') + options_.user + std::string(1, '\0') + options_.password;
    co_await introduction.say("AUTH PLAIN " + to_base64(plain), 235);
  }

  // When the next mail is due; nullopt: none is.
  [[nodiscard]] std::optional<SteadyInstant> next_due() {
    const SteadyInstant now = kClock.steady_now();
    const SteadyInstant due =
        options_.rate > 0 ? begun_ + microseconds_of(static_cast<double>(sent_) / options_.rate)
                          : now;
    if (due >= end_ || sent_ >= options_.mails) return std::nullopt;
    ++sent_;
    return due;
  }

  [[nodiscard]] Task<void> send_one(smtp::ClientSession& session, net::Stream& stream,
                                    SteadyInstant due) {
    const std::string to = fmt::format("t{}@{}", options_.first + number_++, options_.domain);
    const auto now = std::chrono::duration_cast<Milliseconds>(kClock.now().time_since_epoch());
    const std::string head = fmt::format(
        "From: <{}>\r\nTo: <{}>\r\nSubject: Order {}\r\n"
        "Date: Sun, 29 Nov 2026 09:00:00 +0900\r\nMessage-ID: <{}@client.example.jp>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
        options_.sender, to, options_.untimed ? 0 : now.count(), to);
    const auto envelope = must(smtp::ClientEnvelope::make(options_.sender, {to}));
    const std::array<std::string_view, 2> pieces = {head, body_};
    smtp::MessageView message = smtp::view_of(pieces);
    message.may_have_leading_dot = false;
    session.send(envelope, message);
    co_await drive(session, stream);
    check(session.step() == smtp::ClientSession::Step::rest, "the server keeps connections open");
    last_answer_ = kClock.steady_now();
    const smtp::RecipientResult& result = session.results().front();
    if (result.accepted()) {
      latencies_.push_back(std::chrono::duration<double, std::milli>(last_answer_ - due).count());
    } else if (refused_++ == 0) {
      fmt::print(stderr, "refused: {} {}\n", result.reply.code, result.reply.text);
    }
  }

  [[nodiscard]] Task<void> drive(smtp::ClientSession& session, net::Stream& stream) {
    using Step = smtp::ClientSession::Step;
    for (std::array<char, 1024> buffer;;) {
      if (session.step() == Step::write) {
        const auto written = co_await stream.write(session.output(), soon());
        must(written);
        session.written();
      } else if (session.step() == Step::read) {
        const auto got = co_await stream.read_some(buffer, soon());
        session.received({buffer.data(), must(got)});
        check(*got > 0, "the server answers");
      } else {
        co_return;
      }
    }
  }

  void print(double cpu) {
    std::ranges::sort(latencies_);
    const auto count = static_cast<double>(latencies_.size());
    const double seconds = std::chrono::duration<double>(last_answer_ - begun_).count();
    print_line("accepted", count, "mails");
    print_line("refused", static_cast<double>(refused_), "mails");
    print_line("rate", count / seconds, "mails/s");
    print_line("seconds", seconds, "s");
    print_line("p50", percentile(0.50), "ms");
    print_line("p99", percentile(0.99), "ms");
    print_line("max", percentile(1.0), "ms");
    print_line("client_cpu", cpu, "cores");
    print_line("login_seconds", login_seconds_, "s");
  }
  [[nodiscard]] double percentile(double share) const {
    if (latencies_.empty()) return 0;
    const auto at = static_cast<std::size_t>(static_cast<double>(latencies_.size()) * share);
    return latencies_[std::min(at, latencies_.size() - 1)];
  }

  const Options& options_;
  std::string body_;
  std::shared_ptr<net::TlsClientContext> tls_;
  std::unique_ptr<async::Signal> logged_in_;
  std::unique_ptr<async::Signal> go_;
  std::size_t open_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t refused_ = 0;
  std::vector<double> latencies_;  // milliseconds, of the accepted
  double login_seconds_ = 0;
  SteadyInstant begun_{};
  SteadyInstant end_{};
  SteadyInstant last_answer_{};
};

}  // namespace
}  // namespace todoku

int main(int argc, char** argv) {
  todoku::Options options;
  CLI::App app("Hands in mail by SMTP and tells how long the answers took");
  app.add_option("--port", options.port)->required();
  app.add_option("--user", options.user);
  app.add_option("--password", options.password);
  app.add_flag("--tls", options.tls);
  app.add_option("--connections", options.connections);
  app.add_option("--seconds", options.seconds);
  app.add_option("--mails", options.mails);
  app.add_option("--rate", options.rate);
  app.add_option("--octets", options.octets);
  app.add_option("--sender", options.sender);
  app.add_option("--domain", options.domain);
  app.add_option("--first", options.first);
  app.add_option("--opening", options.opening);
  app.add_flag("--hold", options.hold);
  app.add_flag("--untimed", options.untimed);
  CLI11_PARSE(app, argc, argv);
  todoku::Load load(options);
  todoku::async::run_to_completion(load.run());
  return 0;
}
