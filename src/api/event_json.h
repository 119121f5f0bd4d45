// SPDX-License-Identifier: Apache-2.0
// An event as readers get it: by GET /events, on a stream, and by webhooks.
#pragma once

#include "http/json.h"
#include "store/events.h"

namespace todoku::api {

// One object. The keys of each class of kinds are always the same.
void write_event(http::JsonWriter& json, const store::EventRecord& event);

}  // namespace todoku::api
