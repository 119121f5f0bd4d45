// SPDX-License-Identifier: Apache-2.0
#include "sink/sink.h"

#include <chrono>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>

#include "async/run_blocking.h"
#include "async/timer.h"
#include "base/check.h"
#include "base/log.h"
#include "net/self_signed.h"
#include "net/tls.h"

namespace todoku::sink {
namespace {

constexpr auto kAcceptPause = std::chrono::milliseconds(100);

// Replaces `path` in one step, so that a reader never sees half of it.
Result<void> replace_file(const std::string& path, const std::string& octets) {
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << octets;
  file.close();
  if (file.fail() || std::rename(fresh.c_str(), path.c_str()) != 0) {
    return fail(ErrorKind::io, "cannot write " + path);
  }
  return {};
}

Result<void> check_addresses(const Options& options) {
  if (options.receivers.empty()) return fail(ErrorKind::invalid_input, "there is no receiver");
  for (const Receiver& receiver : options.receivers) {
    if (receiver.listen.empty()) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("receiver {} has no address to listen on", receiver.name));
    }
    for (const net::Endpoint& at : receiver.listen) {
      if (options.allow_public || at.address.is_loopback()) continue;
      return fail(ErrorKind::invalid_input,
                  fmt::format("{} is not a loopback address: a sink accepts mail for anybody, so "
                              "it is opened to others only with allow_public",
                              at.to_string()));
    }
  }
  return {};
}

net::TlsIdentity make_identity(const Receiver& receiver, Instant now) {
  std::vector<std::string> names = {receiver.protocol.hostname};
  for (const net::Endpoint& at : receiver.listen) names.push_back(at.address.to_string());
  if (receiver.tls == TlsMode::wrong_name) names = {"wrong.name.invalid"};
  const bool expired = receiver.tls == TlsMode::expired;
  return net::make_self_signed(names, expired ? now - std::chrono::days(60) : now,
                               expired ? 30 : 365);
}

}  // namespace

Sink::Sink(Options options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      started_(clock.now()),
      shared_(options_, clock),
      endpoints_(options_.receivers.size()) {
  for (Receiver& receiver : options_.receivers) {
    receiver.protocol.starttls = receiver.tls != TlsMode::none;
    if (!receiver.auth_user.empty()) receiver.protocol.auth_mechanisms = "PLAIN LOGIN";
    receivers_.emplace_back(receiver, shared_);
  }
}

Sink::~Sink() {
  check(!running_, "a sink is stopped before it dies");
}

Result<std::unique_ptr<Sink>> Sink::create(Options options, const Clock& clock,
                                           std::shared_ptr<dns::Resolver> resolver) {
  if (const auto valid = check_addresses(options); !valid) return fail(valid.error());
  auto sink = std::unique_ptr<Sink>(new Sink(std::move(options), clock));
  if (const auto prepared = sink->prepare(std::move(resolver)); !prepared) {
    return fail(prepared.error());
  }
  return sink;
}

Result<void> Sink::prepare(std::shared_ptr<dns::Resolver> resolver) {
  for (ReceiverState& state : receivers_) {
    if (const auto prepared = prepare_tls(state); !prepared) {
      return fail("receiver " + state.receiver.name, prepared.error());
    }
  }
  if (!options_.certificates_file.empty()) {
    const auto written = replace_file(options_.certificates_file, certificates_);
    if (!written) return written;
  }
  if (options_.dkim.sample > 0) {
    std::map<std::string, std::vector<std::string>> keys;
    if (!options_.dkim.keys_file.empty()) {
      auto read = read_key_file(options_.dkim.keys_file);
      if (!read) return fail(read.error());
      keys = std::move(*read);
    }
    shared_.dkim = std::make_unique<DkimCheck>(std::move(keys), std::move(resolver));
  }
  if (!options_.arrival_log_file.empty()) {
    auto opened = ArrivalLog::open(options_.arrival_log_file);
    if (!opened) return fail(opened.error());
    shared_.log = std::move(*opened);
  }
  if (!options_.store_directory.empty()) {
    auto opened = MailFolder::open(options_.store_directory, options_.store_max, started_);
    if (!opened) return fail(opened.error());
    shared_.folder = std::move(*opened);
  }
  return {};
}

Result<void> Sink::prepare_tls(ReceiverState& state) {
  const Receiver& receiver = state.receiver;
  switch (receiver.tls) {
    case TlsMode::none:
    case TlsMode::broken:
    case TlsMode::stalled:
      return {};
    case TlsMode::good:
    case TlsMode::self_signed:
    case TlsMode::expired:
    case TlsMode::wrong_name:
      break;
  }
  net::TlsIdentity identity;
  if (!receiver.certificate_file.empty()) {
    auto read = net::read_identity(receiver.certificate_file, receiver.private_key_file);
    if (!read) return fail(read.error());
    identity = std::move(*read);
  } else {
    identity = make_identity(receiver, started_);
    if (receiver.tls != TlsMode::self_signed) certificates_ += identity.chain;
  }
  auto context = net::TlsServerContext::create(identity);
  if (!context) return fail(context.error());
  state.tls = std::move(*context);
  return {};
}

Result<void> Sink::start(async::Runtime& runtime) {
  check(workers_.empty(), "a sink is started once");
  running_ = true;
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    workers_.push_back(std::make_unique<Worker>(runtime.executor(i), receivers_.size()));
    Worker* worker = workers_.back().get();
    const auto started = async::run_blocking(worker->executor, start_worker(worker));
    if (started) continue;
    stop();
    return started;
  }
  return {};
}

