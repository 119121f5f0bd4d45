// SPDX-License-Identifier: Apache-2.0
#include "mime/mailbox_list.h"

#include <string>

#include "base/bytes.h"
#include "mime/encoded_words.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kCommentDepthMax = 50;

std::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorKind::invalid_input, std::string(why));
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Reads from the front of what is left.
class MailboxReader {
 public:
  explicit MailboxReader(std::string_view text) : rest_(text) {}

  Result<std::vector<Mailbox>> all() {
    while (true) {
      if (auto done = skip(); !done) return fail(done.error());
      if (rest_.empty()) break;
      if (rest_.front() == ',' || rest_.front() == ';') {  // also empty elements (section 4.4)
        rest_.remove_prefix(1);
        continue;
      }
      if (auto done = element(); !done) return fail(done.error());
      if (found_.size() > kMailboxesMax) return bad("has too many addresses");
    }
    return std::move(found_);
  }

 private:
  // Blanks and comments.
  Result<void> skip() {
    std::size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (depth == 0 && !is_blank(c) && c != '(') return {};
      if (c == '(' && ++depth > kCommentDepthMax) return bad("has comments within comments");
      if (c == ')') --depth;
      if (c == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      rest_.remove_prefix(1);
    }
    if (depth > 0) return bad("has a comment without an end");
    return {};
  }

  // With its quotes.
  Result<std::string_view> quoted() {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        const std::string_view text = rest_.substr(0, i + 1);
        rest_.remove_prefix(i + 1);
        return text;
      }
    }
    return bad("has a quoted string without an end");
  }

  static std::string without_quotes(std::string_view quoted) {
    std::string text;
    for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
      if (quoted[i] == '\\' && i + 2 < quoted.size()) ++i;
      text += quoted[i];
    }
    return text;
  }

  // Up to what ends an element, an angle bracket or a colon: words of a name, or an address.
  Result<void> element() {
    std::string spec;   // what it is if it is an address
    std::string words;  // what it is if it is a name
    bool was_quoted = false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == ',' || c == ';') break;
      if (c == '<') return angle(was_quoted ? words : decode_header_text(words));
      if (c == ':') {  // a group's name
        rest_.remove_prefix(1);
        return {};
      }
      if (c == '"') {
        const auto text = quoted();
        if (!text) return fail(text.error());
        was_quoted = true;
        spec += *text;
        words += (words.empty() ? "" : " ") + without_quotes(*text);
      } else if (is_blank(c) || c == '(') {
        if (auto done = skip(); !done) return done;
        words += ' ';
      } else {
        spec += c;
        words += c;
        rest_.remove_prefix(1);
      }
    }
    return add(spec, {});
  }

  Result<void> angle(std::string name) {
    rest_.remove_prefix(1);
    std::string spec;
    while (true) {
      if (rest_.empty()) return bad("has a < without its >");
      const char c = rest_.front();
      if (c == '"') {
        const auto text = quoted();
        if (!text) return fail(text.error());
        spec += *text;
      } else if (is_blank(c) || c == '(') {
        if (auto done = skip(); !done) return done;
      } else {
        rest_.remove_prefix(1);
        if (c == '>') break;
        spec += c;
      }
    }
    // A source route (section 4.4): @one,@two:address.
    if (spec.starts_with('@')) spec.erase(0, spec.find(':') == spec.npos ? 0 : spec.find(':') + 1);
    return add(spec, std::string(trim(name)));
  }

  Result<void> add(const std::string& spec, std::string name) {
    const auto address = parse_address(spec);
    if (!address) return bad(address.error().detail);
    found_.push_back({address->to_string(), std::move(name)});
    return {};
  }

  std::string_view rest_;
  std::vector<Mailbox> found_;
};

}  // namespace

Result<std::vector<Mailbox>> parse_mailbox_list(std::string_view body) {
  return MailboxReader(body).all();
}

}  // namespace todoku::mime
