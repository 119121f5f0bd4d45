// SPDX-License-Identifier: Apache-2.0
#include "mime/mailbox_list.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mime/encoded_words.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kCommentDepthMax = 50;
constexpr std::size_t kSkippedWordMax = 1024;
constexpr std::size_t kFieldOctetsMax = 64UL * 1024;

std::unexpected<Error> no_list(std::string why) {
  return fail(ErrorKind::invalid_input, std::move(why));
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

// RFC 5322 section 3.2.3 with RFC 6532 section 3.2.
bool is_atom_character(char c) {
  return static_cast<unsigned char>(c) > ' ' && !std::string_view("()<>[]:;@\\,.\"").contains(c);
}

// What stands before an @, a < or the end of an element: a name, or what is before the @.
struct Words {
  struct Word {
    std::string text;  // without quotes
    bool is_quoted = false;
    bool is_dot = false;
    bool is_apart = false;  // blanks or comments before it
  };
  std::vector<Word> list;

  // RFC 5322 section 4.4, obs-local-part: words with a dot between any two. Dots may stand
  // anywhere, as older Japanese carriers handed them out (mail/address.h).
  [[nodiscard]] bool is_local_part() const {
    for (std::size_t i = 1; i < list.size(); ++i) {
      if (!list[i].is_dot && !list[i - 1].is_dot) return false;
    }
    return !list.empty();
  }

  [[nodiscard]] std::string joined() const {
    std::string text;
    for (const Word& word : list) text += word.text;
    return text;
  }

  // Only what is not quoted has encoded-words (RFC 2047 section 5).
  [[nodiscard]] std::string name() const {
    std::string decoded;
    std::string atoms;
    const auto end_atoms = [&] {
      decoded += decode_header_text(atoms);
      atoms.clear();
    };
    for (const Word& word : list) {
      if (word.is_quoted) end_atoms();
      const bool begins = decoded.empty() && atoms.empty();
      if (word.is_apart && !begins) (word.is_quoted ? decoded : atoms) += ' ';
      (word.is_quoted ? decoded : atoms) += word.text;
    }
    end_atoms();
    return header_text(decoded);
  }
};

// Reads from the front of what is left.
class MailboxReader {
 public:
  MailboxReader(std::string_view text, std::size_t most) : rest_(text), most_(most) {}

  Result<std::vector<ListedMailbox>> all() {
    if (rest_.size() > kFieldOctetsMax) {
      return no_list(fmt::format("is longer than {} octets", kFieldOctetsMax));
    }
    if (std::ranges::any_of(rest_, is_control)) return no_list("has a control character");
    while (true) {
      if (auto done = skip(); !done) return fail(done.error());
      if (rest_.empty()) break;
      if (take(',')) continue;  // also empty elements (section 4.4)
      if (take(';')) {
        if (!std::exchange(in_group_, false)) return no_list("has a semicolon where no group ends");
        continue;
      }
      if (auto done = element(); !done) return fail(done.error());
      if (found_.size() > most_) {
        return no_list(fmt::format("has more than {} addresses", most_));
      }
    }
    if (in_group_) return no_list("has a name with a colon, or a group without its end");
    return std::move(found_);
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  [[nodiscard]] bool at_end_of_element() const {
    return rest_.empty() || rest_.front() == ',' || rest_.front() == ';';
  }

  // Blanks and comments; what the last of these says is kept.
  Result<void> skip() {
    std::size_t depth = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (depth == 0 && !is_blank(c) && c != '(') return {};
      if (c == '(' && ++depth > kCommentDepthMax) return no_list("has comments within comments");
      if (c == '(' && depth == 1) {
        comment_.clear();
      } else if (c == ')' && --depth == 0) {
        // It ends.
      } else if (depth > 0) {
        if (c == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
        comment_ += rest_.front();
      }
      rest_.remove_prefix(1);
    }
    if (depth > 0) return no_list("has a comment without an end");
    return {};
  }

  Result<std::string> quoted() {
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      text += rest_[i];
    }
    return no_list("has a quoted string without an end");
  }

  // How much of what is left is an encoded-word as many write them in names, with characters that
  // no atom has. None that another reader could find an address in.
  [[nodiscard]] std::size_t encoded_word_size() const {
    if (!rest_.starts_with("=?")) return 0;
    const std::string_view near = rest_.substr(0, kSkippedWordMax);
    const std::size_t charset = near.find('?', 2);
    if (charset == std::string_view::npos || charset + 2 >= near.size()) return 0;
    if (near[charset + 2] != '?') return 0;
    const std::size_t end = near.find("?=", charset + 3);
    const std::string_view word = near.substr(0, end);
    if (end == std::string_view::npos || word.find_first_of("@<>\" \t") != std::string_view::npos) {
      return 0;
    }
    return end + 2;
  }

  Result<Words> words() {
    Words read;
    while (true) {
      const std::size_t before = rest_.size();
      if (auto done = skip(); !done) return fail(done.error());
      const bool is_apart = rest_.size() != before;
      if (rest_.empty()) return read;
      if (take('.')) {
        read.list.push_back({".", false, true, is_apart});
      } else if (rest_.front() == '"') {
        auto text = quoted();
        if (!text) return fail(text.error());
        read.list.push_back({std::move(*text), true, false, is_apart});
      } else {
        std::size_t size = encoded_word_size();
        while (size < rest_.size() && is_atom_character(rest_[size])) ++size;
        if (size == 0) return read;
        read.list.push_back({std::string(rest_.substr(0, size)), false, false, is_apart});
        rest_.remove_prefix(size);
      }
    }
  }

  // Behind the @.
  Result<std::string> domain() {
    if (auto done = skip(); !done) return fail(done.error());
    if (rest_.starts_with('[')) {
      const std::size_t end = rest_.find(']');
      if (end == std::string_view::npos) return no_list("has a [ without its ]");
      std::string literal(rest_.substr(0, end + 1));
      rest_.remove_prefix(end + 1);
      return literal;
    }
    const auto labels = words();
    if (!labels) return fail(labels.error());
    const auto is_label = [](const Words::Word& word) { return !word.is_quoted; };
    if (!std::ranges::all_of(labels->list, is_label) || !labels->is_local_part()) {
      return no_list("has an address with something that is no domain behind its @");
    }
    return labels->joined();
  }

  // An address whose words before the @ have been read.
  Result<ListedMailbox> address(const Words& before) {
    if (!before.is_local_part()) {
      return no_list(before.list.empty() ? "has an address with nothing before the @"
                                         : "has a name without < and > around the address");
    }
    ListedMailbox made{
        .mailbox = {before.joined(), {}}, .is_qualified = false, .in_group = in_group_};
    if (!take('@')) return made;
    const auto host = domain();
    if (!host) return fail(host.error());
    const std::string spec = Address{before.joined(), *host}.to_string();
    // As it is written in ASCII: a dot may be of full width (RFC 3490 section 3.1).
    const auto ascii = host->starts_with('[') ? *host : to_ascii_domain(*host);
    if (ascii && !ascii->starts_with('[') && !ascii->contains('.')) {
      made.mailbox.address = spec;
      return made;
    }
    const auto parsed = parse_address(spec);
    if (!parsed) return no_list(parsed.error().detail);
    made.mailbox.address = parsed->to_string();
    made.is_qualified = true;
    return made;
  }

  Result<ListedMailbox> angle() {
    rest_.remove_prefix(1);
    if (auto done = skip(); !done) return fail(done.error());
    if (rest_.starts_with('@')) {  // a source route (section 4.4): @one,@two:address
      const std::size_t end = rest_.find_first_of(":>\"");
      if (end == std::string_view::npos || rest_[end] != ':')
        return no_list("has an invalid route");
      rest_.remove_prefix(end + 1);
    }
    const auto before = words();
    if (!before) return fail(before.error());
    auto made = address(*before);
    if (!made) return made;
    if (auto done = skip(); !done) return fail(done.error());
    if (!take('>')) return no_list("has a < without its >");
    return made;
  }

  // "info@example.jp <info@example.jp>" is frequent, and nobody is misled by it; with another
  // domain one reader takes the one for the sender and one the other.
  Result<ListedMailbox> named_by_address(const ListedMailbox& name) {
    auto made = angle();
    if (!made) return made;
    const auto one = parse_address(name.mailbox.address);
    const auto other = parse_address(made->mailbox.address);
    if (!one || !other || one->domain != other->domain) {
      return no_list("has another address before the <");
    }
    made->mailbox.name = name.mailbox.address;
    return made;
  }

  Result<void> element() {
    comment_.clear();
    const auto before = words();
    if (!before) return fail(before.error());
    if (rest_.starts_with(':')) return group(*before);
    auto made = mailbox(*before);
    if (!made) return fail(made.error());
    if (auto done = skip(); !done) return fail(done.error());
    if (!at_end_of_element()) return no_list("has something behind an address");
    if (made->mailbox.name.empty()) made->mailbox.name = decode_header_text(trim(comment_));
    found_.push_back(std::move(*made));
    return {};
  }

  Result<ListedMailbox> mailbox(const Words& before) {
    if (rest_.starts_with('<')) {
      auto made = angle();
      if (made) made->mailbox.name = before.name();
      return made;
    }
    auto made = address(before);
    if (!made) return made;
    if (auto done = skip(); !done) return fail(done.error());
    return rest_.starts_with('<') ? named_by_address(*made) : std::move(made);
  }

  Result<void> group(const Words& name) {
    if (in_group_ || name.list.empty()) return no_list("has a colon where no group begins");
    in_group_ = true;
    rest_.remove_prefix(1);
    return {};
  }

  std::string_view rest_;
  const std::size_t most_;
  std::vector<ListedMailbox> found_;
  std::string comment_;
  bool in_group_ = false;
};

}  // namespace

Result<std::vector<ListedMailbox>> parse_mailbox_list(std::string_view body, std::size_t most) {
  return MailboxReader(body, most).all();
}

}  // namespace todoku::mime
