// SPDX-License-Identifier: Apache-2.0
#include "measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "data.h"
#include "proxy.h"

namespace todoku::pg_sketch {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::pair<std::uint64_t, std::uint64_t> totals(const std::vector<std::unique_ptr<Link>>& links) {
  std::pair<std::uint64_t, std::uint64_t> sum;
  for (const auto& link : links) {
    sum.first += link->flights();
    sum.second += link->statements();
  }
  return sum;
}

}  // namespace

Bench::Bench(const Options& options) : options_(options), direct_(conninfo(options.port)) {}

std::unique_ptr<Link> Bench::another() const {
  return std::make_unique<Link>(conninfo(options_.port));
}

std::string Bench::conninfo(std::uint16_t port) const {
  return fmt::format(
      "host=127.0.0.1 port={} user={} dbname=postgres sslmode=disable"
      " gssencmode=disable options='-c client_min_messages=warning -c jit=off'",
      port, options_.user);
}

std::pair<double, double> Bench::one_round(std::vector<Worker>& workers, Links& links) {
  std::atomic<std::int64_t> items{0};
  std::vector<double> seconds(workers.size());
  const auto run = [&](std::size_t i) {
    while (seconds[i] < options_.seconds()) {
      workers[i].ready();
      const auto began = Clock::now();
      items += workers[i].run(*links[i]);
      seconds[i] += Seconds(Clock::now() - began).count();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < workers.size(); ++i) threads.emplace_back(run, i);
  run(0);
  for (auto& thread : threads) thread.join();
  return {static_cast<double>(items.load()), *std::ranges::max_element(seconds)};
}

void Bench::measure(std::string_view name, std::string_view unit, bool singly,
                    const std::function<std::vector<Worker>()>& make) {
  Line& line = lines_.emplace_back(Line{std::string(name), std::string(unit), {}});
  for (const int latency : options_.latencies()) {
    Proxy proxy(options_.port, std::chrono::microseconds(latency));
    std::vector<std::unique_ptr<Link>> links;
    std::vector<Worker> workers = make();
    // Else the server makes one when it has written enough, in the middle of some case.
    must(direct_, "CHECKPOINT");
    for (std::size_t i = 0; i < workers.size(); ++i) {
      links.push_back(std::make_unique<Link>(conninfo(proxy.port())));
      links.back()->set_singly(singly);
    }
    if (!singly) {
      // Prepares its statements.
      workers[0].ready();
      workers[0].run(*links[0]);
    }
    std::vector<double> rates;
    std::vector<double> trips;
    std::vector<double> statements;
    for (int round = 0; round < options_.rounds(); ++round) {
      const auto trips_before = proxy.round_trips();
      const auto [flights_before, statements_before] = totals(links);
      const auto [items, seconds] = one_round(workers, links);
      const auto [flights, done] = totals(links);
      rates.push_back(items / seconds);
      trips.push_back(static_cast<double>(proxy.round_trips() - trips_before) / items);
      statements.push_back(static_cast<double>(done - statements_before) /
                           static_cast<double>(flights - flights_before));
    }
    line.by_latency.push_back({median(rates), median(trips), median(statements)});
    const auto& figures = line.by_latency.back();
    fmt::print("{}_{}us\t{:.0f}\t{}\n{}_{}us_round_trips\t{:.4g}\tfor one\n", name, latency,
               figures.rate, unit, name, latency, figures.trips);
    std::fflush(stdout);
  }
}

void Bench::print_table() const {
  fmt::print(stderr, "\n{:<28}{:>12}", "", "unit");
  for (const int latency : options_.latencies()) fmt::print(stderr, "{:>10.1f} ms", latency / 1e3);
  fmt::print(stderr, "{:>14}{:>14}\n", "trips/item", "stmts/flight");
  for (const Line& line : lines_) {
    fmt::print(stderr, "{:<28}{:>12}", line.name, line.unit);
    for (const Figures& figures : line.by_latency) fmt::print(stderr, "{:>13.0f}", figures.rate);
    fmt::print(stderr, "{:>14.4g}{:>14.3g}\n", line.by_latency.back().trips,
               line.by_latency.back().statements);
  }
}

}  // namespace todoku::pg_sketch
