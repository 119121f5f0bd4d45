// SPDX-License-Identifier: Apache-2.0
// What files and the command line have in common: shorthands for rules, and what does not go
// together.
#include <array>
#include <cmath>

#include "base/bytes.h"
#include "sink/options_toml.h"

namespace todoku::sink {
namespace {

struct Extension {
  std::string_view keyword;
  bool smtp::ServerOptions::* member;
};

constexpr std::array kExtensions = {
    Extension{"PIPELINING", &smtp::ServerOptions::pipelining},
    Extension{"CHUNKING", &smtp::ServerOptions::chunking},
    Extension{"8BITMIME", &smtp::ServerOptions::eight_bit_mime},
    Extension{"SMTPUTF8", &smtp::ServerOptions::smtputf8},
    Extension{"SIZE", &smtp::ServerOptions::size},
    Extension{"ENHANCEDSTATUSCODES", &smtp::ServerOptions::enhanced_status_codes},
};

bool is_about_recipients(Moment at) {
  return at == Moment::rcpt || at == Moment::data || at == Moment::bdat || at == Moment::body;
}

Result<void> check_rule(const Rule& rule) {
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorKind::invalid_input,
                "rule at " + std::string(to_string(rule.at)) + " " + std::string(what));
  };
  if (!is_about_recipients(rule.at) && !(rule.local.empty() && rule.domain.empty())) {
    return wrong("knows no recipient, so local and domain have no meaning");
  }
  if (!rule.decides() && rule.delay == Microseconds::zero()) {
    return wrong("does nothing: give it reply, say, close or delay");
  }
  if ((rule.reply ? 1 : 0) + (rule.excuse ? 1 : 0) + (rule.close ? 1 : 0) > 1) {
    return wrong("has more than one of reply, say and close");
  }
  if (rule.reply && rule.reply->code < 400) {
    const bool may_accept = rule.at == Moment::mail || rule.at == Moment::rcpt ||
                            rule.at == Moment::body || rule.at == Moment::hello;
    if (!may_accept || !rule.reply->positive()) return wrong("cannot have a reply of this code");
  }
  return {};
}

}  // namespace

Rule delay_rule(Moment at, double seconds) {
  return {.at = at, .delay = Microseconds(std::llround(seconds * 1e6))};
}

Rule close_rule(Moment at) {
  return {.at = at, .close = true};
}

Rule fail_rule(Excuse excuse, double odds) {
  return {.at = Moment::rcpt, .odds = odds, .excuse = excuse};
}

bool set_extension(smtp::ServerOptions& protocol, std::string_view keyword, bool on) {
  for (const Extension& extension : kExtensions) {
    if (!equals_ignoring_case(extension.keyword, keyword)) continue;
    protocol.*extension.member = on;
    return true;
  }
  return false;
}

Result<Reply> parse_reply(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() < 3 || text[0] < '2' || text[0] > '5' || !is_digit(text[1]) ||
      !is_digit(text[2]) || (text.size() > 3 && text[3] != ' ')) {
    return fail(ErrorKind::invalid_input, "a code from 200 to 599 and a text");
  }
  const int code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
  return Reply{code, std::string(text.substr(std::min<std::size_t>(4, text.size())))};
}

Result<void> check_receiver(const Receiver& receiver) {
  const auto wrong = [](std::string_view what) {
    return fail(ErrorKind::invalid_input, std::string(what));
  };
  if (receiver.listen.empty()) return wrong("listen is missing");
  if (receiver.certificate_file.empty() != receiver.private_key_file.empty()) {
    return wrong("certificate_file and private_key_file belong together");
  }
  if (receiver.greylist && receiver.greylist->tries == 0 && receiver.greylist->seconds == 0) {
    return wrong("greylist would never accept: give it tries or seconds");
  }
  for (const Rule& rule : receiver.rules) {
    if (const auto valid = check_rule(rule); !valid) return valid;
  }
  return {};
}

}  // namespace todoku::sink
