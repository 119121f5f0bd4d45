// SPDX-License-Identifier: Apache-2.0
// How the console's own routes answer: in the API's shape where something is refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "console/console.h"
#include "http/json.h"
#include "http/message.h"
#include "people/people.h"

namespace todoku::console {

[[nodiscard]] http::Response refused(const Refusal& refusal, Language language);
// 400, 401, 403, 404, 409, 429 with Retry-After, 503.
[[nodiscard]] http::Response refused(const people::Refusal& refusal, const Asked& asked);
[[nodiscard]] http::Response refused(int status, std::string_view en, std::string_view ja,
                                     const Asked& asked);

// What a page has to know of who is signed in; of one that is half only that. `token`: what belongs
// to the cookie.
[[nodiscard]] http::Response session(const Asked& asked, const people::SignedIn& who,
                                     std::string_view token);
// The same after a sign-in was made or rotated, with its cookie.
[[nodiscard]] http::Response opened(const Asked& asked, const people::Opened& opened);
void set_cookie(const Asked& asked, const people::Opened& opened, http::Response& response);

// Of whom and for which account a request is, as pages send it (kAsHeader): "17/shop", "3/" of
// an operator who acts for none.
[[nodiscard]] std::string acting_as(const people::SignedIn& who);
// `said`: what the header says; empty: nothing. 409: the page that sent this was made for somebody
// else, or for another account. nullopt: it is right.
[[nodiscard]] std::optional<Refusal> otherwise_than(std::string_view said,
                                                    const people::SignedIn& who);
// The browser has one cookie: what was open by the one before is of no more use to anybody. Of
// nullptr, of one that is half, which ends by itself, and of one that has ended it does nothing.
[[nodiscard]] Task<people::Answer<void>> end_earlier(people::People& people, people::Who before,
                                                     people::Visitor visitor);

// "2026-04-01T00:00:00Z", or null.
void instant_or_null(http::JsonWriter& json, std::string_view name,
                     const std::optional<Instant>& instant);
[[nodiscard]] http::Response nothing();  // 204

// Of what failed below, in both languages where people/refusal.h has it in both.
[[nodiscard]] http::Response refused(Error error, const Asked& asked);
// Why the route is closed to who asks; nullopt: it is open. `is_for_owners`: to owners and to
// operators, else to operators alone.
[[nodiscard]] std::optional<http::Response> closed_to(const Asked& asked, bool is_for_owners);
// Who they are below HTTP, with what they hold.
[[nodiscard]] operate::Granter granter(const Asked& asked);

// Why somebody who is signed in may do nothing yet; nullopt: he may.
[[nodiscard]] std::optional<Refusal> not_whole(const people::SignedIn& who);

}  // namespace todoku::console
