// SPDX-License-Identifier: Apache-2.0
// Reads the TXT records at "_mta-sts.<domain>" (RFC 8461 section 3.1): that there is a policy, and
// by its id whether it has changed.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace todoku::mailauth::mta_sts {

// Why the records say nothing: the domain has no MTA-STS then (section 3.1, last paragraph).
enum class NoRecord : std::uint8_t {
  absent,   // none begins with "v=STSv1;"
  several,  // more than one does
  broken,   // one does, and is not in its form
};
[[nodiscard]] std::string_view to_string(NoRecord why);

inline constexpr std::size_t kIdOctetsMax = 32;
// A longer record is broken: what is in ours is an id and fields that nobody has defined yet.
inline constexpr std::size_t kRecordOctetsMax = 4'096;

// The id, 1 to 32 letters and digits. `texts`: one for each record, its strings joined.
[[nodiscard]] std::expected<std::string, NoRecord> policy_id(std::span<const std::string> texts);

}  // namespace todoku::mailauth::mta_sts
