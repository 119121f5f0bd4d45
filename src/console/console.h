// SPDX-License-Identifier: Apache-2.0
// The console's origin: its files, the routes of its own (docs/console.md), and the public API for
// who is signed in. What a browser may do there is judged by the gate (gate.h), who somebody is and
// what he may do with others by people/.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/usher.h"
#include "base/bilingual.h"
#include "console/assets.h"
#include "console/gate.h"
#include "http/message.h"
#include "http/router.h"
#include "net/network.h"
#include "operate/calls/given.h"
#include "operate/operations.h"
#include "people/people.h"

namespace todoku::console {

inline constexpr std::string_view kBase = "/console/v1";

// Of Ground::closed_account.
inline constexpr Sentence kClosed{
    "this account sends the links by which others sign in: nobody looks into it.",
    "このアカウントはサインイン用のリンクを送るためのもので、内容は誰も見られません。"};

class Console;

// One request at a route of the console's own.
struct Asked {
  Console& console;
  const http::Request& request;
  operate::Given given;
  people::Visitor visitor;
  Language language = Language::english;
  std::string cookie;  // empty: none
  people::Who who;     // nullptr where nobody is signed in, as the route allows

  [[nodiscard]] std::optional<std::string> text_if_given(std::string_view name) const {
    if (given.find(name) == nullptr) return std::nullopt;
    return given.text(name);
  }
};

struct RouteOf {
  http::Method method;
  Wanted wanted;
  bool needs_sign_in;
  const operate::Call* call;
  Task<http::Response> (*work)(Asked);
  // looks: pages ask it again and again by themselves, which keeps nobody from being idle.
  people::People::Use use = people::People::Use::counts;
};

class Console final : public api::Usher {
 public:
  // All of it outlives the console.
  struct Ground {
    people::People& people;
    operate::Operations& operations;
    std::span<const Asset> assets;  // empty: this build has no pages
    std::string version;
    // Whose word counts for who a request came from (http/forwarded.h).
    std::vector<net::Network> trusted_proxies = {};
    // Which nobody acts for: links by which others sign in are in its mails. Empty: there is none.
    std::string closed_account = {};
    // Whose keys with `admin` manage all accounts (api.provisioning_account): its owners are people
    // of one account, and make none of those. Empty: there is none.
    std::string provisioning_account = {};
  };
  Console(Ground ground, Gate gate) : ground_(std::move(ground)), gate_(std::move(gate)) {}

  // All but the public API, which is added with this as its usher. The console must outlive the
  // router.
  void add_routes(http::Router& router);
  // The answer to a request that no route answers; an http::FailureResponder.
  [[nodiscard]] http::Response failure_response(const http::Failure& failure,
                                                const http::Request& request) const;

  // The Usher of the public API.
  [[nodiscard]] std::expected<std::string, Denial> judge(const http::Request& request) override;
  [[nodiscard]] Task<std::expected<api::Visitor, Denial>> admit(std::string authorization,
                                                                net::IpAddress from,
                                                                Moment moment) override;
  void finish(const http::Request& request, http::Response& response) override;

  // For the routes.
  [[nodiscard]] people::People& people() { return ground_.people; }
  [[nodiscard]] operate::Operations& operations() { return ground_.operations; }
  [[nodiscard]] const Gate& gate() const { return gate_; }
  [[nodiscard]] const std::string& version() const { return ground_.version; }
  [[nodiscard]] const std::string& closed_account() const { return ground_.closed_account; }
  // What they may give a key.
  [[nodiscard]] store::Scopes grantable(const people::SignedIn& who) const;

 private:
  Task<http::Response> serve(const http::Request& request, http::Body& body, const RouteOf& route);
  Task<http::Response> answer(const http::Request& request, http::Body& body, const RouteOf& route);
  [[nodiscard]] Task<http::Response> page(const http::Request& request) const;
  [[nodiscard]] people::Visitor visitor_of(const http::Request& request) const;

  const Ground ground_;
  const Gate gate_;
};

// One per file of routes.
[[nodiscard]] std::span<const RouteOf> session_routes();
[[nodiscard]] std::span<const RouteOf> own_routes();
[[nodiscard]] std::span<const RouteOf> link_routes();
[[nodiscard]] std::span<const RouteOf> people_routes();
[[nodiscard]] std::span<const RouteOf> text_routes();
[[nodiscard]] std::span<const RouteOf> record_routes();
[[nodiscard]] std::span<const RouteOf> key_routes();
[[nodiscard]] std::span<const RouteOf> operator_routes();

}  // namespace todoku::console
