// SPDX-License-Identifier: Apache-2.0
#include "intake/inline_parts.h"

#include <vector>

#include <fmt/format.h>

#include "mail/invisible.h"

namespace todoku::intake {
namespace {

// Of an id that somebody wrote in HTML.
std::string told_id(std::string_view id) {
  constexpr std::size_t kToldIdOctets = 64;
  std::string out;
  for (const char c : id.substr(0, kToldIdOctets)) out += c > ' ' && c <= '~' ? c : '?';
  if (id.size() > kToldIdOctets) out += "...";
  return out;
}

std::vector<std::string_view> ids_of(const store::Delivery& delivery) {
  std::vector<std::string_view> ids;
  for (const store::AttachmentRecord& file : delivery.attachments) {
    if (!file.content_id.empty()) ids.emplace_back(file.content_id);
  }
  return ids;
}

std::string warning_of(const mime::ReferenceLook& look, const std::vector<std::string_view>& ids) {
  std::string warning;
  const auto add = [&](std::string_view id, std::string_view sentence) {
    if (!warning.empty()) warning += "; ";
    warning += fmt::format(fmt::runtime(sentence), told_id(id));
  };
  for (const std::string& id : look.missing)
    add(id, "html_part has cid:{}, but no inline part has that id");
  std::size_t told = 0;
  for (std::size_t i = 0; i < ids.size() && !look.by_insert_code; ++i) {
    if (look.used[i] || ++told > mime::kMissingIdsMax) continue;
    add(ids[i], "the inline part {} is not in html_part");
  }
  return warning;
}

}  // namespace

std::string bare_content_id(std::string_view given) {
  std::string_view id = trim_invisible(given);
  if (id.size() > 2 && id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
  return std::string(id);
}

std::string inline_warning(const Content& content) {
  std::vector<std::string_view> ids;
  for (const Attachment& file : content.attachments) {
    if (!file.content_id.empty()) ids.emplace_back(file.content_id);
  }
  return warning_of(mime::look_at_references(content.html_part, ids), ids);
}

std::string inline_warning(const store::Delivery& delivery) {
  return warning_of(look_at_inline_parts(delivery), ids_of(delivery));
}

mime::ReferenceLook look_at_inline_parts(const store::Delivery& delivery) {
  return mime::look_at_references(delivery.content.html_part, ids_of(delivery));
}

}  // namespace todoku::intake
