// SPDX-License-Identifier: Apache-2.0
#include "feedback/parse/quoted_reply.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"

namespace todoku::feedback::parse {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t digits_at(std::string_view text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  return count;
}

// How long "x.y.z" at the beginning of `text` is; 0: it is none.
std::size_t status_at(std::string_view text) {
  if (text.size() < 5 || (text[0] != '4' && text[0] != '5') || text[1] != '.') return 0;
  const std::size_t subject = digits_at(text.substr(2));
  if (subject == 0 || subject > 3 || text.substr(2 + subject).empty()) return 0;
  if (text[2 + subject] != '.') return 0;
  const std::size_t detail = digits_at(text.substr(3 + subject));
  if (detail == 0 || detail > 3) return 0;
  const std::size_t end = 3 + subject + detail;
  const bool goes_on = end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]);
  return goes_on ? 0 : end;
}

// 4xx or 5xx with a second digit that RFC 5321 section 4.2.1 knows; with another, as some say 571
// and 585, only before an enhanced status of its class.
bool is_code(std::string_view text) {
  if (text.size() < 3 || (text[0] != '4' && text[0] != '5')) return false;
  if (!is_digit(text[1]) || !is_digit(text[2])) return false;
  return text[1] <= '5' || (text.size() > 4 && text[4] == text[0] && status_at(text.substr(4)) > 0);
}

// Where a number may begin: not within another, or a name or an address.
bool may_begin(std::string_view text, std::size_t at) {
  if (at == 0) return true;
  const char before = text[at - 1];
  return std::string_view(" \t\n(:;'\"[<>,=-#").contains(before);
}

bool code_ends(std::string_view text, std::size_t at) {
  return at >= text.size() || std::string_view(" -\n\t").contains(text[at]);
}

// "SIZE=" of a command (RFC 1870): what follows is a number of octets.
bool is_size(std::string_view before) {
  return before.size() >= 5 && equals_ignoring_case(before.substr(before.size() - 5), "size=");
}

std::size_t find_code(std::string_view text) {
  for (std::size_t at = 0; at + 3 <= text.size(); ++at) {
    if (!is_code(text.substr(at)) || !may_begin(text, at) || !code_ends(text, at + 3)) continue;
    // "5-1-1" and dates as "2010-05-450 " are none; a code is followed by words or a status.
    const std::string_view after = trim(text.substr(std::min(at + 4, text.size())));
    if (after.empty() && at > 0 && text[at - 1] != '\n' && text[at - 1] != ' ') continue;
    // sendmail's transcript: ">>> MAIL From:<...> SIZE=559", then "<<< 421 ...".
    if (after.starts_with("<<<") || is_size(text.substr(0, at))) continue;
    return at;
  }
  return std::string_view::npos;
}

// Behind the enhanced status at `at`, if `words` have it already: some say it in each line.
std::size_t behind_status(std::string_view text, std::size_t at, std::string_view words) {
  const std::size_t octets = status_at(text.substr(std::min(at, text.size())));
  if (octets == 0 || !words.contains(text.substr(at, octets))) return at;
  return std::min(at + octets + 1, text.size());
}

// "550-first 550-second 550 last" is "first second last"; so is "5.7.1 first 550 5.7.1 last" but
// for its first status.
std::string without_repeats(std::string_view text, std::string_view code) {
  std::string words;
  for (std::size_t at = 0; at < text.size();) {
    const bool repeated = may_begin(text, at) && text.substr(at).starts_with(code) &&
                          at + 3 < text.size() && (text[at + 3] == '-' || text[at + 3] == ' ');
    if (repeated) {
      at = behind_status(text, at + 4, words);
      continue;
    }
    const char c = text[at++];
    words += c == '\n' || c == '\t' ? ' ' : c;
    if (c == '\n') at = behind_status(text, at, words);
  }
  return printable(trim(words));
}

// What follows in another paragraph, or in the next turn of a dialogue, is not the server's.
std::string_view up_to_its_end(std::string_view text) {
  for (const std::string_view mark : {"\n\n", "\n>", "\n--", "\n \n", "\n****"}) {
    text = text.substr(0, text.find(mark));
  }
  return text;
}

}  // namespace

std::string quoted_status(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && (is_digit(text[at - 1]) || text[at - 1] == '.')) continue;
    if (const std::size_t octets = status_at(text.substr(at)); octets > 0) {
      return std::string(text.substr(at, octets));
    }
  }
  return {};
}

std::optional<Reply> quoted_reply(std::string_view text) {
  const std::size_t at = find_code(text);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view code = text.substr(at, 3);
  const std::string_view rest =
      up_to_its_end(utf8_prefix(text.substr(std::min(at + 4, text.size())), kQuotedOctetsMax));
  return Reply{.code = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'),
               .text = without_repeats(rest, code)};
}

Stage quoted_stage(std::string_view text) {
  const std::string words = to_ascii_lower(text);
  constexpr std::array kOfContent{"end of data",
                                  "data command",
                                  ">>> data",
                                  "after data",
                                  "[data]",
                                  "message body",
                                  "after pipelined sending data"};
  constexpr std::array kOfSender{"mail from command", ">>> mail from",
                                 "after mail from",   "after sending mail from",
                                 "[mail_from]",       "after pipelined mail from"};
  const auto has = [&words](const char* phrase) { return words.contains(phrase); };
  if (std::ranges::any_of(kOfContent, has)) return Stage::data;
  if (std::ranges::any_of(kOfSender, has)) return Stage::mail_from;
  return Stage::rcpt_to;
}

}  // namespace todoku::feedback::parse
