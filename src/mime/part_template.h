// SPDX-License-Identifier: Apache-2.0
// A text part (text/plain or text/html) of a delivery: what can be encoded once is, what is a
// recipient's own is encoded for each.
//
//   7bit              printable ASCII or ISO-2022-JP, with lines that are short enough and that
//                     cannot be taken for a delimiter
//   base64            UTF-8 beyond ASCII; other ISO-2022-JP
//   quoted-printable  other ASCII
//
// Long literal stretches between insert codes are shared. In 7bit these are whole lines. In base64
// a stretch can begin at each of the three phases of its groups, so it is encoded three times, and
// the encoded line before it ends early: lines shorter than 76 characters are legal anywhere
// (RFC 2045 section 6.8).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mime/body_writer.h"
#include "mime/charset.h"
#include "mime/insert_code.h"
#include "mime/transfer_encoding.h"

namespace todoku::mime {

// Whether a part is the whole body of the message, whose header then describes it, or stands in a
// multipart, with its own header.
enum class PartPlace : bool { whole_body, in_multipart };

// The header fields of a text part, each with its CRLF.
void append_text_content_type(std::string& out, std::string_view subtype, Encoding charset);
void append_transfer_encoding(std::string& out, TransferEncoding encoding);

struct EncodedText {
  TransferEncoding encoding = TransferEncoding::seven_bit;
  bool has_leading_dot = false;
};

class PartTemplate {
 public:
  // `subtype` is "plain" or "html"; the text is clean (body_text()), and `charset` the one that
  // most recipients will get. `values`: the form in which they stand in it.
  PartTemplate(std::string_view subtype, CompiledText text, Encoding charset, ValueForm values);

  struct Target {
    BodyWriter& body;
    const InsertValues& values;
    std::string& scratch;
    Encoding charset;
    PartPlace place;
  };
  // Writes the part, ending in CRLF unless it is an empty whole body. nullopt, with something half
  // written, if the charset cannot say it.
  [[nodiscard]] std::optional<TransferEncoding> compose(const Target& target) const;

  [[nodiscard]] std::string_view subtype() const { return subtype_; }
  [[nodiscard]] std::size_t memory_octets() const;

 private:
  // A shared stretch of a literal run. It begins `phase` octets after `begin` and ends at
  // `end[phase]`; whole lines have phase 0 only.
  struct Section {
    std::size_t begin = 0;
    std::array<std::size_t, 3> end{};
    std::array<std::string, 3> encoded;
    bool has_leading_dot = false;
  };

  void prepare_base64_sections();
  void prepare_line_sections();
  [[nodiscard]] bool try_lines(const Target& target) const;
  [[nodiscard]] std::optional<TransferEncoding> compose_whole(const Target& target) const;
  void write_base64(const Target& target) const;
  [[nodiscard]] bool write_lines(const Target& target) const;
  template <class Share>
  void expand(const Target& target, const std::vector<Section>& sections, Share&& share) const;

  std::string_view subtype_;
  CompiledText text_;
  Encoding charset_;
  ValueForm form_;
  bool is_ascii_ = false;        // the literal text
  bool lines_possible_ = false;  // 7bit in charset_ is worth trying
  std::vector<Section> base64_sections_;
  std::vector<Section> line_sections_;
  // Of a part without insert codes: everything, encoded once in charset_.
  std::string fixed_;
  std::optional<EncodedText> fixed_encoding_;
};

}  // namespace todoku::mime
