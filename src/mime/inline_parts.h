// SPDX-License-Identifier: Apache-2.0
// Parts that stand in a mail for its HTML to show (RFC 2387): their ids, and where the HTML refers
// to them (RFC 2392). Who sends them writes cid:logo; in the mail an id has the form of a
// Message-ID (RFC 2045 section 7), so that one without an @ gets a tail that is the delivery's own
// (content_id_tail()), and what refers to it in the HTML gets the same.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mime/content.h"

namespace todoku::mime {

inline constexpr std::size_t kContentIdOctetsMax = 128;
// Of what is added to an id: a dot, 32 digits, an @ and a domain.
inline constexpr std::size_t kContentIdTailOctetsMax = 1 + 32 + 1 + 253;

// Whether an id can be written: letters, digits, "-", "_", "+" and dots between them, with one "@"
// at most (RFC 5322 section 3.2.3, less what means something else in HTML, in URLs and in insert
// codes), kContentIdOctetsMax in all. A file with another one is attached.
[[nodiscard]] bool is_content_id(std::string_view id);

// As it stands in the mail, without angle brackets.
[[nodiscard]] std::string whole_content_id(std::string_view id, std::string_view tail);

// What follows "cid:" in a tag, a style sheet or a comment, where mail programs look for it; not in
// text that is read.
struct ContentReference {
  std::size_t begin = 0;  // in the HTML, behind the colon
  std::size_t end = 0;
  std::string id;  // without percent-encoding; never empty
};
// In order; in linear time, whatever the input.
[[nodiscard]] std::vector<ContentReference> content_references(std::string_view html);

// `html` with the ids that `files` have in the mail.
[[nodiscard]] std::string with_whole_ids(std::string html, std::span<const Attachment> files,
                                         std::string_view tail);

// Whom of `ids` the HTML refers to, and to what else it does.
struct ReferenceLook {
  std::vector<bool> used;            // by place in `ids`
  std::vector<std::string> missing;  // each once, in order, kMissingIdsMax at most
  bool by_insert_code = false;       // each recipient's own values say to what else
};
inline constexpr std::size_t kMissingIdsMax = 10;
[[nodiscard]] ReferenceLook look_at_references(std::string_view html,
                                               std::span<const std::string_view> ids);

}  // namespace todoku::mime
