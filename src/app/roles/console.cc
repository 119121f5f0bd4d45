// SPDX-License-Identifier: Apache-2.0
#include "app/roles/console.h"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "app/host_check.h"
#include "app/module_options.h"
#include "app/version.h"
#include "async/timer.h"

namespace todoku::app::roles {
namespace {

using namespace std::chrono_literals;

constexpr Microseconds kLookForResetsEvery = 1s;
constexpr std::size_t kConsoleFarewellsMax = 16;

// Account rows are read with who is signed in.
Task<Result<ChangeWatch::Take>> forget_people(PeopleHouse& house) {
  co_return ChangeWatch::Take([&house]() -> Result<void> {
    house.people().forget();
    return {};
  });
}

console::Gate gate_of(const Ground& ground) {
  const config::Config::Console& console = ground.config.console;
  return {console.public_url, !console.tls_certificate_file.empty(),
          ground.box.derive("tokens of the console against forged requests")};
}

}  // namespace

ConsoleListener::ConsoleListener(const Ground& ground, api::Api& api,
                                 operate::Operations& operations, PeopleHouse& house)
    : ground_(ground),
      house_(house),
      console_(console_ground(operations), gate_of(ground)),
      server_(make_server(ground, "console", router(api), server_options())),
      farewell_(ground),
      tasks_(ground.runtime.executor(0)) {
  ground.changes.follow(store::Topic::accounts, [&house] { return forget_people(house); });
}

console::Console::Ground ConsoleListener::console_ground(operate::Operations& operations) {
  return {.people = house_.people(),
          .operations = operations,
          .assets = console::embedded_assets(),
          .version = std::string(version()),
          .trusted_proxies = api_options(ground_.config).trusted_proxies,
          .closed_account = ground_.config.console.mail_account,
          .provisioning_account = ground_.config.api.provisioning_account};
}

http::Router ConsoleListener::router(api::Api& api) {
  http::Router router;
  api.add_routes(router, &console_);
  console_.add_routes(router);
  return router;
}

http::ServerOptions ConsoleListener::server_options() {
  http::ServerOptions options = console_server_options(ground_.config);
  options.failure_responder = [this](const http::Failure& failure, const http::Request& request) {
    return console_.failure_response(failure, request);
  };
  return options;
}

Result<void> ConsoleListener::start() {
  const config::Config::Console& given = ground_.config.console;
  const auto tls = console_tls(given);
  if (!tls) return fail(tls.error());
  auto listening = ground_.wait_for(server_->listen(*net::Endpoint::parse(given.listen), *tls));
  if (!listening) return fail("console.listen", std::move(listening.error()));
  house_.listens_at(fmt::format("{}://{}", given.tls_certificate_file.empty() ? "http" : "https",
                                listening->to_string()));
  boost::asio::post(ground_.runtime.executor(0),
                    [this] { tasks_.spawn("resets of passwords", answer_resets()); });
  const std::lock_guard lock(mutex_);
  endpoint_ = *listening;
  return {};
}

Task<void> ConsoleListener::answer_resets() {
  while (true) {
    const bool awake = co_await async::sleep_for(kLookForResetsEvery);
    if (!awake) co_return;
    co_await house_.people().answer_resets();
  }
}

void ConsoleListener::stop(Milliseconds grace) {
  if (grace > 0ms) farewell_.begin(*server_, server_options(), kConsoleFarewellsMax);
  ground_.wait_for(async::run_on(ground_.runtime.executor(0), tasks_.stop()));
  ground_.wait_for(server_->stop(grace));
}

std::string ConsoleListener::url() const {
  const std::lock_guard lock(mutex_);
  return endpoint_ ? house_.public_url() : std::string();
}

}  // namespace todoku::app::roles
