// SPDX-License-Identifier: Apache-2.0
// What an address at our own domains is for. There are no mailboxes: what is none of these is
// refused before any content comes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "inbound/options.h"
#include "mail/address.h"
#include "mail/recipient_token.h"

namespace todoku::inbound {

struct Addressee {
  enum class Kind : std::uint8_t {
    return_path,  // of `token`
    unsubscribe,  // by the token in the subject (RFC 2369 section 3.2)
    reports,      // DMARC and TLS reports
    people,       // abuse@ and postmaster@ (RFC 2142; RFC 5321 section 4.5.1)
  };
  Kind kind = Kind::return_path;
  RecipientToken token;
};

// `secret`: by which the tokens were made. nullopt: nobody is there.
[[nodiscard]] std::optional<Addressee> addressee_of(const Address& address,
                                                    const InboundOptions& options,
                                                    std::string_view secret);

// The token of a return path as it is written in fields: "<b...@bounce.example.jp>". nullopt: it is
// none of ours.
[[nodiscard]] std::optional<RecipientToken> return_path_in(std::string_view text,
                                                           const InboundOptions& options,
                                                           std::string_view secret);

}  // namespace todoku::inbound
