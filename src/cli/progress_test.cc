// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include <sstream>

#include <gtest/gtest.h>

#include "cli/session.h"

namespace todoku::cli {
namespace {

TEST(ProgressLine, FitsTheTerminal) {
  EXPECT_EQ(progress_line({.label = "a", .done = 3, .total = 3, .rest = {}}),
            "a  [" + std::string(30, '#') + "] 100%  3/3");
  const ProgressStep wide{
      .label = "取り込み", .done = 1, .total = 0, .rest = std::string(200, 'x')};
  for (std::size_t columns = 0; columns < 80; ++columns) {
    const std::string line = progress_line(wide, columns);
    EXPECT_LE(columns_of(line), columns);
    EXPECT_FALSE(line.contains('?')) << "a character is cut nowhere: " << line;
  }
}

TEST(ProgressLine, HasNothingThatSteersTheTerminal) {
  EXPECT_EQ(progress_line({.label = "\x1b[2J", .done = 0, .total = 1, .rest = {}}).substr(0, 4),
            "?[2J");
}

TEST(Progress, IsALineForEachTenthWhereNobodyWatches) {
  std::ostringstream lines;
  Progress progress(nullptr, lines);
  for (int done = 0; done <= 20; ++done) {
    progress.show({.label = "a", .done = done, .total = 100, .rest = {}});
  }
  EXPECT_EQ(lines.str(), "a  0%  0/100\na  10%  10/100\na  20%  20/100\n");
}

}  // namespace
}  // namespace todoku::cli
