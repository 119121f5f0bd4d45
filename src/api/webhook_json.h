// SPDX-License-Identifier: Apache-2.0
// Endpoints of webhooks and their calls, as their owners see them.
#pragma once

#include "events/endpoints/registry.h"
#include "http/json.h"

namespace todoku::api {

// The members of one endpoint; the brackets are the caller's.
void write_webhook(http::JsonWriter& json, const events::endpoints::EndpointView& view);

// An object. `with_bodies`: also the beginnings of what was sent and answered.
void write_webhook_call(http::JsonWriter& json, const events::webhooks::RecentCall& call,
                        bool with_bodies);

}  // namespace todoku::api
