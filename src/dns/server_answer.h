// SPDX-License-Identifier: Apache-2.0
// From a message of an authoritative server to what it says of a question. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/wire.h"
#include "mailauth/facts/server_answers.h"

namespace todoku::dns {

[[nodiscard]] std::uint16_t wire_type_of(mailauth::FactType type);

// Of an answer that cannot be read, why, in Japanese; what is wrong with the message stays English.
[[nodiscard]] std::string unreadable_in_japanese(std::string_view detail);

// `message` is the answer to `question`. What cannot be read is `failed`.
[[nodiscard]] mailauth::ServerAnswer server_answer(const WireMessage& message,
                                                   const mailauth::DnsQuestion& question);

}  // namespace todoku::dns
