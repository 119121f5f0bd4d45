// SPDX-License-Identifier: Apache-2.0
// How answers look on the wire: the contract's error bodies in the caller's language
// (blastengine-api.md section 1.8) and the statuses of section 1.7.
#pragma once

#include <string_view>

#include "http/message.h"
#include "intake/problem.h"

namespace todoku::api {

enum class Language : std::uint8_t { en, ja };

// The first of ja and en in an Accept-Language header; English without one.
[[nodiscard]] Language language_of(std::string_view accept_language);

// {"error_messages": {...}}: general problems under "main", the others nested by their path, list
// positions as keys that are decimal strings.
[[nodiscard]] std::string error_body(const intake::Problems& problems, Language language);

// The response to a refusal:
//   invalid_input 400 · conflict 400 · limit_exceeded 400 · not_found 404 · unauthorized 423
//   (account locked) · everything temporary 503 with Retry-After
[[nodiscard]] http::Response refused(const intake::Refusal& refusal, Language language);
[[nodiscard]] http::Response refused(int status, const intake::Text& text, Language language);

// Container-level failures (no route, wrong method, unreadable request): shaped like Spring Boot's
// default error object. Fits http::FailureResponder.
[[nodiscard]] http::Response container_failure(const http::Failure& failure,
                                               const http::Request& request);

// {"<name>": id}
[[nodiscard]] http::Response id_response(int status, std::string_view name, std::int64_t id);

}  // namespace todoku::api
