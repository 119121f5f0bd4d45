// SPDX-License-Identifier: Apache-2.0
// The half of ApiSession that follows a stream and comes again when it is lost.
#include <algorithm>
#include <utility>

#include "cli/api_repeats.h"
#include "cli/api_session.h"

namespace todoku::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kComeAgain{1'000};  // where the server has not said it
constexpr milliseconds kComeAgainMax{30'000};

// Longer after each that came to nothing.
milliseconds pause_before(int tries, milliseconds first) {
  constexpr int kDoublingsMax = 5;
  return std::min(first * (1 << std::min(tries, kDoublingsMax)), std::max(first, kComeAgainMax));
}

}  // namespace

std::optional<ApiFailure> ApiSession::last_word(Result<ApiAnswer> answer, bool was_heard,
                                                int tries) const {
  if (!answer) {
    const ErrorKind kind = answer.error().kind;
    if (kind == ErrorKind::corrupt) return is_not_ours(200);
    const bool is_gone = is_passing(kind) || (kind == ErrorKind::unavailable && was_heard);
    if (is_gone && (was_heard || tries < kRepeatsMax)) return std::nullopt;
    return failure_of(answer.error());
  }
  if (answer->ok()) return std::nullopt;
  // A proxy's 502 while the engine behind it starts anew.
  const bool may_pass = waits(*answer) || (was_heard && answer->status >= 500);
  const bool in_time =
      was_heard || (tries < kRepeatsMax && retry_after(*answer).value_or(kPatience) <= kPatience);
  if (may_pass && in_time) return std::nullopt;
  return refusal(*read_answer(std::move(*answer)));
}

int ApiSession::tell(const ApiFailure& failure) {
  for (const std::string& sentence : failure.sentences) (void)session_.fail(sentence);
  return status_ = failure.status;
}

ApiSession& ApiSession::speak(const Following& following) {
  if (following.before_words) following.before_words();
  return *this;
}

int ApiSession::follow(const ApiRequest& request, Following following) {
  if (const auto opened = open(); !opened) return tell(opened.error());
  // From here on the user's wish for an end is heard.
  if (!host().wait(milliseconds(0))) return kDone;
  http::EventStreamReader reader;
  std::optional<Error> unreadable;
  bool is_enough = false;
  bool was_heard = false;
  bool was_told = false;
  int tries = 0;
  for (;;) {
    bool is_heard = false;
    const ApiStream stream{.last_event_id = following.last_id,
                           .take =
                               [&](std::string_view piece) {
                                 is_heard = true;
                                 const auto goes_on = reader.update(piece, following.take);
                                 if (!goes_on) unreadable = goes_on.error();
                                 is_enough = !goes_on || !*goes_on;
                                 const std::string& id = reader.last_id();
                                 if (!id.empty() && id != following.last_id) {
                                   following.last_id = id;
                                   is_enough = !following.came_to(id) || is_enough;
                                 }
                                 return !is_enough;
                               },
                           .goes_on = [this] { return host().wait(milliseconds(0)); }};
    auto answer = port_->stream(request, stream);
    if (unreadable) return speak(following).tell(failure_of(*unreadable));
    if (is_enough || !host().wait(milliseconds(0))) return status_;
    was_heard = was_heard || is_heard;
    tries = is_heard ? 0 : tries + 1;
    const auto wished = answer && !answer->ok() ? retry_after(*answer) : std::nullopt;
    const std::string why = answer ? "" : ": " + answer.error().detail;
    if (const auto failure = last_word(std::move(answer), was_heard, tries)) {
      return speak(following).tell(*failure);
    }
    if (tries == 1 && was_heard && !std::exchange(was_told, true)) {
      speak(following).session_.err()
          << session_.words({"todoku: {} does not answer{}; trying on",
                             "todoku: {} が応答しません{}。再接続を続けます"},
                            url_, why)
          << '\n';
    }
    if (is_heard) was_told = false;
    reader.begin_anew();
    const milliseconds first = reader.retry().value_or(kComeAgain);
    const milliseconds pause = wished ? milliseconds(*wished) : pause_before(tries, first);
    if (!host().wait(pause)) return status_;
  }
}

}  // namespace todoku::cli
