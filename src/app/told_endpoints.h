// SPDX-License-Identifier: Apache-2.0
// Endpoints of webhooks (events/endpoints) as a process has them: what they stand on.
#pragma once

#include "app/roles/ground.h"
#include "events/endpoints/dispatcher.h"
#include "events/endpoints/registry.h"

namespace todoku::app {

// Tells this process's share of them; of the runtime's first thread. `random` lives as long.
[[nodiscard]] events::endpoints::Ground endpoints_ground(const roles::Ground& ground,
                                                         Random& random);

// What their owners do with them.
[[nodiscard]] events::endpoints::Registry::Parts registry_parts(const roles::Ground& ground);

}  // namespace todoku::app
