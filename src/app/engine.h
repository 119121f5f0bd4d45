// SPDX-License-Identifier: Apache-2.0
// The engine: every module put together, started and stopped in order. `todoku serve` runs one,
// tests run them in their own process.
//
// Parts are started one after the other and stopped in reverse, so that nothing loses what it
// stands on. To begin with, front doors and delivery begin nothing more, at the same moment; then
// the doors finish what is in hand, then delivery what is in flight, then the store commits the
// last outcomes and closes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "config/config.h"
#include "net/endpoint.h"

namespace todoku::app {

class Engine {
 public:
  struct Options {
    config::LoadedConfig loaded;
    const Clock* clock = nullptr;  // required; must outlive the engine
    bool begin_new = false;        // see StoreHouse::Start
    // Whether a start that waits for somebody is to end; empty: no.
    std::function<bool()> given_up;
    // Somebody asked at the admin socket that the engine drain and stop; called on any thread.
    std::function<void()> drain_asked;
  };

  explicit Engine(Options options);
  // Stops at once what still runs.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Returns when requests are taken. On an error everything is stopped again; the sentence says
  // what to do. Blocks; once.
  [[nodiscard]] Result<void> start();

  // Takes no more work, finishes what is in flight within `grace`, gives the rest back. True if
  // nothing had to be cut off. Blocks; once.
  bool stop(Milliseconds grace);

  // After start():
  [[nodiscard]] std::optional<net::Endpoint> api_endpoint() const;
  [[nodiscard]] std::optional<net::Endpoint> metrics_endpoint() const;
  [[nodiscard]] std::string admin_socket() const;
  [[nodiscard]] Metrics& metrics();
  // ops::Readiness::fatal(). From any thread, until stop() has returned.
  [[nodiscard]] std::string fatal() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace todoku::app
