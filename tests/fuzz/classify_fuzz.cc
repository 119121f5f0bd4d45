// SPDX-License-Identifier: Apache-2.0
// Any octets as a reply or a sentence of ours. Oracles: whatever was said has one meaning, which
// is the same once it is stored with its cause; what is beyond the part that is read changes
// nothing; a failure is never told as a success.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "feedback/classify/meaning.h"
#include "feedback/classify/words.h"

namespace {

using namespace todoku;
using namespace todoku::feedback::classify;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  constexpr unsigned kStages = static_cast<unsigned>(Stage::accepted);
  Answer answer{.stage = static_cast<Stage>(data[0] % kStages)};
  answer.reply.code = data[1] % 2 == 0 ? 0 : 400 + (data[1] * 256 + data[2]) % 200;
  answer.permanent = answer.reply.code == 0 && data[2] % 2 == 0;
  answer.in_clear = data[2] % 3 == 0;
  answer.in_doubt = data[2] % 5 == 0;
  answer.reply.text.assign(reinterpret_cast<const char*>(data) + 3, size - 3);

  const Meaning meaning = meaning_of(answer);
  check(meaning.cause != Cause::none, "a failure has a cause");
  check(meaning.permanence != Permanence::none, "a failure is no success");
  check(to_string(meaning.cause) != "unknown", "the cause is one of ours");
  const RecipientState state = state_of(meaning, false);
  check(state != RecipientState::delivered && state != RecipientState::pending, "it has failed");
  check((meaning.permanence == Permanence::temporary) == !is_terminal(state),
        "what may pass is tried again");

  Answer again = answer;
  again.cause = meaning.cause;
  check(meaning_of(again) == meaning, "a cause that is set changes nothing");
  if (answer.reply.text.size() >= kOctetsRead) {
    again.cause = Cause::none;
    again.reply.text += " user unknown";
    check(readable(again.reply.text) == readable(answer.reply.text), "nothing beyond is read");
  }
  const Outcome outcome{.state = state, .stage = answer.stage, .reply = answer.reply};
  (void)cause_of(outcome);
  return 0;
}
