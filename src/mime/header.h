// SPDX-License-Identifier: Apache-2.0
// Header fields (RFC 5322 section 2.2): folding, encoded-words (RFC 2047), mailboxes, URIs. All
// output is 7-bit ASCII with lines of at most 76 characters wherever something can be folded.
//
// Texts given to these functions must be clean (is_clean_text() or made by header_text()): the
// composer cleans each input once, here nothing is checked twice.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "mail/address.h"
#include "mime/charset.h"

namespace todoku::mime {

// The name with which a line of a header section begins: printable ASCII but for the colon (RFC
// 5322 section 2.2); blanks before the colon are obsolete (section 4.5) and none of it. Empty: the
// line is no field.
[[nodiscard]] std::string_view field_name(std::string_view line);

// A header line being written, knowing its column. Words are separated by one space, which becomes
// a fold (CRLF and a space) where the word would pass column 76.
class FoldedLine {
 public:
  // Continues what `out` ends with: `column` characters are on its last line, and the first word is
  // appended without a space if `glued`.
  FoldedLine(std::string& out, std::size_t column, bool glued)
      : out_(out), column_(column), glued_(glued) {}
  // Begins the header `name`; its first word follows on the same line.
  FoldedLine(std::string& out, std::string_view name);

  void word(std::string_view word);
  void encoded_word(std::string_view octets, Encoding charset);
  // Appends the space or fold that a word of `size` characters needs; glue() then writes it.
  void begin_word(std::size_t size);
  void glue(std::string_view text);
  // Characters that a next word may have without being folded, the space before it not counted.
  [[nodiscard]] std::size_t room() const;
  void fold();
  void finish() { out_ += "\r\n"; }

 private:
  std::string& out_;
  std::size_t column_;
  bool glued_ = false;
  bool first_ = true;
};

// Writes `text` as encoded-words of at most 75 characters (RFC 2047, "B"), splitting neither a
// character nor, in ISO-2022-JP, leaving a word in another state than ASCII. False, with something
// half written, if the charset cannot say it.
[[nodiscard]] bool append_encoded_words(FoldedLine& line, std::string_view text, Encoding charset);

// Appends the whole field "name: text", as it is where it can be, else in encoded-words. False,
// with something half written, if the charset cannot say it.
[[nodiscard]] bool append_unstructured(std::string& out, std::string_view name,
                                       std::string_view text, Encoding charset);

// The form of an address in a header: 7-bit addr-spec, or, as no mailbox can say a local part in
// UTF-8 without RFC 6532, the empty group named after the address (RFC 6857). Unreadable input
// becomes "undisclosed-recipients:;".
void append_address(FoldedLine& line, std::string_view address);

// A mailbox with its display name: atoms or quoted-string for ASCII, encoded-words for more. The
// address must be an ASCII addr-spec. False, with something half written, if the charset cannot say
// the name.
[[nodiscard]] bool append_mailbox(FoldedLine& line, std::string_view name,
                                  std::string_view addr_spec, Encoding charset);

// RFC 5322 section 3.2.4, for clean ASCII.
[[nodiscard]] std::string quoted_string(std::string_view text);

// The addr-spec on the wire of a sender's address. Error invalid_input if it is none or its local
// part is not ASCII, which our 7-bit headers cannot say.
[[nodiscard]] Result<std::string> sender_addr_spec(std::string_view address);

// Appends "<uri>" after a space or fold. The URI is one of valid_uri(), so that it stands on one
// line.
void append_bracketed_uri(FoldedLine& line, std::string_view uri);

}  // namespace todoku::mime
