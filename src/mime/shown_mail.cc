// SPDX-License-Identifier: Apache-2.0
#include "mime/shown_mail.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mime/encoded_words.h"
#include "mime/entity_walk.h"
#include "mime/foreign_text.h"
#include "mime/header.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kParameterOctetsMax = 300;

bool is_line_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && is_line_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_line_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Of a header section, each field on one line, as name and body.
template <class Take>
void each_field(std::string_view head, Take&& take) {
  while (!head.empty()) {
    std::size_t end = head.find("\r\n");
    while (end != std::string_view::npos && end + 2 < head.size() && is_line_blank(head[end + 2])) {
      end = head.find("\r\n", end + 2);
    }
    const std::string_view raw = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    if (raw.empty()) return;
    const std::string_view name = field_name(raw);
    if (name.empty()) continue;
    const std::size_t colon = raw.find(':');
    take(name, without_blanks(raw.substr(colon + 1)));
  }
}

std::string field_of(std::string_view head, std::string_view wanted) {
  std::string found;
  bool is_found = false;
  each_field(head, [&](std::string_view name, std::string_view body) {
    if (is_found || !equals_ignoring_case(name, wanted)) return;
    is_found = true;
    found = unfolded(body.substr(0, kShownFieldOctetsMax));
  });
  return found;
}

// The value of a parameter (RFC 2045 section 5.1); of RFC 2231's forms the plain extended one.
std::string parameter_of(std::string_view value, std::string_view wanted) {
  std::size_t at = value.find(';');
  while (at != std::string_view::npos) {
    std::string_view rest = value.substr(at + 1);
    while (!rest.empty() && is_line_blank(rest.front())) rest.remove_prefix(1);
    const std::size_t equals = rest.find_first_of("=;");
    if (equals == std::string_view::npos) return {};
    const std::string_view name = without_blanks(rest.substr(0, equals));
    if (rest[equals] == ';') {
      at = value.size() - rest.size() + equals;
      continue;
    }
    rest = rest.substr(equals + 1);
    while (!rest.empty() && is_line_blank(rest.front())) rest.remove_prefix(1);
    std::string said;
    if (rest.starts_with('"')) {
      rest.remove_prefix(1);
      while (!rest.empty() && rest.front() != '"') {
        if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
        said += rest.front();
        rest.remove_prefix(1);
      }
    } else {
      said = without_blanks(rest.substr(0, rest.find(';')));
    }
    if (equals_ignoring_case(name, wanted)) return said.substr(0, kParameterOctetsMax);
    const std::size_t next = rest.find(';');
    at = next == std::string_view::npos ? next : value.size() - rest.size() + next;
  }
  return {};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// RFC 2231 section 4: charset'language'percent-encoded.
std::string extended(std::string_view value) {
  const std::size_t first = value.find('\'');
  const std::size_t second = first == std::string_view::npos ? first : value.find('\'', first + 1);
  if (second == std::string_view::npos) return {};
  std::string octets;
  const std::string_view said = value.substr(second + 1);
  for (std::size_t i = 0; i < said.size(); ++i) {
    const bool is_encoded = said[i] == '%' && i + 2 < said.size() && hex_digit(said[i + 1]) >= 0 &&
                            hex_digit(said[i + 2]) >= 0;
    if (!is_encoded) {
      octets += said[i];
      continue;
    }
    octets += static_cast<char>(hex_digit(said[i + 1]) * 16 + hex_digit(said[i + 2]));
    i += 2;
  }
  return utf8_of(octets, value.substr(0, first));
}

std::string well_formed_text(std::string text) {
  if (is_utf8(text)) return text;
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const CodePoint point = decode_utf8(rest);
    out += point.octets == 0 ? kReplacementCharacter : rest.substr(0, point.octets);
    rest.remove_prefix(std::max<std::size_t>(point.octets, 1));
  }
  return out;
}

std::string file_name_of(std::string_view disposition, std::string_view type) {
  if (const std::string said = parameter_of(disposition, "filename*"); !said.empty()) {
    return well_formed_text(extended(said));
  }
  for (const auto& [value, name] : {std::pair{disposition, std::string_view("filename")},
                                    std::pair{type, std::string_view("name")}}) {
    if (const std::string said = parameter_of(value, name); !said.empty()) {
      return decode_header_text(said);
    }
  }
  return {};
}

