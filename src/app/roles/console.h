// SPDX-License-Identifier: Apache-2.0
// What the role `api` opens for people: the console's listener, which is an origin of its own.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/api.h"
#include "app/people_house.h"
#include "app/roles/farewell.h"
#include "app/roles/ground.h"
#include "app/running.h"
#include "async/task_group.h"
#include "console/console.h"
#include "net/endpoint.h"
#include "operate/operations.h"

namespace todoku::app::roles {

class ConsoleListener {
 public:
  // As the role is made; everything given outlives it. console.listen is configured.
  ConsoleListener(const Ground& ground, api::Api& api, operate::Operations& operations,
                  PeopleHouse& house);

  // As the role's. After stop() and until leave() everybody is told to come again.
  [[nodiscard]] Result<void> start();
  void stop(Milliseconds grace);
  void leave() { farewell_.leave(); }

  // "https://console.example.jp"; empty: it does not listen. From any thread.
  [[nodiscard]] std::string url() const;

 private:
  [[nodiscard]] console::Console::Ground console_ground(operate::Operations& operations);
  [[nodiscard]] http::Router router(api::Api& api);
  [[nodiscard]] http::ServerOptions server_options();
  [[nodiscard]] Task<void> answer_resets();

  const Ground& ground_;
  PeopleHouse& house_;
  console::Console console_;
  const std::unique_ptr<http::Server> server_;
  Farewell farewell_;
  async::TaskGroup tasks_;
  mutable std::mutex mutex_;
  std::optional<net::Endpoint> endpoint_;
};

}  // namespace todoku::app::roles
