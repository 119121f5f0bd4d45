// SPDX-License-Identifier: Apache-2.0
// Where the link of List-Unsubscribe leads (RFC 8058; docs/adr/0031). Public: what it may do is in
// the link. Only the body that RFC 8058 section 3.2 names, or a button of our own page, changes
// anything, so that programs that open every link of a mail unsubscribe nobody.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/unsubscribe_page.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/token_seal.h"
#include "http/router.h"
#include "intake/opt_outs.h"
#include "mail/unsubscribe_token.h"

namespace todoku::api {

// Below the public URL, before the token.
inline constexpr std::string_view kUnsubscribePath = "/unsubscribe/";

class Unsubscribe {
 public:
  // Of a page whose buttons are pressed, and of an opt-out that is taken back.
  static constexpr Milliseconds kFormLasts = std::chrono::hours(24);
  static constexpr Milliseconds kTakenBackWithin = std::chrono::hours(1);

  // `secret`: the installation's. All given outlives it, and it the router.
  Unsubscribe(std::span<const std::uint8_t, 16> secret, store::Store& store, const Clock& clock,
              Metrics& metrics);

  // GET shows a page, POST does it.
  void add_routes(http::Router& router);

 private:
  enum class Act : std::uint8_t {
    leave_list = 1,
    leave_all = 2,
    take_back_list = 3,
    take_back_all = 4
  };
  // What a button of the page sends.
  struct Form {
    Act act = Act::leave_all;
    Instant made{};  // to the second
  };
  [[nodiscard]] static bool takes_back(Act act) {
    return act == Act::take_back_list || act == Act::take_back_all;
  }

  Task<http::Response> show(http::Request& request);
  Task<http::Response> take(http::Request& request, http::Body& body);
  Task<http::Response> leave(const http::Request& request, UnsubscribeToken token, Act act,
                             bool is_one_click);
  Task<http::Response> take_back(const http::Request& request, UnsubscribeToken token, Form form);
  Task<http::Response> finish(const http::Request& request, const UnsubscribeToken& token,
                              UnsubscribePage page);
  // What was left before is said to be, with the button that takes it back while that may be.
  Task<UnsubscribePage> with_what_is_left(UnsubscribePage page, UnsubscribeToken token,
                                          std::string link);
  // With when what it is about was done, and of which link.
  [[nodiscard]] std::string form_for(Act act, std::string_view link, Instant made) const;
  [[nodiscard]] std::optional<Form> read_form(std::string_view form, std::string_view link) const;
  [[nodiscard]] UnsubscribePage page_for(UnsubscribePage::Says says,
                                         const UnsubscribeToken& token) const;

  const UnsubscribeTokens tokens_;
  const TokenSeal forms_;
  intake::OptOuts opt_outs_;
  const Clock& clock_;
  Counter& one_click_;
  Counter& by_page_;
  Counter& repeated_;
  Counter& taken_back_;
  Counter& foreign_;
  Counter& failed_;
};

}  // namespace todoku::api
