// SPDX-License-Identifier: Apache-2.0
// What stands in a listener's place while its engine stops: whoever comes is to come again rather
// than to look for a broken machine, and at no moment does nobody listen.
#pragma once

#include <cstddef>
#include <memory>

#include "app/roles/ground.h"
#include "http/router.h"
#include "http/server.h"

namespace todoku::app::roles {

class Farewell {
 public:
  explicit Farewell(const Ground& ground) : ground_(ground) {}

  // From now on `server`, which listens, gets no new connection; it has to be stopped all the same.
  // `options` are its own, by whose failure_responder everybody is answered 503, but for what
  // `others` answers; of connections there are `connections_max` at the most.
  void begin(http::Server& server, http::ServerOptions options, std::size_t connections_max,
             http::Router others = {});
  // Nobody listens any more. Also where it never began.
  void leave();

 private:
  [[nodiscard]] Task<http::Response> answer(const http::Request& request);

  const Ground& ground_;
  http::FailureResponder respond_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace todoku::app::roles
