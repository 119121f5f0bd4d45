// SPDX-License-Identifier: Apache-2.0
#include "sim/rival.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sim/heedless_node.h"

namespace todoku::sim {
namespace {

using std::chrono::milliseconds;

constexpr Microseconds kTick = milliseconds(100);
constexpr Microseconds kScheduleEvery = milliseconds(500);
// A connection is cut off within a lease, whatever it does.
constexpr Microseconds kLongestMail = seconds(10);
// How long one that does not look at its clock goes on leading.
constexpr Microseconds kHeedless = seconds(30);

}  // namespace

// ---- hands -------------------------------------------------------------------------------------

void Hands::begin(unsigned run, const std::string& source) {
  std::vector<Mail>& mails = mails_[source];
  for (const Mail& mail : mails) {
    if (mail.run == run || mail.excused) continue;
    trouble_(fmt::format("run {} sends from {} while run {} does", run, source, mail.run));
    break;
  }
  mails.push_back({run});
  ++begun_;
}

void Hands::end(unsigned run, const std::string& source) {
  std::vector<Mail>& mails = mails_[source];
  const auto found = std::ranges::find(mails, run, &Mail::run);
  if (found != mails.end()) mails.erase(found);
}

bool Hands::any(unsigned run, const std::string& source) const {
  const auto found = mails_.find(source);
  return found != mails_.end() && std::ranges::count(found->second, run, &Mail::run) > 0;
}

std::size_t Hands::of(unsigned run) const {
  std::size_t count = 0;
  for (const auto& [source, mails] : mails_) {
    count += static_cast<std::size_t>(std::ranges::count(mails, run, &Mail::run));
  }
  return count;
}

void Hands::cut(unsigned run) {
  for (auto& [source, mails] : mails_) {
    std::erase_if(mails, [&](const Mail& mail) { return mail.run == run; });
  }
}

void Hands::excuse(unsigned run) {
  for (auto& [source, mails] : mails_) {
    for (Mail& mail : mails) mail.excused = mail.excused || mail.run == run;
  }
}

// ---- a process ---------------------------------------------------------------------------------

Rival::Rival(RivalSurroundings s, unsigned run)
    : s_(std::move(s)),
      run_(run),
      random_(s_.seed * 100 + run),
      store_(s_.disk, s_.outside, s_.clock, s_.trace),
      node_(
          make_node(store_, s_.own_clock, s_.name, s_.safeguards, metrics_, runtime_.executor(0))),
      leadership_(store_, *node_, s_.own_clock, metrics_, runtime_.executor(0)),
      keeper_(store_, *node_, keeping(), s_.own_clock, metrics_, runtime_.executor(0)),
      live_(store_, s_.own_clock, runtime_.executor(0)),
      watcher_(store_, *node_, s_.own_clock, metrics_),
      tasks_(runtime_.executor(0)) {
  s_.trace.line("run {} starts as {}", run, s_.name);
}

delivery::SourceKeeper::Options Rival::keeping() const {
  delivery::SourceKeeper::Options options;
  for (const std::string& name : s_.sources) options.sources.push_back({.name = name});
  options.is_here = [this](const delivery::EgressSource& source) {
    return s_.is_here(source.name);
  };
  options.in_use = [this](std::string_view source) {
    return s_.safeguards.handover_waits && s_.hands.any(run_, std::string(source));
  };
  return options;
}

void Rival::start() {
  node_->start();
  leadership_.start();
  keeper_.start();
  live_.start();
  boost::asio::post(runtime_.executor(0), [this] {
    tasks_.spawn("scheduler", schedule());
    for (const std::string& source : s_.sources) tasks_.spawn("sender", send(source));
  });
}

bool Rival::leads() {
  if (stopping_ || dead_) return false;
  const SteadyInstant now = s_.clock.steady_now();
  const bool leads = leadership_.leads();
  if (leads) led_ = now;
  if (s_.safeguards.lapse_respected || led_ == SteadyInstant{}) return leads;
  return now - led_ < kHeedless;
}

std::vector<std::string> Rival::sends_from() const {
  if (stopping_ || dead_ || !node_->holds()) return {};
  return keeper_.owned();
}

Task<void> Rival::schedule() {
  while (true) {
    const bool awake = co_await async::sleep_for(kScheduleEvery);
    if (!awake) co_return;
    if (leads()) (void)co_await watcher_.look();
  }
}

Task<void> Rival::send(std::string source) {
  while (true) {
    const Microseconds pause(random_.below(400'000));
    const bool awake = co_await async::sleep_for(pause);
    if (!awake) co_return;
    if (std::ranges::count(sends_from(), source) == 0) continue;
    const auto most = static_cast<std::uint64_t>(kLongestMail.count());
    co_await mail(source, Microseconds(random_.below(random_.below(4) == 0 ? most : most / 10)));
  }
}

Task<void> Rival::mail(std::string source, Microseconds length) {
  s_.hands.begin(run_, source);
  const SteadyInstant until = s_.clock.steady_now() + length;
  const store::NodeKey as = node_->key();
  bool awake = true;
  // Whoever lost its lease cuts its connections, also if it has entered anew meanwhile.
  while (awake && s_.clock.steady_now() < until && node_->holds() && node_->key() == as) {
    awake = co_await async::sleep_for(kTick);
  }
  s_.hands.end(run_, source);
}

void Rival::die() {
  dead_ = true;
  s_.hands.cut(run_);
  store_.die();
}

Task<void> Rival::end_mails() {
  while (!dead_ && s_.hands.of(run_) > 0) (void)co_await async::sleep_for(kTick);
}

Task<void> Rival::end() {
  stopping_ = true;
  if (s_.safeguards.handover_waits) co_await end_mails();
  co_await keeper_.stop();
  co_await end_mails();
  co_await tasks_.stop();
  co_await leadership_.stop();
  co_await live_.stop();
  co_await node_->stop();
  co_await node_->leave();
}

Task<void> Rival::stop() {
  co_await async::run_on(runtime_.executor(0), end());
  co_await store_.stop();
  runtime_.join();
}

bool Rival::is_over() {
  return runtime_.context(0).stopped();
}

}  // namespace todoku::sim
