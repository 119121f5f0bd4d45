// SPDX-License-Identifier: Apache-2.0
// Which of our mails a Message-ID names.
#pragma once

#include <optional>
#include <string_view>

#include "app/vault.h"
#include "store/keys.h"

namespace todoku::app {

// Of a transaction only the delivery is known. nullopt: it is none of ours.
[[nodiscard]] std::optional<store::RecipientKey> copy_named_by(std::string_view message_id,
                                                               const InstanceSecret& secret);

}  // namespace todoku::app
