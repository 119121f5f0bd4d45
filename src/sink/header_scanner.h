// SPDX-License-Identifier: Apache-2.0
// Finds a few header fields in a message that comes in pieces, with little memory and without
// looking at every octet: lines are found by their ends, fields by their first letters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace todoku::sink {

class HeaderScanner {
 public:
  // `other`: the name of one more field to find; empty: none. Must outlive the scanner.
  explicit HeaderScanner(std::string_view other) : other_name_(other) {}

  void feed(std::string_view piece) {
    if (!finished_) scan(piece);
  }
  // The content has ended, perhaps without a body.
  void finish();
  void reset();

  // The value of the first Message-ID field without white space around it; empty: none.
  [[nodiscard]] const std::string& message_id() const { return message_id_; }
  // The unfolded value of the first field of the other name.
  [[nodiscard]] const std::string& other() const { return other_; }

 private:
  // What is kept of one line; the rest of a longer one is dropped.
  static constexpr std::size_t kLineOctetsMax = 1000;

  void scan(std::string_view piece);
  void take_line(std::string_view line);

  std::string_view other_name_;
  std::string line_;                  // the beginning of a line whose end has not come
  std::string* continued_ = nullptr;  // the value that a folded line would continue
  std::string message_id_;
  std::string other_;
  bool finished_ = false;
};

// The first run of exactly 13 digits, as Unix milliseconds have them until the year 2286; 0: none.
[[nodiscard]] std::int64_t find_epoch_ms(std::string_view text);

}  // namespace todoku::sink
