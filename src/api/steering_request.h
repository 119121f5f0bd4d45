// SPDX-License-Identifier: Apache-2.0
// How a bulk is to go, as requests say it and answers show it (store/steering.h):
//   "pace": {"mails": 600, "per": "minute"}
//   "quiet_hours": {"from": "21:00", "until": "08:00", "time_zone": "Asia/Tokyo"}
#pragma once

#include <optional>
#include <string>

#include "api/fields.h"
#include "async/task.h"
#include "http/json.h"
#include "store/keys.h"
#include "store/steering.h"

namespace todoku::api {

class Api;
struct Call;

// The members of either object; what is missing or wrong is a problem, and what is read then says
// nothing.
[[nodiscard]] Pace read_pace(const Fields& fields);
[[nodiscard]] QuietHours read_quiet_hours(const Fields& fields);

// `pace` and `quiet_hours` of a request, where they are given.
[[nodiscard]] store::SteeringChange read_steering(const Fields& fields);

// What a pace leaves over, for X-Todoku-Warning; empty: nothing.
[[nodiscard]] std::string too_slow_warning(const std::optional<store::PaceTooSlow>& slow);
// Adds it to the answer, of a bulk that has just been told how to go or was committed.
Task<void> warn_of_pace(Api& api, Call& call, store::PublicId id);
// `expected_to_expire`, {mails, at} or null: the same.
void too_slow_member(http::JsonWriter& json, const std::optional<store::PaceTooSlow>& slow);

// `pace`, `quiet_hours` and `waits`: why nothing of it may be begun now, and when it goes on. Each
// null where there is none.
void steering_members(http::JsonWriter& json, const store::Steering& steering,
                      const std::optional<store::SteeredPause>& pause);

}  // namespace todoku::api
