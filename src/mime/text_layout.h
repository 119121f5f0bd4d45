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
  // Of more text a last line "[...]" stands for the rest. `octets_max` has room for that.
  explicit TextLayout(std::size_t octets_max) : octets_max_(octets_max - kRest.size()) {}

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
  // A row of a table begins, on a line of its own.
  void begin_row();
  // The same as begin_cell() where each cell counts, with text or without, that of a row's begin,
  // too: `separators` are those between it and the cell before it. Blocks around the text of a cell
  // break no line, so that cells stay under their headings; but for a cell that has several lines.
  void begin_counted_cell(std::string_view separators);
  // What follows is in no cell, or a part of a cell with lines of its own.
  void leave_cell() { cell_ = Cell::outside; }

  // At the beginning of each line from now on.
  void set_prefix(std::string prefix) { prefix_ = std::move(prefix); }
  // At the beginning of the next line only, in the place of the prefix.
  void set_bullet(std::string bullet) { bullet_ = std::move(bullet); }

  [[nodiscard]] const std::string& text() const { return out_; }
  [[nodiscard]] std::string take() {
    if (full_) {
      out_.erase(out_.find_last_not_of('\n') + 1);
      out_ += kRest;
    }
    return std::move(out_);
  }
  [[nodiscard]] bool is_full() const { return full_; }

 private:
  static constexpr std::string_view kRest = "\n[...]";

  // Of a run of white space; one with a line end in it is a line end.
  enum class Space : std::uint8_t { none, space, line_end };

  // Where in a row: in none, before or in cells that do not count, in one without text yet, in one
  // with text in one line, in several.
  enum class Cell : std::uint8_t { outside, row, empty, line, lines };

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
  Cell cell_ = Cell::outside;
  char32_t last_ = 0;
  std::string prefix_;
  std::string bullet_;
};

}  // namespace todoku::mime
