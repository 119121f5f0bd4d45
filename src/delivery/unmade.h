// SPDX-License-Identifier: Apache-2.0
// Why a mail is not made, whoever would receive it: as connections find (egress/), and the sandbox.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "delivery/letter.h"
#include "delivery/policy/verdict.h"
#include "mail/attempt.h"
#include "mail/content.h"

namespace todoku::delivery {

// Its insert codes make it larger than `octets_max`; nullopt: they do not. What is relayed was
// measured when it came, and nothing is put into it. `scratch` keeps what it held, or not.
[[nodiscard]] std::optional<Outcome> size_refusal(const LetterMessage& message,
                                                  std::span<const InsertCode> insert_codes,
                                                  std::uint64_t octets_max,
                                                  OutgoingMessage& scratch);

// Of a message that its receiver would take in another form only, which it cannot be given
// (LetterMessage::Converted, `why_not`).
[[nodiscard]] policy::Finding unconverted(const LetterMessage& message, const std::string& why_not);

// Where not even a receiver with 8BITMIME could be given the letter's mails; nullopt: it could.
// Errors: those of its content's source.
[[nodiscard]] Task<Result<std::optional<Outcome>>> conversion_refusal(
    std::shared_ptr<const Letter> letter);

}  // namespace todoku::delivery
