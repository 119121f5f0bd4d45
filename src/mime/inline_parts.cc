// SPDX-License-Identifier: Apache-2.0
#include "mime/inline_parts.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "mime/html_reader.h"
#include "mime/insert_code.h"

namespace todoku::mime {
namespace {

constexpr std::string_view kScheme = "cid";

bool is_id_character(char c) {
  return is_ascii_alphanumeric(c) || c == '-' || c == '_' || c == '+';
}

// dot-atom-text of RFC 5322 section 3.2.3.
bool is_dotted(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || text.contains(".."))
    return false;
  return std::ranges::all_of(text, [](char c) { return c == '.' || is_id_character(c); });
}

// What ends a URL in an attribute, in a list of them, or in url() of a style sheet. A character
// reference (&quot;) begins with what ends it: no id has one.
constexpr std::string_view kUrlEnds = " \t\r\n\f\"'<>(),;&\\?#";

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (const auto octet = from_hex(text.substr(i + 1, 2)); octet && octet->size() == 1) {
        out += *octet;
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

// Whether what stands before an "=" is the name of an attribute, and not a part of another URL.
bool ends_attribute_name(std::string_view html, std::size_t at) {
  constexpr std::size_t kNameMax = 32;  // src, href, background, longer ones of SVG
  constexpr std::string_view kSpace = " \t\r\n\f";
  if (at > 0 && kSpace.contains(html[at - 1])) return true;
  const std::size_t end = at;
  while (at > 0 && end - at <= kNameMax &&
         (is_ascii_alphanumeric(html[at - 1]) || html[at - 1] == '-' || html[at - 1] == ':')) {
    --at;
  }
  constexpr std::string_view kBefore = " \t\r\n\f\"'/";
  return at > 0 && at < end && kBefore.contains(html[at - 1]);
}

// Whether the colon at `at` ends the scheme "cid" (RFC 3986 section 3.1) where a URL begins: not in
// a longer word, nor in the path or the query of another URL.
bool ends_scheme(std::string_view html, std::size_t at) {
  if (at < kScheme.size()) return false;
  const std::size_t begin = at - kScheme.size();
  if (!equals_ignoring_case(html.substr(begin, kScheme.size()), kScheme)) return false;
  if (begin == 0) return true;
  const char before = html[begin - 1];
  if (before == '=') return ends_attribute_name(html, begin - 1);
  constexpr std::string_view kInUrls = "+-./?&#_:@%~$!*";
  return !is_ascii_alphanumeric(before) && !kInUrls.contains(before);
}

// Goes along with positions that grow, and says whether they are in text that is read.
class ReadText {
 public:
  explicit ReadText(std::string_view html) : html_(html), reader_(html) {}

  bool holds(std::size_t at) {
    while (at >= end_ && more_) {
      more_ = reader_.next(token_);
      if (!more_ || token_.kind != HtmlToken::Kind::text) continue;
      begin_ = static_cast<std::size_t>(token_.text.data() - html_.data());
      end_ = begin_ + token_.text.size();
    }
    return at >= begin_ && at < end_;
  }

 private:
  std::string_view html_;
  HtmlReader reader_;
  HtmlToken token_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool more_ = true;
};

// Insert codes are looked for as they are written: one that has percent signs is no encoding.
bool has_insert_key(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!insert_key_at(text.substr(i)).empty()) return true;
  }
  return false;
}

}  // namespace

bool is_content_id(std::string_view id) {
  if (id.size() > kContentIdOctetsMax || has_insert_key(id)) return false;
  const std::size_t at = id.find('@');
  if (at == std::string_view::npos) return is_dotted(id);
  return is_dotted(id.substr(0, at)) && is_dotted(id.substr(at + 1));
}

std::string whole_content_id(std::string_view id, std::string_view tail) {
  std::string whole(id);
  if (!id.contains('@')) whole += tail;
  return whole;
}

std::vector<ContentReference> content_references(std::string_view html) {
  std::vector<ContentReference> found;
  std::optional<ReadText> text;  // most HTML refers to nothing, and need not be read
  std::size_t from = 0;
  for (std::size_t at = html.find(':'); at != std::string_view::npos; at = html.find(':', from)) {
    from = at + 1;
    if (!ends_scheme(html, at)) continue;
    if (!text) text.emplace(html);
    if (text->holds(at)) continue;
    const std::size_t end = std::min(html.find_first_of(kUrlEnds, at + 1), html.size());
    std::string id = percent_decoded(html.substr(at + 1, end - at - 1));
    if (id.empty()) continue;
    found.push_back({at + 1, end, std::move(id)});
    from = end;
  }
  return found;
}

std::string with_whole_ids(std::string html, std::span<const Attachment> files,
                           std::string_view tail) {
  std::unordered_map<std::string_view, std::string> whole_ids;
  for (const Attachment& file : files) {
    if (!is_content_id(file.content_id)) continue;
    whole_ids.emplace(file.content_id, whole_content_id(file.content_id, tail));
  }
  if (whole_ids.empty()) return html;
  std::string out;
  std::size_t from = 0;
  for (const ContentReference& reference : content_references(html)) {
    const auto whole = whole_ids.find(reference.id);
    if (whole == whole_ids.end()) continue;
    out.append(html, from, reference.begin - from);
    out += whole->second;
    from = reference.end;
  }
  out.append(html, from);
  return out;
}

ReferenceLook look_at_references(std::string_view html, std::span<const std::string_view> ids) {
  ReferenceLook look{.used = std::vector<bool>(ids.size()), .missing = {}};
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) places.emplace(ids[i], i);
  for (ContentReference& reference : content_references(html)) {
    if (const auto place = places.find(reference.id); place != places.end()) {
      look.used[place->second] = true;
    } else if (has_insert_key(html.substr(reference.begin, reference.end - reference.begin))) {
      look.by_insert_code = true;
    } else if (look.missing.size() < kMissingIdsMax &&
               std::ranges::find(look.missing, reference.id) == look.missing.end()) {
      look.missing.push_back(std::move(reference.id));
    }
  }
  return look;
}

}  // namespace todoku::mime
