// SPDX-License-Identifier: Apache-2.0
// The content half of ServerSession: what follows DATA and BDAT, and why it may be no message.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "smtp/protocol/server_session.h"

namespace todoku::smtp {
namespace {

constexpr ServerStep kReadContent{ServerEvent::need_input};
// Of a message that is refused so much more than the limit is read: its client hears why when it
// has sent it all, and a small message may have a small limit.
constexpr std::uint64_t kExcessOctetsMin = 1 << 20;

std::string words_of(ContentFault fault, const ServerOptions& options) {
  switch (fault) {
    case ContentFault::none:
      break;
    case ContentFault::bare_lf:
      return "5.6.0 The message has a bare LF: lines end with CR LF";
    case ContentFault::bare_cr:
      return "5.6.0 The message has a bare CR: lines end with CR LF";
    case ContentFault::nul:
      return "5.6.0 The message has a NUL octet";
    case ContentFault::long_line:
      return fmt::format("5.6.0 The message has a line of over {} octets",
                         options.text_line_octets_max);
  }
  return {};
}

}  // namespace

// Counts a piece, and says whether it may be part of a message. The first thing that is wrong is
// what the client will hear, so what is beyond the limit of size is not looked at.
bool ServerSession::is_acceptable(std::string_view piece) {
  const std::uint64_t before = content_octets_;
  content_octets_ += piece.size();
  if (content_refusal_.code != 0) return false;
  const bool too_large = options_.size_max != 0 && content_octets_ > options_.size_max;
  if (too_large) piece = piece.substr(0, static_cast<std::size_t>(options_.size_max - before));
  const ContentFault fault = content_check_.push(piece);
  if (fault != ContentFault::none) {
    content_refusal_ = {550, words_of(fault, options_)};
  } else if (too_large) {
    content_refusal_ = {552, "5.3.4 Message too large"};
  }
  return content_refusal_.code == 0;
}

// Who goes on for as long as another message of the largest size will not stop: it is told why, and
// nothing more is read. BDAT says before how much comes.
bool ServerSession::is_read_in_vain() const {
  if (options_.size_max == 0 || content_refusal_.code == 0) return false;
  return content_octets_ > options_.size_max + std::max(options_.size_max, kExcessOctetsMin);
}

ServerSession::Progress ServerSession::take_data(std::string_view& input) {
  const std::string_view piece = decoder_.next(input);
  if (!piece.empty()) {
    if (is_acceptable(piece)) return ServerStep{ServerEvent::content, piece};
    if (!std::exchange(discarded_, true)) return ServerStep{ServerEvent::discard};
  }
  if (is_read_in_vain()) return end_with(content_refusal_.code, content_refusal_.text);
  if (decoder_.finished()) return content_ended();
  return input.empty() ? Progress(kReadContent) : Progress();
}

ServerSession::Progress ServerSession::take_chunk(std::string_view& input) {
  if (chunk_left_ == 0) {
    if (last_chunk_) return content_ended();
    phase_ = Phase::command;
    return say(250, fmt::format("2.0.0 {} octets", chunk_octets_));
  }
  if (input.empty()) return kReadContent;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size()));
  const std::string_view piece = input.substr(0, count);
  input.remove_prefix(count);
  chunk_left_ -= count;
  if (!is_acceptable(piece)) return refuse_chunk(content_refusal_);
  return ServerStep{ServerEvent::content, piece};
}

// RFC 3030 section 2: the octets follow whatever the answer will be, so they are taken in any case.
ServerSession::Progress ServerSession::refuse_chunk(Reply reply) {
  phase_ = Phase::skip_chunk;
  chunk_refusal_ = std::move(reply);
  return {};
}

ServerSession::Progress ServerSession::skip_chunk(std::string_view& input) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, input.size()));
  input.remove_prefix(count);
  chunk_left_ -= count;
  if (chunk_left_ != 0) return kReadContent;
  phase_ = Phase::command;
  return refuse_content(chunk_refusal_);
}

ServerSession::Progress ServerSession::content_ended() {
  phase_ = Phase::command;
  const ContentFault fault = content_check_.finish();
  if (content_refusal_.code == 0 && fault != ContentFault::none) {
    content_refusal_ = {550, words_of(fault, options_)};
  }
  return content_refusal_.code == 0 ? ask(ServerEvent::message) : refuse_content(content_refusal_);
}

// A message with a hole is none, so chunks that follow in the pipeline meet 503. Also where none of
// it was given its owner has a transaction that is over.
ServerSession::Progress ServerSession::refuse_content(const Reply& reply) {
  say(reply.code, reply.text);
  const bool discard = in_mail_ && !discarded_;
  end_transaction();
  return discard ? Progress(ServerStep{ServerEvent::discard}) : Progress();
}

}  // namespace todoku::smtp
