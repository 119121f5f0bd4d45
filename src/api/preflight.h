// SPDX-License-Identifier: Apache-2.0
// Who can judge a delivery before it begins (doctor/preflight.h). Implemented where mail is
// composed and the DNS is asked (app/).
#pragma once

#include <optional>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "doctor/preflight.h"
#include "store/keys.h"
#include "store/steering.h"

namespace todoku::api {

// What a commit says of how it is to go, and is not stored yet.
struct PreflightStart {
  std::optional<Instant> at;  // nullopt: as it is reserved, or now
  store::SteeringChange steering = {};
};

struct PreflightTerms {
  // Of the whole judgement: what is not known by then is not determined. A question to the store
  // that has begun is waited for.
  Milliseconds within{};
  // Asks the DNS also while our resolver is known to be no good, as somebody waits for the answer.
  bool asks_anyway = false;
  // Of a sandbox: nothing is asked of the DNS.
  bool asks_nobody = false;
  PreflightStart start = {};
};

class Preflight {
 public:
  virtual ~Preflight() = default;
  // Errors: not_found, unsupported (its content or a key that signed it is gone), invalid_input (no
  // message can be made of it), and those of the store.
  [[nodiscard]] virtual Task<Result<doctor::PreflightReport>> judge(store::AccountKey account,
                                                                    store::PublicId delivery,
                                                                    PreflightTerms terms) = 0;
};

}  // namespace todoku::api
