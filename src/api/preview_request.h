// SPDX-License-Identifier: Apache-2.0
// What is to be shown or judged before it is sent (docs/preview.md): a delivery as it is stored, or
// as the body of the request would have it, or that body alone.
#pragma once

#include <expected>
#include <optional>

#include "api/api.h"
#include "api/previews.h"
#include "async/task.h"
#include "http/message.h"
#include "store/keys.h"

namespace todoku::api {

// The body is that of an update of this delivery, or of the beginning of a bulk where there is
// none, and says besides whom the mail is for: `email` (also in the query) and `insert_code`. What
// would be refused there is refused here, in the same words.
[[nodiscard]] Task<std::expected<PreviewWish, http::Response>> read_preview(
    Api& api, Call& call, std::optional<store::PublicId> delivery);

}  // namespace todoku::api
