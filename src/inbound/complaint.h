// SPDX-License-Identifier: Apache-2.0
// Whose mail a complaint encloses, where it did not come to the return path itself: providers send
// theirs to the one address that a sender has registered with them (RFC 5965).
#pragma once

#include <optional>
#include <string_view>

#include "inbound/options.h"
#include "mail/recipient_token.h"

namespace todoku::inbound {

// By the return path that the report names (Original-Mail-From) or the mail in it has
// (Return-Path). nullopt: there is none of ours.
[[nodiscard]] std::optional<RecipientToken> mail_complained_of(std::string_view octets,
                                                               const InboundOptions& options,
                                                               std::string_view secret);

}  // namespace todoku::inbound
