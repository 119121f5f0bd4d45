// SPDX-License-Identifier: Apache-2.0
// Names of hosts that look as if a provider had made them for all its lines: receivers give mail
// from such a host little trust. A judgement by looks, with what it goes by.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace todoku::mailauth {

// One clause that names the sign, such as "holds the address 192.0.2.4" or "holds \"dhcp\"";
// nullopt: the name looks like a server's own. `name`: A-labels; `address`: 4 or 16 octets in
// network order, empty where there is none to compare with.
[[nodiscard]] std::optional<std::string> generic_sign(std::string_view name,
                                                      std::string_view address);

}  // namespace todoku::mailauth
