// SPDX-License-Identifier: Apache-2.0
#include "cli/rule_words.h"

namespace todoku::cli {

using feedback::classify::NextStep;
using feedback::classify::Whose;

Sentence words_of(Whose whose) {
  switch (whose) {
    case Whose::nobody:
      break;
    case Whose::recipient:
      return {"the recipient's address", "宛先のアドレス"};
    case Whose::content:
      return {"what the sender sends", "送信する内容"};
    case Whose::receiver:
      return {"the receiver's servers and rules", "受信側のサーバーと規則"};
    case Whose::network:
      return {"the network in between", "途中のネットワーク"};
    case Whose::setup:
      return {"this installation's set-up: DNS, addresses, keys, pace",
              "この環境の設定（DNS、IP アドレス、鍵、速度）"};
    case Whose::engine:
      return {"todoku itself", "todoku 自身"};
  }
  return {"nobody's", "なし"};
}

Sentence words_of(NextStep next) {
  switch (next) {
    case NextStep::nothing:
      break;
    case NextStep::retry:
      return {"tried again on the usual schedule", "通常の間隔で再送"};
    case NextStep::retry_greylisted:
      return {"tried again when greylisting is over", "グレイリストが解ける頃に再送"};
    case NextStep::retry_slowly:
      return {"tried again later than usual", "通常より間を空けて再送"};
    case NextStep::retry_refused:
      return {"tried again at long intervals", "長い間隔で再送"};
    case NextStep::look_again:
      return {"looked at again until it is mended here", "こちらの修正を待って再確認"};
    case NextStep::soon:
      return {"tried again at once", "すぐに再送"};
    case NextStep::wait_for_operator:
      return {"waits for an operator", "運用者の判断を待つ"};
    case NextStep::give_up:
      return {"given up", "送信を終了"};
  }
  return {"nothing", "なし"};
}

std::string stage_names() {
  std::string names;
  for (int i = 0; i <= static_cast<int>(Stage::accepted); ++i) {
    if (!names.empty()) names += ", ";
    names += to_string(static_cast<Stage>(i));
  }
  return names;
}

}  // namespace todoku::cli
