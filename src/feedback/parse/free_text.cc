// SPDX-License-Identifier: Apache-2.0
#include "feedback/parse/free_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "feedback/parse/quoted_reply.h"

namespace todoku::feedback::parse {
namespace {

// Lines that say that the returned message follows.
constexpr std::array kMarks{
    "below this line is a copy", "this is a copy of",       "a copy of the message",
    "original message follows",  "original message:",       "-----original message",
    "--- original message",      "message header:",         "original message headers",
    "message headers follow",    "returned message",        "unsent message",
    "original mail follows",     "headers of the original", "the header of the original message",
    "----- message header",      "return message",          "undelivered message follows",
    "メッセージのヘッダ",        "元のメッセージ",          "以下は送信されたメッセージ"};

// Fields that a header section begins with, and no sentence.
constexpr std::array kFields{
    "received:",         "return-path:", "message-id:", "dkim-signature:", "mime-version:",
    "x-originating-ip:", "date:",        "from:",       "subject:"};

bool is_local_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-/=?^_`{|}~.").contains(c) ||
         static_cast<std::uint8_t>(c) >= 0x80;
}

bool is_domain_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || static_cast<std::uint8_t>(c) >= 0x80;
}

struct Found {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string address;
};

// The first address at or behind `from`.
std::optional<Found> find_address(std::string_view line, std::size_t from) {
  for (std::size_t at = line.find('@', from); at != std::string_view::npos;
       at = line.find('@', at + 1)) {
    std::size_t begin = at;
    if (begin > from && line[begin - 1] == '"') {
      const std::size_t quote = line.rfind('"', begin - 2);
      if (begin >= 2 && quote != std::string_view::npos && quote >= from) begin = quote;
    } else {
      while (begin > from && is_local_char(line[begin - 1])) --begin;
    }
    std::size_t end = at + 1;
    while (end < line.size() && is_domain_char(line[end])) ++end;
    while (end > at + 1 && (line[end - 1] == '.' || line[end - 1] == '-')) --end;
    // "'a@example.jp'" and "mailto=a@example.jp".
    while (begin < at && (line[begin] == '\'' || line[begin] == '=' || line[begin] == '/')) ++begin;
    const std::string_view domain = line.substr(at + 1, end - at - 1);
    if (begin < at && domain.contains('.')) {
      return Found{
          .begin = begin, .end = end, .address = std::string(line.substr(begin, end - begin))};
    }
  }
  return std::nullopt;
}

// How surely an address is the one that mail did not reach, by where it stands.
enum class Weight : std::uint8_t { none, mentioned, said, alone };

constexpr std::array kOthersLabels{
    "from:",       "sender:",        "reply-to:",  "message-id:", "in-reply-to:",
    "references:", "return-path:",   "errors-to:", "mail from:",  "contact",
    "postmaster@", "mailer-daemon@", "abuse@",     "by "};
constexpr std::array kOfRecipient{"rcpt to",
                                  "recipient",
                                  "could not be delivered to",
                                  "not be delivered to",
                                  "unable to deliver",
                                  "undeliverable to",
                                  "failed to deliver to",
                                  "delivery to",
                                  "addressed to",
                                  "sent to",
                                  "cannot deliver mail to",
                                  "address:",
                                  "user:",
                                  "failed for",
                                  "for user",
                                  "to:",
                                  "mail to",
                                  "宛先",
                                  "あて先",
                                  "受信者",
                                  "送信先"};

Weight weight_of(std::string_view line, const Found& found) {
  // Words farther away are about something else, and a line may be as long as a text.
  constexpr std::size_t kNear = 200;
  const std::size_t begin = found.begin - std::min(found.begin, kNear);
  const std::string before = to_ascii_lower(trim(line.substr(begin, found.begin - begin)));
  const std::string_view after = trim(line.substr(found.end, kNear));
  const auto is_before = [&before](const char* words) { return before.contains(words); };
  const std::string address = to_ascii_lower(found.address);
  const bool is_of_house = address.starts_with("postmaster@") ||
                           address.starts_with("mailer-daemon@") || address.starts_with("abuse@");
  if (is_of_house) return Weight::mentioned;
  const bool opens = before.empty() || before == "<" || before == "(" || before == "*" ||
                     before == "-" || before == "\"" || before == "[";
  if (opens) {
    const bool closes = after.empty() || after.starts_with('>') || after.starts_with(':') ||
                        after.starts_with(')') || after.starts_with(',') ||
                        after.starts_with("...") || after.starts_with("on ") ||
                        after.starts_with('<') || after.starts_with('(') || after.starts_with('"');
    return closes ? Weight::alone : Weight::said;
  }
  if (std::ranges::any_of(kOthersLabels, is_before)) return Weight::none;
  if (std::ranges::any_of(kOfRecipient, is_before)) return Weight::said;
  return Weight::mentioned;
}

struct Mention {
  std::string address;
  Weight weight = Weight::none;
  std::size_t line = 0;
};

// What the returned mail said, quoted, and its subject alone: nobody's reason.
bool is_quoted(std::string_view line) {
  line = trim(line);
  return (line.starts_with('>') && !line.starts_with(">>>")) ||
         to_ascii_lower(line.substr(0, 8)) == "subject:";
}

std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::size_t kLinesMax = 2'000;
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() < kLinesMax) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!is_quoted(text.substr(0, end))) lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<Mention> mentions_in(const std::vector<std::string_view>& lines,
                                 const std::vector<std::string>& others) {
  constexpr std::size_t kAddressesMax = 2'000;  // of a text, those that are no recipients included
  std::vector<Mention> mentions;
  std::size_t looked_at = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::size_t from = 0;
    while (mentions.size() < kRecipientsMax && ++looked_at <= kAddressesMax) {
      const auto found = find_address(lines[i], from);
      if (!found) break;
      from = found->end;
      const std::string address = to_ascii_lower(found->address);
      if (std::ranges::find(others, address) != others.end()) continue;
      const Weight weight = weight_of(lines[i], *found);
      if (weight == Weight::none) continue;
      const auto known = std::ranges::find_if(
          mentions, [&](const Mention& each) { return to_ascii_lower(each.address) == address; });
      if (known == mentions.end()) {
        if (mentions.size() < kRecipientsMax) {
          mentions.push_back({.address = found->address, .weight = weight, .line = i});
        }
      } else if (known->weight < weight) {
        known->weight = weight;
        known->line = i;
      }
    }
  }
  return mentions;
}

std::string joined(const std::vector<std::string_view>& lines, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < end && text.size() < kQuotedOctetsMax; ++i) {
    text.append(utf8_prefix(lines[i], kQuotedOctetsMax)).append("\n");
  }
  return text;
}

bool has_words(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<std::uint8_t>(c) >= 0x80;
  });
}

// sendmail's transcript quotes the server before it names the recipient ("<<< 550 ..."), and says
// it again behind the name with its own octets left out.
std::optional<Reply> said_before(const std::vector<std::string_view>& lines, std::size_t line) {
  constexpr std::string_view kServer = "<<< ";
  std::size_t begin = line;
  while (begin > 0 && lines[begin - 1].starts_with(kServer)) --begin;
  std::string text;
  for (std::size_t i = begin; i < line && text.size() < kQuotedOctetsMax; ++i) {
    text.append(utf8_prefix(lines[i].substr(kServer.size()), kQuotedOctetsMax)).append("\n");
  }
  return quoted_reply(text);
}

ReturnedRecipient said_of(const Mention& mention, const std::string& with_it,
                          const std::string& whole, std::optional<Reply> before) {
  ReturnedRecipient recipient;
  recipient.address = mention.address;
  auto reply = quoted_reply(with_it);
  if (reply && before && before->code == reply->code) reply = std::move(before);
  std::string status = quoted_status(with_it);
  const bool says_why = reply || !status.empty();
  if (!reply) reply = quoted_reply(whole);
  if (status.empty()) status = quoted_status(whole);
  recipient.status = std::move(status);
  recipient.stage = quoted_stage(says_why ? with_it : whole);
  recipient.reply =
      reply ? std::move(*reply) : words_as_reply(has_words(with_it) ? with_it : whole);
  return recipient;
}

}  // namespace

std::string_view before_original(std::string_view text) {
  std::size_t at = 0;
  std::size_t fields = 0;
  std::size_t first_field = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = to_ascii_lower(trim(text.substr(at, end - at)));
    const auto is_in = [&line](const char* mark) { return line.contains(mark); };
    if (at > 0 && std::ranges::any_of(kMarks, is_in)) return text.substr(0, at);
    const bool is_field = std::ranges::any_of(
        kFields, [&line](const char* field) { return line.starts_with(field); });
    if (is_field) {
      if (fields++ == 0) first_field = at;
      // Of a sentence one line may begin so; two together are a header section.
      if (fields >= 2 || line.starts_with("received:") || line.starts_with("return-path:")) {
        return text.substr(0, first_field);
      }
    } else if (line.empty()) {
      fields = 0;
    }
    at = end + 1;
  }
  return text;
}

Reply words_as_reply(std::string_view text) {
  Reply reply;
  for (const char c : utf8_prefix(text, kQuotedOctetsMax)) {
    const char plain = c == '\n' || c == '\t' ? ' ' : c;
    if (plain != ' ' || (!reply.text.empty() && reply.text.back() != ' ')) reply.text += plain;
  }
  reply.text = printable(trim(reply.text));
  return reply;
}

std::vector<ReturnedRecipient> read_free_text(std::string_view text,
                                              const std::vector<std::string>& others) {
  const std::vector<std::string_view> lines = lines_of(text);
  std::vector<Mention> mentions = mentions_in(lines, others);
  Weight best = Weight::none;
  for (const Mention& each : mentions) best = std::max(best, each.weight);
  // Beside an address that stands for itself, what a sentence mentions is somebody else.
  std::erase_if(mentions,
                [best](const Mention& each) { return each.weight < std::min(best, Weight::said); });
  if (best == Weight::alone) {
    std::erase_if(mentions, [](const Mention& each) { return each.weight != Weight::alone; });
  }
  std::ranges::sort(mentions, {}, &Mention::line);
  const std::string whole = joined(lines, 0, lines.size());
  std::vector<ReturnedRecipient> recipients;
  for (std::size_t i = 0; i < mentions.size(); ++i) {
    const std::size_t end = i + 1 < mentions.size() ? mentions[i + 1].line : lines.size();
    std::string with_it = joined(lines, mentions[i].line, std::max(end, mentions[i].line + 1));
    if (mentions[i].weight == Weight::alone) {
      // Without the address itself, whose words are whose.
      const std::size_t at = with_it.find(mentions[i].address);
      if (at != std::string::npos) with_it.erase(0, at + mentions[i].address.size());
      // Nor what closes it: "<taro@example.jp>: ...".
      with_it.erase(0, with_it.find_first_not_of(">):,\" "));
    }
    recipients.push_back(
        said_of(mentions[i], with_it, whole, said_before(lines, mentions[i].line)));
  }
  return recipients;
}

}  // namespace todoku::feedback::parse
