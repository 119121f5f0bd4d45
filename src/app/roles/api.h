// SPDX-License-Identifier: Apache-2.0
// Role `api`: takes requests.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "api/api.h"
#include "api/pixel.h"
#include "api/unsubscribe.h"
#include "app/message_copies.h"
#include "app/open_recording.h"
#include "app/preflight.h"
#include "app/preflight_names.h"
#include "app/previews.h"
#include "app/roles/console.h"
#include "app/roles/door.h"
#include "app/roles/farewell.h"
#include "app/roles/ground.h"
#include "app/roles/role.h"
#include "app/running.h"
#include "app/use_recording.h"
#include "base/random.h"
#include "events/endpoints/registry.h"
#include "net/endpoint.h"

namespace todoku::app::roles {

class ApiRole final : public Role {
 public:
  // What the same process does besides.
  struct Beside {
    operate::Operations* operations = nullptr;
    PreflightNames* names = nullptr;  // of preflights
    PeopleHouse* people = nullptr;    // nullptr: there is no console
  };
  // Everything given outlives the role.
  ApiRole(const Ground& ground, Door& door, Beside beside);

  [[nodiscard]] std::string_view name() const override { return "api"; }
  [[nodiscard]] Result<void> start() override;
  // From then until leave() health is told at the same address, and all else is answered 503.
  bool stop(SteadyInstant deadline) override { return running_.stop(deadline); }
  void leave() override;
  // Where it is reached.
  void describe(operate::EngineStatus& status) const override;

  // Where it listens, once it does. From any thread.
  [[nodiscard]] std::optional<net::Endpoint> endpoint() const;

 private:
  [[nodiscard]] http::Router router();
  [[nodiscard]] api::Options api_options() const;
  [[nodiscard]] http::ServerOptions server_options();
  [[nodiscard]] http::Router farewell_router();
  [[nodiscard]] Result<void> start_console();

  const Ground& ground_;
  Door& door_;
  ComposedCopies copies_;
  std::optional<ComposedPreflight> preflight_;
  ComposedPreviews previews_;
  SeededRandom random_;
  events::endpoints::Registry endpoints_;
  api::Api api_;
  const OpenTokens open_tokens_;
  events::opens::SeenOpens seen_opens_;
  api::Pixel pixel_;
  api::Unsubscribe unsubscribe_;
  const std::unique_ptr<http::Server> server_;
  Farewell farewell_;
  const std::unique_ptr<ConsoleListener> console_;  // nullptr: there is none
  mutable std::mutex mutex_;
  std::optional<net::Endpoint> endpoint_;
  OpenRecording recording_;
  UseRecording uses_;
  Running running_;
};

}  // namespace todoku::app::roles
