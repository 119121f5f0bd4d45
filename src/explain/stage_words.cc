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

Sentence state_word(RecipientState state) {
  switch (state) {
    case RecipientState::pending:
      return {"pending", "送信待ち (pending)"};
    case RecipientState::deferred:
      return {"deferred", "再送待ち (deferred)"};
    case RecipientState::delivered:
      return {"delivered", "配送済み (delivered)"};
    case RecipientState::bounced:
      return {"bounced", "不達 (bounced)"};
    case RecipientState::dropped:
      return {"dropped", "送信せず (dropped)"};
    case RecipientState::expired:
      return {"expired", "期限切れ (expired)"};
    case RecipientState::cancelled:
      return {"cancelled", "取り消し (cancelled)"};
    case RecipientState::unknown:
      return {"unknown", "不明 (unknown)"};
  }
  return {"", ""};
}

}  // namespace todoku::explain