void Sink::stop() {
  if (!std::exchange(running_, false)) return;
  for (const auto& worker : workers_)
    async::run_blocking(worker->executor, stop_worker(worker.get()));
}

Task<Result<void>> Sink::start_worker(Worker* worker) {
  for (std::size_t index = 0; index < receivers_.size(); ++index) {
    const std::vector<net::Endpoint>& wanted = options_.receivers[index].listen;
    std::vector<net::Endpoint>& bound = endpoints_[index];
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      // The first thread settles port 0 for the others.
      const net::Endpoint at = i < bound.size() ? bound[i] : wanted[i];
      auto listener = net::Listener::open(
          worker->executor, at, {.reuse_port = true, .connections_max = options_.connections_max});
      if (!listener) co_return fail(listener.error());
      if (i >= bound.size()) bound.push_back(listener->local());
      worker->listeners.push_back(std::move(*listener));
      worker->tasks.spawn("sink listener", accept_loop(worker, &worker->listeners.back(), index));
    }
  }
  co_return Result<void>();
}

Task<void> Sink::stop_worker(Worker* worker) {
  for (net::Listener& listener : worker->listeners) listener.close();
  co_await worker->tasks.stop();
  worker->listeners.clear();
}

Task<void> Sink::accept_loop(Worker* worker, net::Listener* listener, std::size_t index) {
  for (;;) {
    auto stream = co_await listener->accept();
    if (stream) {
      worker->tasks.spawn("sink connection", serve(worker, index, std::move(*stream)));
      continue;
    }
    if (stream.error().kind != ErrorKind::io) co_return;
    log::warning("accept failed", {{"reason", stream.error().detail}});
    const bool waited = co_await async::sleep_for(kAcceptPause);
    if (!waited) co_return;
  }
}

Task<void> Sink::serve(Worker* worker, std::size_t index, net::Stream stream) {
  Connection connection(shared_, receivers_[index], worker->tally, worker->tally.by_receiver[index],
                        std::move(stream));
  co_await connection.run();
}

Report Sink::report() const {
  Report report{.seed = options_.seed, .started = started_, .written = clock_.now()};
  std::vector<std::uint64_t> latencies(LatencyTally::kBuckets);
  std::uint64_t latency_max = 0;
  for (const auto& worker : workers_) {
    worker->tally.domains.collect(report.domains);
    worker->tally.latency.collect(latencies, latency_max);
  }
  report.latency = summarize(latencies, latency_max);
  for (std::size_t index = 0; index < receivers_.size(); ++index) {
    Counts counts{.connections_open = receivers_[index].open.load(),
                  .connections_peak = receivers_[index].peak.load()};
    for (const auto& worker : workers_) worker->tally.by_receiver[index].collect(counts);
    report.total.add(counts);
    ReceiverReport& receiver = report.receivers[options_.receivers[index].name];
    receiver.counts.add(counts);
    for (const net::Endpoint& at : endpoints_[index]) receiver.listening.push_back(at.to_string());
  }
  return report;
}

Result<void> Sink::write_files() const {
  if (shared_.log) shared_.log->flush();
  if (options_.report_file.empty()) return {};
  return replace_file(options_.report_file, to_json(report()));
}

}  // namespace todoku::sink
