// SPDX-License-Identifier: Apache-2.0
#include "store/rates.h"

#include <fmt/format.h>

namespace todoku::store {

std::string_view to_string(RateScope scope) {
  switch (scope) {
    case RateScope::account:
      return "account";
    case RateScope::sender_domain:
      return "sender_domain";
    case RateScope::receiver:
      return "receiver";
    case RateScope::delivery:
      return "delivery";
    case RateScope::delivery_at_receiver:
      return "delivery_at_receiver";
    case RateScope::tag:
      return "tag";
  }
  return {};
}

std::array<RateScope, 3> scopes_of(const RateQuestion& question) {
  if (question.tags) return {RateScope::tag, RateScope::tag, RateScope::tag};
  if (!question.delivery) {
    return {RateScope::account, RateScope::sender_domain, RateScope::receiver};
  }
  return {RateScope::delivery, RateScope::delivery_at_receiver, RateScope::delivery_at_receiver};
}

Result<void> check_sound(const RateState& state) {
  if (state.because.size() <= kRateBecauseMax) return {};
  return fail(ErrorKind::invalid_input,
              fmt::format("why mail is held back is told in at most {} octets", kRateBecauseMax));
}

std::string rate_limits_setting(AccountKey account) {
  return fmt::format("protection {}", static_cast<std::int64_t>(account));
}

}  // namespace todoku::store
