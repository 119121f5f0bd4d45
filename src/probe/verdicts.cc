// SPDX-License-Identifier: Apache-2.0
#include "probe/verdicts.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace todoku::probe {
namespace {

constexpr std::string_view kField = "Authentication-Results";
constexpr std::size_t kFieldsMax = 32;   // of a message
constexpr std::size_t kResultsMax = 64;  // of a field
constexpr int kCommentsDeepMax = 16;

// Calls `take(name, body)` for each field in its order until it says false; the body with its
// folds.
template <class Take>
void each_field(std::string_view header, Take&& take) {
  std::size_t at = 0;
  while (at < header.size()) {
    std::size_t end = at;
    do {  // a line, and those that begin with a blank after it
      const std::size_t line_end = header.find('\n', end);
      end = line_end == std::string_view::npos ? header.size() : line_end + 1;
    } while (end < header.size() && (header[end] == ' ' || header[end] == '\t'));
    const std::string_view field = header.substr(at, end - at);
    at = end;
    const std::size_t colon = field.find(':');
    if (trim(field).empty()) return;  // the blank line: the header is over
    if (colon == std::string_view::npos) continue;
    if (!take(trim(field.substr(0, colon)), field.substr(colon + 1))) return;
  }
}

// The body without comments (RFC 5322 section 3.2.2), each a blank; quoted strings without their
// quotes, and a semicolon in one is none that divides: it is a blank, too.
std::string without_comments(std::string_view body) {
  std::string plain;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (c == '\\' && (quoted || depth > 0)) {
      ++i;  // what is escaped means nothing that we look for
      continue;
    }
    if (depth == 0 && c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == '(' && depth < kCommentsDeepMax) {
      ++depth;
      plain += ' ';
    } else if (!quoted && c == ')' && depth > 0) {
      --depth;
    } else if (depth == 0) {
      const bool divides = quoted && c == ';';
      plain += divides || c == '\r' || c == '\n' || c == '\t' ? ' ' : c;
    }
  }
  return plain;
}

std::string_view word_of(std::string_view text) {
  return text.substr(0, text.find(' '));
}

// "spf=pass smtp.mailfrom=..." or "dkim/1 = pass": the method and its result.
struct MethodResult {
  std::string method;
  std::string result;
};
std::optional<MethodResult> result_of(std::string_view piece) {
  const std::size_t equals = piece.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  std::string_view method = trim(piece.substr(0, equals));
  method = trim(method.substr(0, method.find('/')));
  const std::string_view result = word_of(trim(piece.substr(equals + 1)));
  if (method.empty() || result.empty() || method.find(' ') != std::string_view::npos) {
    return std::nullopt;
  }
  for (const char c : result) {
    if (!is_ascii_alphanumeric(c) && c != '-' && c != '_') return std::nullopt;
  }
  return MethodResult{to_ascii_lower(method), to_ascii_lower(result.substr(0, kVerdictOctetsMax))};
}

bool is_own(std::string_view said, std::string_view own) {
  if (own.empty() || said.size() < own.size()) return false;
  const std::size_t above = said.size() - own.size();
  if (!equals_ignoring_case(said.substr(above), own)) return false;
  return above == 0 || said[above - 1] == '.';
}

std::vector<std::string_view> pieces_of(std::string_view plain) {
  std::vector<std::string_view> pieces;
  while (pieces.size() < kResultsMax) {
    const std::size_t end = plain.find(';');
    pieces.push_back(trim(plain.substr(0, end)));
    if (end == std::string_view::npos) break;
    plain.remove_prefix(end + 1);
  }
  return pieces;
}

struct Collected {
  std::string Verdicts::* place;
  std::string_view method;
};
constexpr Collected kMethods[] = {
    {&Verdicts::spf, "spf"}, {&Verdicts::dkim, "dkim"}, {&Verdicts::dmarc, "dmarc"}};

void take_field(std::string_view body, std::string_view own, Verdicts& verdicts) {
  const std::string plain = without_comments(body);
  const auto pieces = pieces_of(plain);
  const std::string_view said_by = word_of(pieces.front());
  if (verdicts.said_by.empty()) verdicts.said_by = said_by.substr(0, 255);
  if (!is_own(said_by, own)) return;
  Verdicts here;
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const auto result = result_of(pieces[i]);
    if (!result) continue;
    for (const Collected& method : kMethods) {
      if (result->method != method.method) continue;
      std::string& verdict = here.*method.place;
      if (verdict.empty() || result->result == "pass") verdict = result->result;
    }
  }
  for (const Collected& method : kMethods) {
    if ((verdicts.*method.place).empty()) verdicts.*method.place = here.*method.place;
  }
}

}  // namespace

Verdicts read_verdicts(std::string_view header, std::string_view authserv_id) {
  Verdicts verdicts;
  std::size_t fields = 0;
  each_field(header, [&](std::string_view name, std::string_view body) {
    if (!equals_ignoring_case(name, kField)) return true;
    take_field(body, authserv_id, verdicts);
    return ++fields < kFieldsMax;
  });
  return verdicts;
}

bool has_subject_with(std::string_view header, std::string_view token) {
  bool found = false;
  each_field(header, [&](std::string_view name, std::string_view body) {
    found = equals_ignoring_case(name, "Subject") && body.find(token) != std::string_view::npos;
    return !found;
  });
  return found;
}

}  // namespace todoku::probe
