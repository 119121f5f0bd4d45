// SPDX-License-Identifier: Apache-2.0
// What an answer to a call means for what was told in it. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"

namespace todoku::events::webhooks {

struct CallAnswer {
  enum class How : std::uint8_t {
    accepted,   // 2xx
    refused,    // any other answer, or none
    throttled,  // "not now": says nothing about the events
    busy,       // of ours: nobody was asked
    gone,       // 410: nothing more is wanted
  };
  How how = How::refused;
  std::optional<Milliseconds> retry_after;  // of throttled, if it was said
};

// Of http::GuardedClient, whose limit_exceeded means that nobody was asked.
[[nodiscard]] CallAnswer judge_answer(const Result<http::ClientResponse>& response);

}  // namespace todoku::events::webhooks
