// SPDX-License-Identifier: Apache-2.0
#include "mailauth/mta_sts/knowledge.h"

#include <algorithm>
#include <utility>

namespace todoku::mailauth::mta_sts {

std::string_view to_string(Fault fault) {
  switch (fault) {
    case Fault::policy_fetch_error:
      return "sts-policy-fetch-error";
    case Fault::policy_invalid:
      return "sts-policy-invalid";
    case Fault::webpki_invalid:
      return "sts-webpki-invalid";
  }
  return "";
}

const HeldPolicy* Knowledge::held(Instant now) const {
  return held_ && now < held_->expires() ? &*held_ : nullptr;
}

const Policy* Knowledge::in_force(Instant now) const {
  const HeldPolicy* held = this->held(now);
  return held != nullptr && held->policy.mode != Mode::none ? &held->policy : nullptr;
}

bool Knowledge::is_usable(Instant now) const {
  return looked_ || held(now) != nullptr;
}

bool Knowledge::looked(const Look& look, Instant now) {
  looked_at_ = now;
  if (this->held(now) == nullptr) held_.reset();  // it is of no use any more
  if (look.said == Look::Said::failed) {
    looked_ = true;
    look_at_ = now + kAfterFailure;
    return false;
  }
  look_at_ = now + std::clamp(look.ttl, kLookEveryMin, kLookEveryMax);
  if (look.said == Look::Said::no_record) {
    looked_ = true;
    failure_.reset();
    return false;
  }
  const HeldPolicy* held = this->held(now);
  if (held == nullptr || held->id != look.id) return true;
  return now - held->fetched >= std::min(kFetchEvery, held->policy.max_age / 2);
}

void Knowledge::fetched(std::string id, Fetched policy, Instant now) {
  looked_ = true;
  if (!policy) {
    failure_ = std::move(policy.error());
    look_at_ = now + kAfterFailure;
    return;
  }
  failure_.reset();
  held_ = HeldPolicy{.id = std::move(id), .policy = std::move(*policy), .fetched = now};
}

void Knowledge::doubt(Instant now) {
  look_at_ = std::min(look_at_, std::max(now, looked_at_ + kAfterFailure));
}

}  // namespace todoku::mailauth::mta_sts
