// SPDX-License-Identifier: Apache-2.0
// Measures cases, each on networks of several round trips.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "link.h"

namespace todoku::pg_sketch {

struct Options {
  std::uint16_t port = 0;
  std::string user;
  bool quick = false;
  [[nodiscard]] int rounds() const { return quick ? 1 : 3; }
  [[nodiscard]] double seconds() const { return quick ? 0.15 : 0.6; }  // a round
  [[nodiscard]] std::vector<int> latencies() const {                   // microseconds
    return quick ? std::vector{0, 2'000} : std::vector{0, 500, 2'000};
  }
};

// One worker of a case: does some items and says how many. `ready` is not counted.
struct Worker {
  std::function<void()> ready = [] {};
  std::function<std::int64_t(Link&)> run;
};

class Bench {
 public:
  explicit Bench(const Options& options);

  [[nodiscard]] Link& direct() { return direct_; }  // past the proxy
  [[nodiscard]] std::unique_ptr<Link> another() const;
  [[nodiscard]] const Options& options() const { return options_; }

  // The median of several rounds, printed and kept for the table. Workers are made anew for each
  // network; each has a link of its own.
  void measure(std::string_view name, std::string_view unit, bool singly,
               const std::function<std::vector<Worker>()>& make);
  void print_table() const;

 private:
  struct Figures {
    double rate = 0;
    double trips = 0;       // for an item
    double statements = 0;  // in a flight
  };
  struct Line {
    std::string name;
    std::string unit;
    std::vector<Figures> by_latency;
  };
  using Links = std::vector<std::unique_ptr<Link>>;

  [[nodiscard]] std::string conninfo(std::uint16_t port) const;
  // Items done and the seconds of it, of the longest worker.
  std::pair<double, double> one_round(std::vector<Worker>& workers, Links& links);

  Options options_;
  Link direct_;
  std::vector<Line> lines_;
};

}  // namespace todoku::pg_sketch
