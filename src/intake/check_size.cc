// SPDX-License-Identifier: Apache-2.0
#include "intake/check_size.h"

#include <algorithm>
#include <string>

#include "mime/insert_code.h"

namespace todoku::intake {
namespace {

// `attached`: octets of all attachments.
void check_fixed_size(const Content& content, std::uint64_t attached, std::uint64_t octets,
                      const Limits& limits, Problems& problems) {
  if (octets <= limits.message_octets_max) return;
  std::string field =
      content.html_part.size() > content.text_part.size() ? "html_part" : "text_part";
  if (attached > std::max(content.text_part.size(), content.html_part.size())) field = "file";
  problems.add({std::move(field)}, texts::mail_too_big(octets, limits.message_octets_max));
}

}  // namespace

mime::MessageSize size_of(const store::Delivery& draft) {
  mime::MessageSize size(draft.content);
  for (const store::AttachmentRecord& attachment : draft.attachments) {
    size.add_attachment(static_cast<std::uint64_t>(attachment.size));
  }
  return size;
}

void check_content_size(const Content& content, const mime::MessageSize& size, const Limits& limits,
                        Problems& problems) {
  std::uint64_t attached = 0;
  for (const Attachment& attachment : content.attachments) attached += attachment.data.size();
  check_fixed_size(content, attached, size.octets({}), limits, problems);
}

void check_draft_size(const store::Delivery& draft, const mime::MessageSize& size,
                      const Limits& limits, Problems& problems) {
  std::uint64_t attached = 0;
  for (const store::AttachmentRecord& record : draft.attachments) {
    attached += static_cast<std::uint64_t>(record.size);
  }
  check_fixed_size(draft.content, attached, size.octets({}), limits, problems);
}

void check_codes_size(const std::vector<InsertCode>& codes, const mime::MessageSize& size,
                      const Path& path, const Limits& limits, Problems& problems) {
  std::vector<mime::InsertCodeView> views;
  const std::uint64_t octets = size.octets(mime::view_codes(codes, views));
  if (octets <= limits.message_octets_max) return;
  if (views.empty() || size.octets({}) > limits.message_octets_max) return;
  const auto alone = [&](const mime::InsertCodeView& code) { return size.octets({&code, 1}); };
  const auto largest = std::ranges::max_element(views, {}, alone);
  Path at =
      path_of_code(path, largest->key, static_cast<std::size_t>(largest - views.begin()), "value");
  problems.add(std::move(at), texts::value_too_big({largest->key, size.uses(largest->key), octets},
                                                   limits.message_octets_max));
}

}  // namespace todoku::intake
