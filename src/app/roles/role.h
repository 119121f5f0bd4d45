// SPDX-License-Identifier: Apache-2.0
// One thing that a process can do for an installation. A process runs the roles that engine.roles
// names, and each of them works without the others.
//
//   made      reads what it needs, adds its checks and figures to those of the process (ground.h);
//             nothing works yet, and an error is that of its factory
//   started   works
//   stopping  begins nothing new; all roles at the same moment
//   stopped   for good
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "operate/operations.h"

namespace todoku::app::roles {

class Role {
 public:
  virtual ~Role() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  // Returns when it works. Blocks; once. After an error stop() tidies up.
  [[nodiscard]] virtual Result<void> start() = 0;
  // The process stops: begins no more work from now on, so that nothing is begun while another role
  // takes its time. Before stop() of any role, once, also of a role that was never started. Blocks,
  // but waits for nothing that is in hand.
  virtual void begin_stop() {}
  // Takes no more work and finishes what is in hand until the deadline. Blocks. True if nothing had
  // to be cut off. Also for a role that was never started; a second time it does nothing.
  virtual bool stop(SteadyInstant deadline) = 0;
  // All roles have stopped: ends what told others of that meanwhile. Blocks; may be repeated.
  virtual void leave() {}
  // Adds what operators want to know of it. From any thread, from the making on.
  virtual void describe(operate::EngineStatus& status) const { (void)status; }
  // What it knows of the way of a mail that is not over. From any thread.
  [[nodiscard]] virtual std::optional<explain::Way> way_of(const store::Story& story) const {
    (void)story;
    return std::nullopt;
  }
  // The site of a recipients' domain; empty: it knows none. From any thread.
  [[nodiscard]] virtual std::string site_of(std::string_view domain) const {
    (void)domain;
    return {};
  }
  // Whom it lets log in no more; nullptr: nobody logs in there. From any thread.
  [[nodiscard]] virtual operate::Lockouts* lockouts() { return nullptr; }
};

}  // namespace todoku::app::roles
