// SPDX-License-Identifier: Apache-2.0
#include "mime/file_name.h"

#include <algorithm>

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "mail/invisible.h"
#include "mime/text.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kFileNameOctetsMax = 200;
constexpr std::size_t kExtensionOctetsMax = 16;

// Shortens the part before the extension.
std::string shorten(std::string_view name) {
  if (name.size() <= kFileNameOctetsMax) return std::string(name);
  const std::size_t dot = name.rfind('.');
  const bool has_extension =
      dot != std::string_view::npos && name.size() - dot <= kExtensionOctetsMax;
  const std::string_view extension = has_extension ? name.substr(dot) : std::string_view{};
  return std::string(utf8_prefix(name, kFileNameOctetsMax - extension.size())) +
         std::string(extension);
}

// NFKC; as it is if ICU cannot say.
std::string folded(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCInstance(status);
  if (U_FAILURE(status) || nfkc == nullptr) return text;
  const icu::UnicodeString normal = nfkc->normalize(icu::UnicodeString::fromUTF8(text), status);
  if (U_FAILURE(status)) return text;
  std::string out;
  normal.toUTF8String(out);
  return out;
}

std::string without_invisible(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const std::string_view octets = text.substr(0, std::max<std::size_t>(point.octets, 1));
    text.remove_prefix(octets.size());
    const bool seen = point.value == ' ' || (point.octets > 0 && !is_invisible(point.value) &&
                                             !is_misleading(point.value));
    if (seen) out += octets;
  }
  return out;
}

}  // namespace

std::string clean_file_name(std::string_view given) {
  const std::string clean = header_text(given);
  std::string_view name = clean;
  const std::size_t directory = name.find_last_of("/\\");
  if (directory != std::string_view::npos) name.remove_prefix(directory + 1);
  name = trim_invisible(name);
  return name.empty() ? "attachment" : shorten(name);
}

std::vector<std::string> file_extensions(std::string_view given) {
  // Both before and after folding: some of what folds to a space is not seen before.
  const std::string name = without_invisible(folded(without_invisible(given)));
  std::vector<std::string> extensions;
  for (std::string_view rest = name; !rest.empty();) {
    const std::size_t end = std::min(rest.find_first_of(":/\\"), rest.size());
    std::string_view part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    part = part.substr(0, part.find_last_not_of(". ") + 1);
    const std::size_t dot = part.rfind('.');
    if (dot != std::string_view::npos) extensions.push_back(to_ascii_lower(part.substr(dot + 1)));
  }
  return extensions;
}

}  // namespace todoku::mime
