// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "base/check.h"

namespace todoku::http {

struct Router::Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> literals;
  std::unique_ptr<Node> variable;
  bool variable_is_id = false;
  std::vector<Route> routes;       // ending here
  std::vector<Route> rest_routes;  // ending here in {name...}
};

namespace {

// Deeper paths than this belong to no route.
constexpr std::size_t kSegmentsMax = 32;

struct Segments {
  std::array<std::string_view, kSegmentsMax> items;
  std::size_t count = 0;
  [[nodiscard]] std::span<const std::string_view> span() const {
    return std::span(items).first(count);
  }
};

// nullopt for a path of more than kSegmentsMax segments.
std::optional<Segments> split_path(std::string_view path) {
  Segments segments;
  if (path.starts_with('/')) path.remove_prefix(1);
  for (;;) {
    if (segments.count == kSegmentsMax) return std::nullopt;
    const std::size_t slash = path.find('/');
    segments.items[segments.count++] = path.substr(0, slash);
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

const Route* route_for(const std::vector<Route>& routes, Method method) {
  const auto of = [&](Method wanted) -> const Route* {
    const auto found = std::ranges::find(routes, wanted, &Route::method);
    return found == routes.end() ? nullptr : &*found;
  };
  const Route* route = of(method);
  return route == nullptr && method == Method::head ? of(Method::get) : route;
}

// The methods of all patterns that a path fits.
struct Allowed {
  std::array<bool, 8> methods{};

  void add(const std::vector<Route>& routes) {
    for (const Route& route : routes) {
      methods[static_cast<std::size_t>(route.method)] = true;
      if (route.method == Method::get) methods[static_cast<std::size_t>(Method::head)] = true;
    }
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (std::size_t i = 0; i < methods.size(); ++i) {
      if (!methods[i]) continue;
      if (!out.empty()) out += ", ";
      out += to_string(static_cast<Method>(i));
    }
    return out;
  }
};

bool is_number(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// A depth-first search: literal before variable before rest. Its depth is at most that of the
// longest pattern.
template <class Node>
struct Search {
  std::span<const std::string_view> segments;
  Method method;
  bool ids_are_numbers = true;
  Allowed allowed;
  std::array<std::size_t, kSegmentsMax> captured{};  // indices into `segments`
  std::size_t captured_count = 0;
  bool rest = false;  // the last captured one stands for all that follow, too

  const Route* descend(const Node& node, std::size_t at) {
    if (at == segments.size()) {
      allowed.add(node.routes);
      return route_for(node.routes, method);
    }
    const std::string_view segment = segments[at];
    for (const auto& [text, child] : node.literals) {
      if (text != segment) continue;
      if (const Route* route = descend(*child, at + 1)) return route;
    }
    const bool no_id = ids_are_numbers && node.variable_is_id && !is_number(segment);
    if (node.variable && !segment.empty() && !no_id) {
      captured[captured_count++] = at;
      if (const Route* route = descend(*node.variable, at + 1)) return route;
      --captured_count;
    }
    return take_rest(node, at);
  }

  const Route* take_rest(const Node& node, std::size_t at) {
    if (node.rest_routes.empty()) return nullptr;
    allowed.add(node.rest_routes);
    const Route* route = route_for(node.rest_routes, method);
    if (route == nullptr) return nullptr;
    captured[captured_count++] = at;
    rest = true;
    return route;
  }

  [[nodiscard]] std::string value(std::size_t index) const {
    const std::size_t at = captured[index];
    std::string text(segments[at]);
    if (!rest || index + 1 != captured_count) return text;
    for (const std::string_view segment : segments.subspan(at + 1)) {
      text.append("/").append(segment);
    }
    return text;
  }
};

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

void Router::add(Method method, std::string_view pattern, RouteOptions options, Handler handler) {
  check(pattern.starts_with('/'), "a route's pattern begins with a slash");
  Node* node = root_.get();
  Route route{.method = method,
              .pattern = std::string(pattern),
              .names = {},
              .options = options,
              .handler = std::move(handler)};
  bool rest = false;
  const auto segments = split_path(pattern);
  check(segments.has_value(), "a route's pattern has few segments");
  for (const std::string_view segment : segments->span()) {
    check(!rest, "nothing follows {name...} in a route's pattern");
    if (!segment.starts_with('{')) {
      auto found = std::ranges::find(node->literals, segment,
                                     [](const auto& literal) { return literal.first; });
      if (found == node->literals.end()) {
        node->literals.emplace_back(segment, std::make_unique<Node>());
        found = std::prev(node->literals.end());
      }
      node = found->second.get();
      continue;
    }
    check(segment.size() > 2 && segment.ends_with('}'), "a variable segment is {name}");
    std::string_view name = segment.substr(1, segment.size() - 2);
    rest = name.ends_with("...");
    if (rest) name.remove_suffix(3);
    route.names.emplace_back(name);
    if (rest) continue;
    if (!node->variable) node->variable = std::make_unique<Node>();
    node->variable_is_id |= name.ends_with("_id");
    node = node->variable.get();
  }
  auto& routes = rest ? node->rest_routes : node->routes;
  check(std::ranges::find(routes, method, &Route::method) == routes.end(),
        "a route is registered once");
  routes.push_back(std::move(route));
}

std::vector<std::string> Router::routes() const {
  std::vector<std::string> found;
  std::vector<const Node*> open{root_.get()};
  while (!open.empty()) {
    const Node& node = *open.back();
    open.pop_back();
    for (const auto* const routes : {&node.routes, &node.rest_routes}) {
      for (const Route& route : *routes) {
        found.push_back(std::string(to_string(route.method)) + " " + route.pattern);
      }
    }
    for (const auto& [segment, below] : node.literals) open.push_back(below.get());
    if (node.variable) open.push_back(node.variable.get());
  }
  return found;
}

Router::Match Router::find(Method method, std::string_view raw_path,
                           PathParameters& parameters) const {
  parameters.clear();
  std::optional<Segments> segments = split_path(raw_path);
  if (!segments) return {};
  std::vector<std::string> decoded;
  if (raw_path.contains('%')) {
    decoded.resize(segments->count);
    for (std::size_t i = 0; i < segments->count; ++i) {
      // Decoding after splitting: an encoded slash is part of its segment.
      auto text = percent_decode(segments->items[i]);
      if (!text) return {.route = nullptr, .status = 400, .allow = {}};
      decoded[i] = std::move(*text);
      segments->items[i] = decoded[i];
    }
  }
  Search<Node> search{.segments = segments->span(), .method = method};
  const Route* route = search.descend(*root_, 0);
  if (route == nullptr && search.allowed.text().empty()) {
    search = {.segments = segments->span(), .method = method, .ids_are_numbers = false};
    route = search.descend(*root_, 0);
  }
  if (route == nullptr) {
    std::string allow = search.allowed.text();
    const int status = allow.empty() ? 404 : 405;
    return {.route = nullptr, .status = status, .allow = std::move(allow)};
  }
  for (std::size_t i = 0; i < route->names.size(); ++i) {
    parameters.add(route->names[i], search.value(i));
  }
  return {.route = route, .status = 200, .allow = {}};
}

}  // namespace todoku::http
