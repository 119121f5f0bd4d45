// SPDX-License-Identifier: Apache-2.0
#include "intake/draft_look.h"

#include <algorithm>
#include <utility>

#include "intake/check_size.h"

namespace todoku::intake {
namespace {

bool says_the_same(const store::Delivery& one, const store::Delivery& other) {
  const auto are_alike = [](const store::AttachmentRecord& a, const store::AttachmentRecord& b) {
    return a.size == b.size && a.content_id == b.content_id;
  };
  return one.content == other.content &&
         std::ranges::equal(one.attachments, other.attachments, are_alike);
}

}  // namespace

DraftLook::DraftLook(store::Delivery draft, DraftCheck check)
    : draft_(std::move(draft)), check_(std::move(check)), found_(look(draft_)) {}

Problems DraftLook::problems_of(const store::Delivery& draft) const {
  return says_the_same(draft, draft_) ? found_ : look(draft);
}

Problems DraftLook::look(const store::Delivery& draft) const {
  Problems found;
  check_(draft, size_of(draft), found);
  return found;
}

void apply(const store::DraftChange& change, store::Delivery& draft) {
  apply_fields(change, draft.content);
  if (!change.inline_parts) return;
  std::erase_if(draft.attachments,
                [](const store::AttachmentRecord& file) { return !file.content_id.empty(); });
  for (const Attachment& part : *change.inline_parts) {
    draft.attachments.push_back({.file_name = part.file_name,
                                 .mime_type = part.mime_type,
                                 .size = static_cast<std::int64_t>(part.data.size()),
                                 .content_id = part.content_id});
  }
}

}  // namespace todoku::intake
