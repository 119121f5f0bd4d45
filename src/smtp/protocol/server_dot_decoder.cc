// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/server_dot_decoder.h"

#include <utility>

namespace todoku::smtp {

std::string_view DotDecoder::next(std::string_view& input) {
  while (!input.empty()) {
    switch (state_) {
      case State::line_start:
        if (input.front() != '.') return take_text(input);
        input.remove_prefix(1);
        state_ = State::dot;
        break;
      case State::dot:
        // Any other octet: the dot was put there by the sender's stuffing and goes.
        if (input.front() != '\r') return take_text(input);
        input.remove_prefix(1);
        state_ = State::dot_cr;
        break;
      case State::dot_cr:
        if (input.front() == '\n') {
          input.remove_prefix(1);
          state_ = State::finished;
          return {};
        }
        state_ = State::text;
        return "\r";
      case State::text:
      case State::cr:
        return take_text(input);
      case State::finished:
        return {};
    }
  }
  return {};
}

// Everything up to the next dot at a line's start. Dots are rarer than line ends, and in base64
// there are none, so they are what is searched for.
std::string_view DotDecoder::take_text(std::string_view& input) {
  const bool after_cr = state_ == State::cr;
  const auto begins_line = [&](std::size_t at) {
    if (at >= 2) return input[at - 2] == '\r' && input[at - 1] == '\n';
    return at == 1 && after_cr && input[0] == '\n';
  };
  for (std::size_t dot = input.find('.'); dot != std::string_view::npos;
       dot = input.find('.', dot + 1)) {
    if (!begins_line(dot)) continue;
    state_ = State::line_start;
    return std::exchange(input, input.substr(dot)).substr(0, dot);
  }
  if (begins_line(input.size())) {
    state_ = State::line_start;
  } else {
    state_ = input.back() == '\r' ? State::cr : State::text;
  }
  return std::exchange(input, {});
}

}  // namespace todoku::smtp
