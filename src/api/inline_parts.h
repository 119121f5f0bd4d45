// SPDX-License-Identifier: Apache-2.0
// Parts that html_part shows by their ids, as JSON brings them (in a form they are parts named
// "inline", form.h).
#pragma once

#include <optional>
#include <vector>

#include "api/api.h"
#include "api/fields.h"
#include "intake/limits.h"

namespace todoku::api {

// [{content_id, file_name?, mime, content in base64}]; nullopt if it was not given.
[[nodiscard]] std::optional<std::vector<Attachment>> read_inline_parts(
    const Fields& fields, const intake::Limits& limits);

// Of a draft that was changed: says in a header what of its parts and html_part does not fit
// together. Where it cannot be read nothing is said.
Task<void> warn_of_changed_parts(Api& api, Call& call, store::PublicId id);

}  // namespace todoku::api
