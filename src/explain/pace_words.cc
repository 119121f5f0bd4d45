// SPDX-License-Identifier: Apache-2.0
#include "explain/pace_words.h"

#include "base/check.h"

namespace todoku::explain {

Sentence pace_words(delivery::policy::PaceReason reason) {
  using enum delivery::policy::PaceReason;
  switch (reason) {
    case fixed:
      return {"at the limits of its rule, which adapts nothing (adaptive = false)",
              "ルールの上限どおり（adaptive = false）"};
    case starting:
      return {"begins gently: nothing is known of this receiver yet",
              "受信側の様子がまだ分からないため、控えめに開始"};
    case growing:
      return {"growing: its answers are good", "応答が良いため加速中"};
    case at_ceiling:
      return {"its rule allows no more", "ルールの上限に到達"};
    case too_fast:
      return {"the receiver said that it was too much; going back to near that pace slowly",
              "受信側に多すぎると言われたため減速し、徐々に回復中"};
    case too_many:
      return {"the receiver took no more connections", "受信側がこれ以上の接続を受け付けない"};
    case answers_late:
      return {"the receiver's answers came ever later", "受信側の応答が遅くなったため減速"};
    case near_limit:
      return {"near the pace at which the receiver said that it was too much",
              "受信側に多すぎると言われた速さの近くを維持"};
    case slowed:
      return {"slowed down by an automation", "自動対応により減速中"};
    case suspended:
      return {"suspended by an automation", "自動対応により停止中"};
    case probing:
      return {"one message at a time, until the receiver answers well",
              "受信側が正常に応答するまで 1 通ずつ確認中"};
    case warming_up:
      return {"the source is warming up, and today's volume of its plan has gone",
              "ウォームアップ中の送信元の、今日の通数に到達"};
    case not_begun:
      return {"the source is to warm up, and its plan has not begun yet (warm_up_from)",
              "送信元のウォームアップが開始日（warm_up_from）前"};
  }
  check(false, "a reason has words");
  return {};
}

std::optional<Sentence> pace_words(std::string_view reason) {
  for (std::int64_t number = 0;; ++number) {
    const auto one = delivery::policy::pace_reason(number);
    if (!one) return std::nullopt;
    if (to_string(*one) == reason) return pace_words(*one);
  }
}

std::string_view pace_name(std::int64_t stored) {
  using delivery::policy::PaceReason;
  return to_string(delivery::policy::pace_reason(stored).value_or(PaceReason::starting));
}

}  // namespace todoku::explain
