// SPDX-License-Identifier: Apache-2.0
// What became of many mails, as JSON.
//
//   {"text", "delivery"?: {...}, "site"?, "since"?, "until"?, "more",
//    "sites": [{"site", "ended", "delivered"}],
//    "causes": [{"site", "state", "cause", "mails", "share"?, "meaning", "action", "whose",
//                "sample"?: {"account", "delivery_id", "email_id", "email", "at", "answer"}}]}
//
// `share`: of those who ended at this receiver, from 0 to 1; not of answers for later.
#pragma once

#include <string>

#include "base/bilingual.h"
#include "operate/operations.h"

namespace todoku::api::admin {

[[nodiscard]] std::string causes_json(const operate::ExplainedCauses& told, Language language);

}  // namespace todoku::api::admin
