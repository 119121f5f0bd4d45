// SPDX-License-Identifier: Apache-2.0
#include "explain/stage_words.h"

namespace todoku::explain {

Sentence stage_words(Stage stage) {
  switch (stage) {
    case Stage::none:
      return {"before it was tried", "送信前"};
    case Stage::dns:
      return {"while looking up the receiver", "受信側の名前解決"};
    case Stage::connect:
      return {"while connecting", "接続"};
    case Stage::greeting:
      return {"at the greeting", "最初の応答"};
    case Stage::hello:
      return {"at EHLO", "EHLO "};
    case Stage::starttls:
      return {"at STARTTLS", "STARTTLS "};
    case Stage::auth:
      return {"at AUTH", "AUTH "};
    case Stage::mail_from:
      return {"at MAIL FROM", "MAIL FROM "};
    case Stage::rcpt_to:
      return {"at RCPT TO", "RCPT TO "};
    case Stage::data:
      return {"at the content", "本文の送信"};
    case Stage::accepted:
      return {"at the end", "完了"};
  }
  return {"", ""};
}

}  // namespace todoku::explain
