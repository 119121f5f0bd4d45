// SPDX-License-Identifier: Apache-2.0
#include "ops/emf_reporter.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <poll.h>
#include <unistd.h>

#include "async/runtime.h"
#include "async/timer.h"

namespace todoku::ops {

bool write_whole_line(int file, std::string line) {
  line += '\n';
  if (line.size() > kEmfLineMax) return false;
  // A pipe that can be written to has room for PIPE_BUF octets (pipe(7)), and takes so many whole.
  pollfd ready{.fd = file, .events = POLLOUT, .revents = 0};
  if (::poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) return false;
  return ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

EmfReporter::EmfReporter(Options options, Metrics& metrics, CollectedMetrics& collected,
                         const Clock& clock, async::Executor executor)
    : options_(std::move(options)),
      collected_(collected),
      clock_(clock),
      selection_(metrics),
      lost_total_(metrics.counter("todoku_emf_lines_lost_total",
                                  "Lines of figures that standard output did not take.")),
      executor_(executor),
      tasks_(executor) {}

void EmfReporter::start() {
  boost::asio::post(executor_, [this] { tasks_.spawn("figures", run()); });
}

Task<void> EmfReporter::stop() {
  co_await async::run_on(executor_, tasks_.stop());
}

Task<void> EmfReporter::run() {
  while (true) {
    co_await report();
    const bool awake = co_await async::sleep_for(kEvery);
    if (!awake) co_return;
  }
}

Task<void> EmfReporter::report() {
  co_await collected_.collect();
  selection_.step();
  for (const std::string& role : options_.roles) {
    std::string line = emf_line(options_.name_space, role, clock_.now(), selection_.values(role));
    if (line.empty()) continue;
    if (options_.write(std::move(line))) {
      writing_.worked(clock_.steady_now());
    } else {
      lost_total_.add();
      writing_.failed(clock_.steady_now(), {{"role", role}});
    }
  }
}

}  // namespace todoku::ops
