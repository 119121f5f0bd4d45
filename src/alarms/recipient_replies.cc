// SPDX-License-Identifier: Apache-2.0
#include "alarms/recipient_replies.h"

#include <algorithm>
#include <cstddef>

#include "base/bytes.h"
#include "base/printable.h"

namespace todoku::alarms {
namespace {

constexpr std::size_t kReplyOctetsMax = 300;
constexpr std::size_t kLineOctetsMax = 1'000;
constexpr std::size_t kRefusedMax = 100;  // as many as anybody gives addresses
constexpr std::size_t kCodeDigits = 3;

}  // namespace

std::string to_string(const RefusedRecipient& refused) {
  return refused.address + ": " + refused.reply;
}

void RecipientReplies::sent(std::string_view command) {
  constexpr std::string_view kRcpt = "RCPT TO:<";
  address_.clear();
  reply_.clear();
  line_.clear();
  if (!equals_ignoring_case(command.substr(0, kRcpt.size()), kRcpt)) return;
  command.remove_prefix(kRcpt.size());
  address_ = command.substr(0, command.find('>'));
}

void RecipientReplies::received(std::string_view octets) {
  if (address_.empty()) return;
  for (const char c : octets) {
    if (c != '\n') {
      if (line_.size() < kLineOctetsMax) line_.push_back(c);
      continue;
    }
    if (line_.ends_with('\r')) line_.pop_back();
    line(line_);
    line_.clear();
  }
}

// The last one of a reply has no hyphen behind its code.
void RecipientReplies::line(std::string_view text) {
  if (address_.empty()) return;
  const bool goes_on = text.size() > kCodeDigits && text[kCodeDigits] == '-';
  if (reply_.size() < kReplyOctetsMax) {
    const bool is_first = reply_.empty();
    const std::size_t words = kCodeDigits + 1;
    if (!is_first && text.size() > words) reply_ += ' ';
    reply_ += printable(is_first              ? text
                        : text.size() > words ? text.substr(words)
                                              : std::string_view());
    if (is_first && goes_on) reply_[kCodeDigits] = ' ';
  }
  if (goes_on) return;
  reply_.resize(std::min(reply_.size(), kReplyOctetsMax));
  if (!reply_.starts_with('2') && refused_.size() < kRefusedMax) {
    refused_.push_back({.address = printable(address_), .reply = reply_});
  }
  address_.clear();
}

}  // namespace todoku::alarms
