// SPDX-License-Identifier: Apache-2.0
// What Japan's law on advertising mail (特定電子メール法, Article 4, and its ordinance) wants to be
// said in the text: who sends, the postal address, that one can refuse and where, where to
// complain. Found in Japanese and English texts by words and forms; a hint for people, no judgement
// of the law.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/finding.h"

namespace todoku::doctor {

// Where something was found. Lines count from 1.
struct NoticeLine {
  std::size_t number = 0;
  std::string text;
};

struct LawNotices {
  std::optional<NoticeLine> sender;
  std::optional<NoticeLine> address;
  std::optional<NoticeLine> opt_out;
  bool opt_out_has_way = false;  // a link or an address stands near a line of this kind
  std::optional<NoticeLine> contact;
  bool contact_has_way = false;  // likewise, or a telephone number
};

// Of a text as readers see it, in UTF-8; more than kLawTextOctetsMax of it are not looked at: its
// beginning and its end are, where such lines stand. `sender_name`: the name in From, which counts
// where the text repeats it. An insert code counts as a link.
inline constexpr std::size_t kLawTextOctetsMax = std::size_t{256} << 10U;
[[nodiscard]] LawNotices law_notices(std::string_view text, std::string_view sender_name);

struct LawPart {
  std::string_view name;  // "text_part", "html_part"
  std::string_view text;  // as readers see it
};
// For each part what it lacks, each with a line to add; or that it lacks nothing.
[[nodiscard]] std::vector<Finding> law_findings(std::span<const LawPart> parts,
                                                std::string_view sender_name);

}  // namespace todoku::doctor
