// SPDX-License-Identifier: Apache-2.0
// The sink as a process: its threads, its signals, its report.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <thread>

#include "async/run_blocking.h"
#include "async/runtime.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/metrics.h"
#include "dns/unbound_resolver.h"
#include "sink/command.h"
#include "sink/sink.h"

namespace todoku::sink {
namespace {

int cannot_start(const Error& error) {
  log::error("sink cannot start", {{"reason", error.detail}});
  return 1;
}

std::uint64_t fresh_seed() {
  std::uint64_t seed = 0;
  std::memcpy(&seed, random_octets(sizeof seed).data(), sizeof seed);
  // Short enough to be typed, and an integer in every JSON reader.
  return seed % 1'000'000'000 + 1;
}

// The signals that the sink lives by, blocked in this thread and in those that it starts.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void print_report(const Sink& sink) {
  const std::string json = to_json(sink.report());
  std::fwrite(json.data(), 1, json.size(), stdout);
  std::fflush(stdout);
}

void write_files(const Sink& sink) {
  if (const auto written = sink.write_files(); !written) {
    log::warning("report not written", {{"reason", written.error().detail}});
  }
}

void announce(const Options& options, const Sink& sink) {
  for (std::size_t i = 0; i < options.receivers.size(); ++i) {
    for (const net::Endpoint& at : sink.endpoints(i)) {
      log::info("sink listens",
                {{"receiver", options.receivers[i].name}, {"address", at.to_string()}});
    }
  }
  log::info("sink started", {{"seed", options.seed}});
}

// Returns when the process is asked to end.
void play(const Sink& sink, bool has_report_file, const sigset_t& signals) {
  for (;;) {
    constexpr timespec second{.tv_sec = 1, .tv_nsec = 0};
    const int signal = sigtimedwait(&signals, nullptr, &second);
    if (signal == SIGTERM || signal == SIGINT) return;
    write_files(sink);
    if (signal == SIGUSR1 && !has_report_file) print_report(sink);
  }
}

Result<std::shared_ptr<dns::UnboundResolver>> make_resolver(const DkimOptions& dkim,
                                                            async::Executor executor,
                                                            const Clock& clock, Metrics& metrics) {
  if (dkim.sample <= 0 || dkim.dns_server.empty()) return nullptr;
  const auto server = net::Endpoint::parse(dkim.dns_server, 53);
  if (!server) return fail("dkim.dns_server", server.error());
  auto resolver = dns::UnboundResolver::create({.servers = {*server}, .sockets = 1024}, executor,
                                               clock, metrics);
  if (!resolver) return fail(resolver.error());
  return std::shared_ptr<dns::UnboundResolver>(std::move(*resolver));
}

}  // namespace

int run_sink(Options options) {
  if (options.seed == 0) options.seed = fresh_seed();
  // Half of the processors: the other half is for whoever sends.
  if (options.threads == 0) options.threads = std::max(1U, std::thread::hardware_concurrency() / 2);
  const DkimOptions& dkim = options.dkim;
  if (dkim.sample > 0 && dkim.keys_file.empty() && dkim.dns_server.empty()) {
    return cannot_start(
        {ErrorKind::invalid_input, "DKIM verification needs a key file or a name server"});
  }
  const sigset_t signals = block_signals();
  const SystemClock clock;
  Metrics metrics;
  async::Runtime runtime(options.threads);
  runtime.start();
  auto resolver = make_resolver(dkim, runtime.executor(0), clock, metrics);
  if (!resolver) return cannot_start(resolver.error());
  auto sink = Sink::create(options, clock, *resolver);
  if (!sink) return cannot_start(sink.error());
  if (const auto started = (*sink)->start(runtime); !started) return cannot_start(started.error());
  announce(options, **sink);
  write_files(**sink);
  play(**sink, !options.report_file.empty(), signals);
  (*sink)->stop();
  if (*resolver) async::run_blocking(runtime.executor(0), (*resolver)->stop());
  write_files(**sink);
  if (options.report_file.empty()) print_report(**sink);
  return 0;
}

}  // namespace todoku::sink
