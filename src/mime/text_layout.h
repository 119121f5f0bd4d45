// SPDX-License-Identifier: Apache-2.0
// Text being set in lines: white space is collapsed, line ends and separators are owed until
// something follows them. Internal to html_text.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace todoku::mime {

class TextLayout {
 public:
  explicit TextLayout(std::size_t octets_max) : octets_max_(octets_max) {}

  // Text with collapsing white space.
  void put(std::string_view text);
  // Text whose spaces and line ends count (<pre>).
  void put_preformatted(std::string_view text);
  // A mark that belongs to the text before it, without a space between.
  void put_close(std::string_view mark) { append(mark); }
  // Something without white space, after a space.
  void put_word(std::string_view word);

  // What follows begins at least `lines` line ends below: 1 is a new line, 2 leaves one blank.
  void begin_block(std::size_t lines);
  void break_line();
  // What follows on the same line is another cell of a table; of several without text in a row,
  // one.
  void begin_cell(std::string_view separator);
  // The same where each cell counts, with text or without, that of a row's begin, too.
  void begin_counted_cell(std::string_view separator) { owed_cells_ += separator; }

  // At the beginning of each line from now on.
  void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }
  // At the beginning of the next line only, in the place of the prefix.
  void set_bullet(std::string bullet) { bullet_ = std::move(bullet); }

  [[nodiscard]] const std::string& text() const { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }
  [[nodiscard]] bool is_full() const { return full_; }

 private:
  // Of a run of white space; one with a line end in it is a line end.
  enum class Space : std::uint8_t { none, space, line_end };

  void put_character(std::string_view octets, char32_t value);
  void begin_line();
  void append(std::string_view text);

  std::size_t octets_max_;
  std::string out_;
  bool full_ = false;
  std::size_t owed_lines_ = 0;
  Space owed_space_ = Space::none;
  std::string_view owed_cell_;
  std::string owed_cells_;
  char32_t last_ = 0;
  std::string prefix_;
  std::string bullet_;
};

}  // namespace todoku::mime
