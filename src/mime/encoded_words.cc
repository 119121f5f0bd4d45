// SPDX-License-Identifier: Apache-2.0
#include "mime/encoded_words.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mime/charset.h"
#include "mime/foreign_text.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

// RFC 2047 section 2 allows 75; real ones are longer, and nobody writes one of a kilobyte.
constexpr std::size_t kWordOctetsMax = 1024;

struct EncodedWord {
  std::string charset;
  std::string octets;
  std::size_t size = 0;  // as written
};

int hex_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> from_q(std::string_view text) {
  std::string octets;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      octets += ' ';
    } else if (text[i] != '=') {
      octets += text[i];
    } else {
      if (text.size() - i < 3 || hex_of(text[i + 1]) < 0 || hex_of(text[i + 2]) < 0) {
        return std::nullopt;
      }
      octets += static_cast<char>(hex_of(text[i + 1]) * 16 + hex_of(text[i + 2]));
      i += 2;
    }
  }
  return octets;
}

// Base64 without its end is common, and what is cut within four characters says what it can.
std::optional<std::string> from_b(std::string_view text) {
  std::string padded(text.substr(0, std::min(text.find('='), text.size())));
  if (padded.size() % 4 == 1) padded.pop_back();
  while (padded.size() % 4 != 0) padded += '=';
  return from_base64(padded);
}

// The encoded-word that `text` begins with: =?charset[*language]?B|Q?text?=
std::optional<EncodedWord> encoded_word_at(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  text = text.substr(0, kWordOctetsMax);
  const std::size_t charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end == 2) return std::nullopt;
  if (text.size() < charset_end + 3) return std::nullopt;
  if (text[charset_end + 2] != '?') return std::nullopt;
  const std::size_t begin = charset_end + 3;
  const std::size_t end = text.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view body = text.substr(begin, end - begin);
  if (body.contains(' ')) return std::nullopt;
  const char encoding = ascii_lower(text[charset_end + 1]);
  auto octets = encoding == 'b' ? from_b(body)
                                : (encoding == 'q' ? from_q(body) : std::optional<std::string>());
  if (!octets) return std::nullopt;
  std::string_view charset = text.substr(2, charset_end - 2);
  charset = charset.substr(0, charset.find('*'));  // RFC 2231 section 5
  if (charset.empty()) return std::nullopt;
  return EncodedWord{to_ascii_lower(charset), std::move(*octets), end + 2};
}

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

// A run of encoded-words of one charset, as octets.
class Run {
 public:
  explicit Run(std::string& out) : out_(out) {}
  void add(EncodedWord word) {
    if (!charset_.empty() && charset_ != word.charset) end();
    charset_ = std::move(word.charset);
    octets_ += word.octets;
  }
  [[nodiscard]] bool open() const { return !charset_.empty(); }
  void end() {
    if (charset_.empty()) return;
    append_header_text(out_, utf8_of(octets_, charset_));
    charset_.clear();
    octets_.clear();
  }

 private:
  std::string& out_;
  std::string charset_;
  std::string octets_;
};

}  // namespace

std::string decode_header_text(std::string_view text, std::size_t octets_max) {
  std::string out;
  Run run(out);
  std::string_view rest = text.substr(0, 64 * octets_max);
  // Old programs write ISO-2022-JP as it is.
  const std::string from_jis =
      rest.contains(kJisToKanji) ? utf8_of(rest, charset_name(Encoding::iso_2022_jp)) : "";
  if (!from_jis.empty()) rest = from_jis;
  while (!rest.empty() && out.size() <= octets_max) {
    // White space between two encoded-words is none (RFC 2047 section 6.2).
    const std::size_t blanks =
        static_cast<std::size_t>(std::ranges::find_if_not(rest, is_space) - rest.begin());
    if (auto word = encoded_word_at(rest.substr(blanks))) {
      if (!run.open()) append_header_text(out, rest.substr(0, blanks));
      rest.remove_prefix(blanks + word->size);
      run.add(std::move(*word));
      continue;
    }
    run.end();
    std::size_t plain = std::min(std::max<std::size_t>(blanks, 1), rest.size());
    while (plain < rest.size() && !is_space(rest[plain]) && !rest.substr(plain).starts_with("=?")) {
      ++plain;
    }
    append_header_text(out, rest.substr(0, plain));
    rest.remove_prefix(plain);
  }
  run.end();
  return std::string(utf8_prefix(out, std::max<std::size_t>(octets_max, 4)));
}

std::string unfolded(std::string_view body) {
  std::string line;
  line.reserve(body.size());
  for (const char c : body) {
    if (c != '\r' && c != '\n') line += c;
  }
  return std::string(trim(line));
}

}  // namespace todoku::mime
