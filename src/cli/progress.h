// SPDX-License-Identifier: Apache-2.0
// How far something is: a line that changes in place where somebody watches, else a line for each
// tenth.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace todoku::cli {

struct ProgressStep {
  std::string label;  // "import", "sending"
  std::int64_t done = 0;
  std::int64_t total = 0;  // 0: not known
  std::string rest;        // what else is to be said
  std::int64_t bar_columns = 30;
};

// "sending  [#####.....]  50%  500/1000  bounced 3"; no longer than `columns`.
[[nodiscard]] std::string progress_line(const ProgressStep& step, std::size_t columns = 79);

class Progress {
 public:
  // `terminal`: written as it is; nullptr: none, then `lines` gets whole lines.
  Progress(std::ostream* terminal, std::ostream& lines) : terminal_(terminal), lines_(lines) {}
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const ProgressStep& step);
  // What is printed from now on stands on a line of its own.
  void end();

 private:
  std::ostream* terminal_;
  std::ostream& lines_;
  bool open_ = false;
  std::string told_;  // label and tenth of the last line
};

}  // namespace todoku::cli
