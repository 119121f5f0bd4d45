// SPDX-License-Identifier: Apache-2.0
// API keys in the form of Amazon SES's credentials: an access key id, which every request tells,
// and a secret that signs and is never sent (docs/doors.md). They open the door of SES and nothing
// else.
//
// The secret is made of the master key and the id, so that it is stored nowhere: who has the store
// and not the master key can sign nothing. What is stored is the id's hash, in the place of a
// bearer token's, and it is hashed as no token can be.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/secret_box.h"
#include "base/wipe.h"

namespace todoku::access {

// "TDKA" and sixteen letters and digits, as such ids are written.
[[nodiscard]] std::string new_access_key_id();
// Of sixteen octets of somebody's choice.
inline constexpr std::size_t kAccessKeyOctets = 16;
[[nodiscard]] std::string access_key_id_of(std::string_view octets);
// Hexadecimal, for store::NewApiKey::token_sha256.
[[nodiscard]] std::string access_key_hash(std::string_view access_key_id);
// 40 characters of base64.
[[nodiscard]] SecretText secret_access_key(const SecretBox& box, std::string_view access_key_id);

}  // namespace todoku::access
