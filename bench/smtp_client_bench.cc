// SPDX-License-Identifier: Apache-2.0
// The bare sending path: unsigned 2 KB mails over 20 connections and 2 threads into Postfix's
// smtp-sink, side by side with Postfix's smtp-source, interleaved, medians of the rounds.
//
//   todoku_smtp_client_bench [--quick]
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "async/runtime.h"
#include "async/timer.h"
#include "base/check.h"
#include "net/listener.h"
#include "smtp/client/connection.h"

extern char** environ;

namespace todoku {
namespace {

constexpr std::size_t kConnections = 20;
constexpr std::size_t kThreads = 2;
const SystemClock kClock;

pid_t start(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  check(failed == 0, "Postfix's programs are installed");
  return pid;
}

net::Endpoint free_endpoint() {
  async::Runtime runtime(1);
  return net::Listener::open(runtime.executor(0), {net::IpAddress::v4({127, 0, 0, 1}), 0})
      .value()
      .local();
}

double seconds_since(SteadyInstant begin) {
  return std::chrono::duration<double>(kClock.steady_now() - begin).count();
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Task<std::unique_ptr<smtp::Connection>> connect(net::Endpoint remote) {
  for (int attempt = 0; attempt < 200; ++attempt) {
    auto opened = co_await smtp::Connection::open(
        {.remote = remote,
         .mx_host = "sink.example.jp",
         .session = {.hello_name = "bench.example.com", .tls = {.mode = TlsMode::never}}},
        kClock);
    if (opened) co_return std::move(*opened);
    co_await async::sleep_for(std::chrono::milliseconds(20));
  }
  check(false, "smtp-sink answers");
  co_return nullptr;
}

Task<void> send_all(net::Endpoint remote, std::size_t mails, std::size_t octets) {
  const auto connection = co_await connect(remote);
  const std::string shared(octets, 'x');
  std::string body;
  for (std::size_t at = 0; at < octets; at += 76) {
    body.append(shared, at, std::min<std::size_t>(76, octets - at)).append("\r\n");
  }
  for (std::size_t i = 0; i < mails; ++i) {
    const std::string address = fmt::format("user{}@example.jp", i);
    const std::string head = fmt::format(
        "From: <bench@example.com>\r\nTo: <{}>\r\nSubject: mail {}\r\n\r\n", address, i);
    const auto envelope = smtp::ClientEnvelope::make("bench@example.com", {address});
    const std::array<std::string_view, 2> pieces = {head, body};
    const auto results = co_await connection->send(*envelope, smtp::view_of(pieces));
    check(results[0].accepted(), "smtp-sink takes everything");
  }
  co_await connection->quit();
}

struct Measure {
  double mails_per_second = 0;
  double cpu_microseconds = 0;  // per mail
};

Measure measure_client(const net::Endpoint& sink, std::size_t mails, std::size_t octets) {
  async::Runtime runtime(kThreads);
  runtime.start();
  const SteadyInstant begin = kClock.steady_now();
  const double cpu_before = cpu_seconds();
  std::vector<std::future<void>> running;
  for (std::size_t i = 0; i < kConnections; ++i) {
    running.push_back(boost::asio::co_spawn(runtime.executor(i),
                                            send_all(sink, mails / kConnections, octets),
                                            boost::asio::use_future));
  }
  for (auto& future : running) future.get();
  const auto sent = static_cast<double>(mails / kConnections * kConnections);
  const Measure measure{sent / seconds_since(begin), (cpu_seconds() - cpu_before) / sent * 1e6};
  runtime.join();
  return measure;
}

Measure measure_source(const net::Endpoint& sink, std::size_t mails, std::size_t octets) {
  const SteadyInstant begin = kClock.steady_now();
  const pid_t pid = start({"/usr/sbin/smtp-source", "-d", "-s", std::to_string(kConnections), "-l",
                           std::to_string(octets), "-m", std::to_string(mails), "-f",
                           "bench@example.com", "-t", "user@example.jp", sink.to_string()});
  int status = 0;
  rusage usage{};
  wait4(pid, &status, 0, &usage);
  check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "smtp-source sent everything");
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
  return {static_cast<double>(mails) / seconds_since(begin),
          cpu / static_cast<double>(mails) * 1e6};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void print(std::string_view name, double value, std::string_view unit) {
  fmt::print("{}\t{:.2f}\t{}\n", name, value, unit);
}

void run(std::size_t mails, std::size_t octets, std::size_t rounds, const std::string& suffix) {
  const net::Endpoint at = free_endpoint();
  std::vector<std::string> sink = {"/usr/sbin/smtp-sink"};
  if (getuid() == 0) sink.insert(sink.end(), {"-u", "postfix"});
  sink.insert(sink.end(), {at.to_string(), "128"});
  const pid_t pid = start(sink);
  measure_client(at, kConnections, octets);  // waits until the sink is there
  std::vector<double> client;
  std::vector<double> client_cpu;
  std::vector<double> source;
  std::vector<double> source_cpu;
  for (std::size_t round = 0; round < rounds; ++round) {
    const Measure ours = measure_client(at, mails, octets);
    client.push_back(ours.mails_per_second);
    client_cpu.push_back(ours.cpu_microseconds);
    const Measure theirs = measure_source(at, mails, octets);
    source.push_back(theirs.mails_per_second);
    source_cpu.push_back(theirs.cpu_microseconds);
  }
  kill(pid, SIGTERM);
  waitpid(pid, nullptr, 0);
  print("smtp_client_" + suffix, median(client), "mails/s");
  print("smtp_client_" + suffix + "_cpu", median(client_cpu), "us/mail");
  print("smtp_source_" + suffix, median(source), "mails/s");
  print("smtp_source_" + suffix + "_cpu", median(source_cpu), "us/mail");
  print("smtp_client_" + suffix + "_vs_smtp_source", median(client) / median(source), "ratio");
}

}  // namespace
}  // namespace todoku

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string_view(argv[1]) == "--quick";
  todoku::run(quick ? 20'000 : 200'000, 2'048, quick ? 3 : 5, "2k");
  todoku::run(quick ? 2'000 : 20'000, 102'400, quick ? 3 : 5, "100k");
  return 0;
}
