// SPDX-License-Identifier: Apache-2.0
// Who loads the image that tells of an opening, told by what the request says of itself. A table,
// and where each line of it is known from (docs/adr/0025).
#pragma once

#include <string_view>

#include "store/event_sheet.h"

namespace todoku::events::opens {

// `purpose`: of the header Sec-Purpose, or of the older Purpose, X-Purpose and X-Moz.
[[nodiscard]] store::OpenedBy opened_by(std::string_view user_agent, std::string_view purpose);

}  // namespace todoku::events::opens
