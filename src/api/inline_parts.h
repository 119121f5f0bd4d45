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

// Says in a header what of the parts and html_part does not fit together.
void warn_of_inline_parts(Call& call, const Content& content);

}  // namespace todoku::api
