// SPDX-License-Identifier: Apache-2.0
// The header Idempotency-Key, read in one place for all that create or commit (docs/adr/0019).
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string_view>

#include "api/api.h"
#include "intake/repeats.h"

namespace todoku::api {

inline constexpr std::string_view kIdempotencyKeyHeader = "Idempotency-Key";
// "true": the request was carried out before, and this is the answer that it got.
inline constexpr std::string_view kReplayedHeader = "Idempotency-Replayed";

// What names a request, if anything does; else the response that says what is wrong with the
// header.
using KeyOfRequest = std::expected<std::optional<store::IdempotencyKey>, http::Response>;
[[nodiscard]] KeyOfRequest key_of_request(const Call& call, store::KeyedRoute route);

// The key of one mail of a batch that has this one.
[[nodiscard]] store::IdempotencyKey key_of_mail(const store::IdempotencyKey& batch,
                                                std::size_t place);

// {"<name>": id} with what tells a repeat from the first; or the refusal.
[[nodiscard]] http::Response made_response(const Call& call,
                                           const intake::Answer<intake::Made>& made, int status,
                                           std::string_view name);
// The same where the answer's id is the one that the request named.
[[nodiscard]] http::Response done_response(const Call& call,
                                           const intake::Answer<intake::Made>& made,
                                           store::PublicId id);

}  // namespace todoku::api
