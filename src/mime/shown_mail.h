// SPDX-License-Identifier: Apache-2.0
// A message as the one who wrote it wants to see it: its header in words, its text and its HTML in
// UTF-8, and what is attached. Of a message that could be understood in two ways only the header is
// told (mime/entity_walk.h), and why. Pure; bounded whatever it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace todoku::mime {

// Fields that are told, octets of each, and octets of a text; what is beyond is left out.
inline constexpr std::size_t kShownFieldsMax = 200;
inline constexpr std::size_t kShownFieldOctetsMax = 2'048;
inline constexpr std::size_t kShownTextOctetsMax = std::size_t{1} << 20U;
inline constexpr std::size_t kShownFilesMax = 200;

struct ShownField {
  std::string name;   // as it is written
  std::string value;  // on one line, encoded-words read, in UTF-8
};

struct ShownText {
  bool is_there = false;
  std::string text;     // UTF-8 with LF line ends
  std::string charset;  // as declared, lower case; "us-ascii" where nothing is
};

// A part that is neither the text nor the HTML.
struct ShownFile {
  std::string type;          // lower case, "application/pdf"
  std::string name;          // empty: it has none
  std::string content_id;    // without angle brackets; empty: it has none
  std::uint64_t octets = 0;  // as they stand in the message, encoded
};

struct ShownMail {
  std::vector<ShownField> fields;
  ShownText text;  // the first text/plain that is not attached
  ShownText html;  // likewise text/html
  std::vector<ShownFile> files;
  std::string trouble;  // why the body is not read, a clause; empty: it is

  // The first of this name, in any case of letters; empty: there is none.
  [[nodiscard]] std::string_view first(std::string_view name) const;
};

// `octets`: lines with CRLF.
[[nodiscard]] ShownMail shown_mail(std::string_view octets);

}  // namespace todoku::mime
