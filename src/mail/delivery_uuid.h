// SPDX-License-Identifier: Apache-2.0
// The name of a delivery for clients of services that want a UUID of each mail: what the doors
// answer (docs/doors.md) and what webhooks in those services' forms tell.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace todoku {

// Of its public id. In the layout of version 4 (RFC 9562 section 5.4), and not random: unique
// within its account.
[[nodiscard]] inline std::string delivery_uuid(std::int64_t delivery) {
  return fmt::format("00000000-0000-4000-8000-{:012x}", delivery);
}

}  // namespace todoku
