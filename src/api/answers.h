// SPDX-License-Identifier: Apache-2.0
// How answers look on the wire: the contract's error bodies in the caller's language
// (blastengine-api.md section 1.8) and the statuses of section 1.7.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "http/json.h"
#include "http/message.h"
#include "intake/problem.h"
#include "mail/attached.h"

namespace todoku::api {

// Which of Japanese and English an Accept-Language header (RFC 9110 section 12.5.4) prefers, the
// first of equals; English without one.
[[nodiscard]] Language language_of(std::string_view accept_language);

// {"error_messages": {...}}: general problems under "main", the others nested by their path, list
// positions as keys that are decimal strings. Under "main" also: how many there are beyond those.
[[nodiscard]] std::string error_body(const intake::Problems& problems, Language language);

// The same as a member of an object that is being written.
void add_error_messages(http::JsonWriter& json, const intake::Problems& problems,
                        Language language);

// The status of a refusal:
//   invalid_input 400 · conflict 400 · limit_exceeded 400 · not_found 404 · unauthorized 423
//   (account locked) · an idempotency key in use 409 · a limit in time 429 · everything temporary
//   503
[[nodiscard]] int status_of(const intake::Refusal& refusal);
// The response to it.
[[nodiscard]] http::Response refused(const intake::Refusal& refusal, Language language);
[[nodiscard]] http::Response refused(int status, const intake::Text& text, Language language);

// 400.
[[nodiscard]] http::Response invalid(const intake::Problems& problems, Language language);

// Container-level failures (no route, wrong method, unreadable request): shaped like Spring Boot's
// default error object, and with the reason under "main" of error_messages, too: clients take an
// answer without them for success (blastengine-api.md sections 6.2 to 6.10). The first one fits
// http::FailureResponder and says less in Japanese: of a status, not of a reason.
[[nodiscard]] http::Response container_failure(const http::Failure& failure,
                                               const http::Request& request);
[[nodiscard]] http::Response container_failure(int status, const intake::Text& reason,
                                               const http::Request& request);

// How many recipients of an update or an import were folded into an earlier one with the same
// address; of an import that runs, so far. Absent: none.
inline constexpr std::string_view kFoldedHeader = "X-Todoku-Folded-Duplicates";
// Members of the request's JSON that nobody read (api/members.h).
inline constexpr std::string_view kUnknownHeader = "X-Todoku-Unknown-Fields";

// The Message-ID of the mail, in angle brackets, as all its copies have it.
inline constexpr std::string_view kMessageIdHeader = "X-Todoku-Message-ID";

// Members of the answer that are empty because the key lacks the scope `content`.
inline constexpr std::string_view kWithheldHeader = "X-Todoku-Withheld";

// Of a 429: which limit it is (store::AccountLimits).
// Retry-After of a request whose key another one is being carried out for.
inline constexpr std::string_view kInProgressSeconds = "1";
inline constexpr std::string_view kLimitHeader = "X-Todoku-Limit";
// Its headers, of a limit in time.
void say_when_free(http::Response& response, std::chrono::seconds free_in, std::string_view limit);

// Something that is accepted and will not stay so.
inline constexpr std::string_view kWarningHeader = "X-Todoku-Warning";

// A member that is null where there is nothing to tell.
// What a sender has attached to a recipient (mail/attached.h), where it has: the contract's answers
// have no such members.
void attached_members(http::JsonWriter& json, const Attached& attached);
void text_or_null(http::JsonWriter& json, std::string_view name, std::string_view text);
void date_or_null(http::JsonWriter& json, std::string_view name, std::optional<Instant> instant);

// {"<name>": id}
[[nodiscard]] http::Response id_response(int status, std::string_view name, std::int64_t id);

}  // namespace todoku::api
