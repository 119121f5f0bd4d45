// SPDX-License-Identifier: Apache-2.0
// HOLD: a process whose store was served under other names (operate/cluster_names.h) has not
// entered it, accepts nothing and sends nothing. It says so: 503 with the reason at the API and
// /readyz, a line in the log every minute, `todoku status` at the admin socket. It goes on by
// itself when `todoku cluster adopt` has given the store its names, here or from elsewhere. A store
// that is behind the journal (events/journal) is such another one, until that was folded in and
// what it does not prove was released or ended.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "operate/cluster_names.h"
#include "store/store.h"

namespace todoku::app {

// The names of a process of this configuration.
[[nodiscard]] operate::ClusterNames cluster_names(const config::Config& config);

// Whether such a process would not stand in HOLD on a store that is only peeked into; `setting`
// reads one of it. Errors: conflict (it would; the sentence says why), those of `setting`.
[[nodiscard]] Result<void> check_names(const config::Config& config,
                                       const operate::ReadSetting& setting);

class Hold {
 public:
  struct Options {
    const config::Config& config;
    const Clock& clock;
    store::Store& store;
    std::function<bool()> given_up;     // empty: never
    std::function<void()> drain_asked;  // as in Engine::Options
  };

  explicit Hold(const Options& options) : options_(options), here_(cluster_names(options.config)) {}

  // Returns at once where there is no need to hold; else when there is none any more, and the doors
  // that were opened meanwhile are closed again. cancelled: the start was given up.
  [[nodiscard]] Result<void> wait();

 private:
  class Doors;
  [[nodiscard]] Result<std::vector<operate::OtherName>> others() const;

  const Options options_;
  const operate::ClusterNames here_;
};

}  // namespace todoku::app
