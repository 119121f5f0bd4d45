// SPDX-License-Identifier: Apache-2.0
// What was found in mails before they are sent (doctor/preflight.h), as the API tells it.
#pragma once

#include <span>

#include "base/bilingual.h"
#include "base/result.h"
#include "doctor/finding.h"
#include "http/json.h"
#include "http/message.h"

namespace todoku::api {

// The member `findings` of an object that is being written. Without content their texts are empty.
void add_findings(http::JsonWriter& json, std::span<const doctor::Finding> findings,
                  bool with_content, Language language);

// The answer where no mail could be composed to be looked at.
[[nodiscard]] http::Response not_composed(const Error& error, Language language);

}  // namespace todoku::api
