// SPDX-License-Identifier: Apache-2.0
#include "api/idempotency.h"

#include <string>

#include "base/bytes.h"
#include "base/digest.h"
#include "mail/idempotency_key.h"

namespace todoku::api {

KeyOfRequest key_of_request(const Call& call, store::KeyedRoute route) {
  const http::Headers& headers = call.request.headers;
  const std::size_t count = headers.count(kIdempotencyKeyHeader);
  if (count == 0) return std::nullopt;
  const std::string_view value = headers.get(kIdempotencyKeyHeader);
  if (count > 1 || !is_idempotency_key(value)) {
    intake::Problems problems;
    problems.add({std::string(kIdempotencyKeyHeader)},
                 intake::texts::invalid_key(kIdempotencyKeyMax));
    return std::unexpected(invalid(problems, call.language));
  }
  return store::IdempotencyKey{call.account.key, route, sha256(value)};
}

store::IdempotencyKey key_of_mail(const store::IdempotencyKey& batch, std::size_t place) {
  return {batch.account, store::KeyedRoute::mail_of_batch,
          sha256(std::string(as_text(batch.hash)) + std::to_string(place))};
}

http::Response done_response(const Call& call, const intake::Answer<intake::Made>& made,
                             store::PublicId id) {
  if (!made) return refused(made.error(), call.language);
  auto response = id_response(200, "delivery_id", id);
  if (made->replayed) response.headers.set(kReplayedHeader, "true");
  return response;
}

http::Response made_response(const Call& call, const intake::Answer<intake::Made>& made, int status,
                             std::string_view name) {
  if (!made) return refused(made.error(), call.language);
  auto response = id_response(status, name, made->answer);
  if (made->replayed) response.headers.set(kReplayedHeader, "true");
  return response;
}

}  // namespace todoku::api
