// SPDX-License-Identifier: Apache-2.0
#include "app/roles/farewell.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace todoku::app::roles {

using namespace std::chrono_literals;

void Farewell::begin(http::Server& server, http::ServerOptions options, std::size_t connections_max,
                     http::Router others) {
  respond_ = options.failure_responder;
  using http::Method;
  for (const Method method : {Method::get, Method::post, Method::put, Method::patch,
                              Method::delete_, Method::options, Method::other}) {
    // After the head: no body is wanted.
    others.add(method, "/{path...}", {.streaming = true},
               [this](http::Request& request, http::Body&) { return answer(request); });
  }
  options.connections_max = std::min(options.connections_max, connections_max);
  server_ = std::make_unique<http::Server>(std::vector{ground_.runtime.executor(0)}, ground_.clock,
                                           std::move(others), options);
  ground_.wait_for(server.hand_over(*server_));
}

Task<http::Response> Farewell::answer(const http::Request& request) {
  co_return respond_({503, "the engine is stopping, come back in a moment"}, request);
}

void Farewell::leave() {
  if (server_) ground_.wait_for(server_->stop(0ms));
  server_.reset();
}

}  // namespace todoku::app::roles
