// SPDX-License-Identifier: Apache-2.0
#include "mime/veiled_fields.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace todoku::mime {
namespace {

constexpr std::string_view kVeil = "X-Veiled-";

// The line with its LF.
std::string_view take_line_of_mail(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
  rest.remove_prefix(line.size());
  return line;
}

bool is_blank_or_control(char c) {
  return (c >= '\0' && c <= ' ') || c == '\x7F';
}

// More than any reader takes for a field: whatever but blanks and controls, then any of these, then
// a colon.
bool may_begin_field(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size() && line[at] != ':' && !is_blank_or_control(line[at])) ++at;
  if (at == 0) return false;
  while (at < line.size() && is_blank_or_control(line[at])) ++at;
  return at < line.size() && line[at] == ':';
}

bool is_of_form(std::string_view line) {
  constexpr std::array<std::string_view, 3> kNames{
      "content-type:", "content-disposition:", "content-transfer-encoding:"};
  return std::ranges::any_of(kNames, [line](std::string_view name) {
    return equals_ignoring_case(line.substr(0, name.size()), name);
  });
}

}  // namespace

std::string veil_fields(std::string_view mail) {
  std::string veiled;
  veiled.reserve(mail.size() + (mail.size() / 8));
  std::size_t of_form = 0;
  std::size_t left = 0;  // of the field at hand
  bool in_form_field = false;
  while (!mail.empty()) {
    const std::string_view line = take_line_of_mail(mail);
    const bool goes_on = in_form_field && (line.front() == ' ' || line.front() == '\t');
    if (!goes_on) {
      in_form_field = is_of_form(line) && of_form < kFormFieldsOctetsMax;
      left = kFormFieldOctetsMax;
    }
    if (in_form_field) {
      const std::string_view kept = line.substr(0, left);
      veiled += kept;
      if (!kept.empty() && kept.size() < line.size()) veiled += '\n';
      left -= kept.size();
      of_form += kept.size();
      continue;
    }
    const bool delimits = line.starts_with("--");
    if (line.starts_with(kVeil) || (!delimits && may_begin_field(line))) veiled += kVeil;
    veiled += line;
  }
  return veiled;
}

std::string unveil_fields(std::string_view piece) {
  std::string out;
  out.reserve(piece.size());
  while (!piece.empty()) {
    std::string_view line = take_line_of_mail(piece);
    if (line.starts_with(kVeil)) line.remove_prefix(kVeil.size());
    out += line;
  }
  return out;
}

}  // namespace todoku::mime