// RFC 2045 section 6.7; what is none of it stays.
std::string from_quoted(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      out += text[i];
    } else if (text.substr(i + 1).starts_with("\r\n")) {
      i += 2;
    } else if (i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Without an end that a limit has cut off from its group of four.
std::string from_lines_of_base64(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n' || is_line_blank(c); });
  text.resize(text.size() - text.size() % 4);
  auto octets = from_base64(text);
  return octets ? std::move(*octets) : std::move(text);
}

std::string decoded(std::string octets, DeclaredEncoding encoding, const std::string& charset) {
  if (encoding == DeclaredEncoding::base64) octets = from_lines_of_base64(std::move(octets));
  if (encoding == DeclaredEncoding::quoted_printable) octets = from_quoted(octets);
  std::string text = well_formed_text(utf8_of(octets, charset));
  std::erase(text, '\r');
  return text;
}

class Showing final : public EntityHandler {
 public:
  explicit Showing(ShownMail& shown) : shown_(shown) {}

  [[nodiscard]] Result<void> entity(const Entity& entity, std::string_view head) override {
    if (!entity.is_leaf) return {};
    const EntityType& type = entity.head.type;
    const std::string said = field_of(head, "Content-Type");
    const std::string disposition = field_of(head, "Content-Disposition");
    const bool is_attached = to_ascii_lower(disposition).starts_with("attachment");
    target_ = nullptr;
    encoding_ = entity.head.encoding;
    octets_.clear();
    // RFC 2045 section 5.2: what says nothing is text.
    const bool is_plain = !entity.head.has_type || type.is("text", "plain");
    if (!is_attached && is_plain && !shown_.text.is_there) {
      target_ = &shown_.text;
    } else if (!is_attached && type.is("text", "html") && !shown_.html.is_there) {
      target_ = &shown_.html;
    }
    file_ = std::nullopt;
    if (target_ != nullptr) {
      target_->is_there = true;
      target_->charset = to_ascii_lower(parameter_of(said, "charset"));
      if (target_->charset.empty()) target_->charset = "us-ascii";
      return {};
    }
    std::string id = field_of(head, "Content-ID");
    std::erase_if(id, [](char c) { return c == '<' || c == '>' || is_line_blank(c); });
    file_ = ShownFile{
        .type = type.type.empty() ? "application/octet-stream" : type.type + "/" + type.subtype,
        .name = file_name_of(disposition, said),
        .content_id = well_formed_text(std::move(id))};
    return {};
  }
  void line(std::string_view text) override { take(text); }
  void line_end() override { take("\r\n"); }
  [[nodiscard]] Result<void> leaf_end(bool /*delimited*/) override {
    if (target_ != nullptr) {
      target_->text = decoded(std::move(octets_), encoding_, target_->charset);
      target_->text.resize(utf8_prefix(target_->text, kShownTextOctetsMax).size());
    } else if (file_ && shown_.files.size() < kShownFilesMax) {
      shown_.files.push_back(std::move(*file_));
    }
    octets_.clear();
    return {};
  }
  void between(std::string_view /*octets*/) override {}

 private:
  void take(std::string_view piece) {
    if (file_) file_->octets += piece.size();
    if (target_ == nullptr) return;
    // Encoded it is at most three times as long, and a little more.
    constexpr std::size_t kKeptMax = 4 * kShownTextOctetsMax;
    if (octets_.size() < kKeptMax) octets_ += piece.substr(0, kKeptMax - octets_.size());
  }

  ShownMail& shown_;
  ShownText* target_ = nullptr;
  DeclaredEncoding encoding_ = DeclaredEncoding::none;
  std::string octets_;
  std::optional<ShownFile> file_;
};

}  // namespace

std::string_view ShownMail::first(std::string_view name) const {
  const auto found = std::ranges::find_if(
      fields, [&](const ShownField& field) { return equals_ignoring_case(field.name, name); });
  return found == fields.end() ? std::string_view() : std::string_view(found->value);
}

ShownMail shown_mail(std::string_view octets) {
  ShownMail shown;
  const std::size_t end = octets.find("\r\n\r\n");
  each_field(octets.substr(0, end), [&](std::string_view name, std::string_view body) {
    if (shown.fields.size() >= kShownFieldsMax) return;
    shown.fields.push_back({.name = std::string(name),
                            .value = decode_header_text(unfolded(body), kShownFieldOctetsMax)});
  });
  Showing showing(shown);
  EntityWalk walk(showing);
  auto walked = walk.update(octets);
  if (walked) walked = walk.finish();
  if (walked) return shown;
  shown.trouble = walked.error().detail;
  shown.text = {};
  shown.html = {};
  shown.files.clear();
  return shown;
}

}  // namespace todoku::mime
