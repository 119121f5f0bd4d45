// SPDX-License-Identifier: Apache-2.0
// Which handler answers a method and a path. Patterns are literal segments, `{name}` for one
// segment and, last only, `{name...}` for all that follow. A literal wins over a variable, whatever
// the order of registration; one that leads nowhere is taken back. `{..._id}` takes anything but a
// number only where the path would be unknown otherwise: the handler then knows no such thing. A
// path whose form exists with other methods only is answered with 405 and these.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace todoku::http {

// Runs on the connection's executor; both arguments live until the task is done.
using Handler = std::function<Task<Response>(Request&, Body&)>;

struct RouteOptions {
  std::size_t body_max = std::size_t{1} << 20U;  // octets; more is answered with 413
  // False: the handler starts when the whole body is here, in Body::text(). True: it starts after
  // the head and reads for itself.
  bool streaming = false;
  // The handler expands a body that is compressed as gzip; elsewhere that is for callers to refuse.
  bool gzip = false;
  // The body holds secrets: no octet of it stays in the server's memory when the request is done.
  bool wiped = false;
};

struct Route {
  Method method;
  std::string pattern;  // for metrics and logs: bounded in number, unlike paths
  std::vector<std::string> names;
  RouteOptions options;
  Handler handler;
};

class Router {
 public:
  struct Match {
    const Route* route = nullptr;
    int status = 404;   // 200, 404, 405; 400 for a path that cannot be decoded
    std::string allow;  // with 405: the methods that the path knows, as the Allow header says them
  };

  Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  // Aborts on a malformed pattern and on a method and pattern that are already there.
  void add(Method method, std::string_view pattern, RouteOptions options, Handler handler);
  void add(Method method, std::string_view pattern, Handler handler) {
    add(method, pattern, RouteOptions(), std::move(handler));
  }

  // `raw_path` as in Request::raw_path. HEAD is answered by GET's route if it has none of its own.
  // Fills `parameters` with the decoded variable segments; a variable never matches an empty one.
  [[nodiscard]] Match find(Method method, std::string_view raw_path,
                           PathParameters& parameters) const;

  // Each route as "GET /healthz", in no particular order.
  [[nodiscard]] std::vector<std::string> routes() const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace todoku::http
