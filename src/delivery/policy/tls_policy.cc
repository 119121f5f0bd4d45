// SPDX-License-Identifier: Apache-2.0
#include "delivery/policy/tls_policy.h"

namespace todoku::delivery::policy {

std::string_view to_string(TlsPolicy policy) {
  switch (policy) {
    case TlsPolicy::opportunistic:
      return "opportunistic";
    case TlsPolicy::required:
      return "required";
    case TlsPolicy::none:
      return "none";
  }
  return "";
}

TlsPlan tls_plan(TlsPolicy policy, const TlsAsked& asked) {
  if (policy != TlsPolicy::none) {
    if (asked.dane == DaneDemand::proof) {
      return {.mode = TlsMode::required, .proof = TlsProof::dane, .asked_by = TlsAsker::dane};
    }
    if (asked.mta_sts) {
      return {.mode = TlsMode::required, .proof = TlsProof::mx_name, .asked_by = TlsAsker::mta_sts};
    }
  }
  if (policy == TlsPolicy::opportunistic && asked.dane == DaneDemand::encryption) {
    return {.mode = TlsMode::required, .proof = TlsProof::none, .asked_by = TlsAsker::dane};
  }
  switch (policy) {
    case TlsPolicy::opportunistic:
      return {.mode = TlsMode::opportunistic, .proof = TlsProof::none};
    case TlsPolicy::required:
      return {.mode = TlsMode::required, .proof = TlsProof::mx_name};
    case TlsPolicy::none:
      break;
  }
  return {.mode = TlsMode::never, .proof = TlsProof::none};
}

bool may_connect(TlsPolicy policy, DaneDemand dane) {
  return policy == TlsPolicy::none || dane != DaneDemand::not_answered;
}

std::optional<TlsPlan> plan_after_failed_tls(const TlsPlan& plan) {
  if (plan.mode != TlsMode::opportunistic || plan.proof != TlsProof::none) return std::nullopt;
  return TlsPlan{.mode = TlsMode::never, .proof = TlsProof::none};
}

}  // namespace todoku::delivery::policy
