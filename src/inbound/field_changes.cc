// SPDX-License-Identifier: Apache-2.0
#include "inbound/field_changes.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "mime/header.h"

namespace todoku::inbound {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// The line that `rest` begins with, without its end, which is taken off with it.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool continues(std::string_view rest) {
  return rest.starts_with(' ') || rest.starts_with('\t');
}

bool is_name(std::string_view name) {
  return !name.empty() && mime::field_name(std::string(name) + ":") == name;
}

using Field = std::pair<std::string, std::string>;  // its name, and all of it

void apply(std::vector<Field>& fields, const FieldChange& change) {
  Field made(change.name, field_text(change.name, change.value));
  if (made.second.empty()) return;
  if (change.kind == FieldChange::Kind::add) {
    fields.push_back(std::move(made));
    return;
  }
  if (change.kind == FieldChange::Kind::insert) {
    const std::size_t at = std::min<std::size_t>(change.index, fields.size());
    fields.insert(fields.begin() + static_cast<std::ptrdiff_t>(at), std::move(made));
    return;
  }
  std::uint32_t left = std::max<std::uint32_t>(change.index, 1);
  const auto found = std::ranges::find_if(fields, [&](const Field& field) {
    return equals_ignoring_case(field.first, change.name) && --left == 0;
  });
  const bool is_removal = change.kind == FieldChange::Kind::remove;
  if (found == fields.end()) {
    if (!is_removal) fields.push_back(std::move(made));
  } else if (is_removal) {
    fields.erase(found);
  } else {
    *found = std::move(made);
  }
}

}  // namespace

SplitMail split_mail(std::string_view octets) {
  SplitMail mail;
  std::string_view rest = octets;
  while (!rest.empty()) {
    std::string_view after = rest;
    const std::string_view first = take_line(after);
    if (first.empty()) {
      rest = after;
      break;
    }
    const std::string_view name = mime::field_name(first);
    const std::size_t colon = first.find(':');
    if (name.empty() || colon == std::string_view::npos) break;
    const std::size_t begin = static_cast<std::size_t>(first.data() - octets.data()) + colon + 1;
    std::size_t end = begin + first.size() - colon - 1;
    while (continues(after)) {
      const std::string_view more = take_line(after);
      end = static_cast<std::size_t>(more.data() - octets.data()) + more.size();
    }
    mail.fields.push_back({name, octets.substr(begin, end - begin)});
    rest = after;
  }
  mail.body = rest;
  return mail;
}

std::string field_text(std::string_view name, std::string_view value) {
  if (!is_name(name)) return {};
  std::string text = std::string(name) + ":";
  bool is_first = true;
  while (is_first || !value.empty()) {
    std::string line(take_line(value));
    std::erase_if(line, [](char c) { return c == '\0' || c == '\r'; });
    if (is_first) {
      if (!line.empty() && !continues(line)) text += ' ';
      text += line;
    } else if (!trim(line).empty()) {
      text += kLineEnd;
      if (!continues(line)) text += '\t';
      text += line;
    }
    is_first = false;
  }
  text += kLineEnd;
  return text;
}

std::string with_changes(std::string_view octets, std::span<const FieldChange> changes) {
  if (changes.empty()) return std::string(octets);
  const SplitMail mail = split_mail(octets);
  std::vector<Field> fields;
  fields.reserve(mail.fields.size() + changes.size());
  for (const RawField& field : mail.fields) {
    // As they stand: a signature may be over them.
    const char* const end = field.value.data() + field.value.size();
    fields.emplace_back(field.name, std::string(field.name.data(), end) + std::string(kLineEnd));
  }
  for (const FieldChange& change : changes) apply(fields, change);
  std::string changed;
  changed.reserve(octets.size() + (std::size_t{4} << 10U));
  for (const Field& field : fields) changed += field.second;
  changed += kLineEnd;
  changed += mail.body;
  return changed;
}

}  // namespace todoku::inbound
