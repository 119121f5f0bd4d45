// SPDX-License-Identifier: Apache-2.0
#include "app/roles/ground.h"

#include <cstring>
#include <string>

#include "base/digest.h"

namespace todoku::app::roles {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  const std::string octets = random_octets(sizeof seed);
  std::memcpy(&seed, octets.data(), sizeof seed);
  return seed;
}

std::unique_ptr<http::Server> make_server(const Ground& ground, std::string_view name,
                                          http::Router router, http::ServerOptions options) {
  std::vector<async::Executor> executors;
  for (std::size_t i = 0; i < ground.runtime.size(); ++i) {
    executors.push_back(ground.runtime.executor(i));
  }
  options.observer = ops::exchange_counter(ground.metrics, std::string(name));
  ground.metrics
      .gauge("todoku_http_connections_limit", "Connections that may be open at once.",
             {{"server", name}})
      .set(static_cast<double>(options.connections_max));
  auto server = std::make_unique<http::Server>(std::move(executors), ground.clock,
                                               std::move(router), std::move(options));
  ground.collected.add_server(name, *server);
  return server;
}

}  // namespace todoku::app::roles
