// SPDX-License-Identifier: Apache-2.0
#include "cli/printable_stream.h"

#include <sstream>

#include <gtest/gtest.h>

namespace todoku::cli {
namespace {

TEST(PrintableStream, PassesOnOnlyWhatATerminalShowsAsItIs) {
  std::ostringstream terminal;
  {
    PrintableStream out(terminal);
    out << "届く\x1b[2J\u202e" << 'x' << '\x07' << "\n\ttab\n\xff" << 7 << "\n\nend";
    EXPECT_EQ(terminal.str(), "届く?[2J?x?\n tab\n?7\n\n") << "whole lines at once";
    out << std::flush;
    EXPECT_TRUE(terminal.str().ends_with("end"));
    out << "\u202e, left";
  }
  EXPECT_TRUE(terminal.str().ends_with("\nend?, left"));
}

// A character in two pieces is one.
TEST(PrintableStream, LooksAtLinesAndNotAtPieces) {
  std::ostringstream terminal;
  PrintableStream out(terminal);
  out << "\xe5" << "\xb1" << "\x8a" << "\xe2\x80" << "\xae\n";
  EXPECT_EQ(terminal.str(), "届?\n");
}

TEST(PrintableStream, TellsThatNothingCouldBeWritten) {
  std::ostringstream terminal;
  terminal.setstate(std::ios::badbit);
  PrintableStream out(terminal);
  out << "lost\n";
  EXPECT_FALSE(out.good());
}

TEST(PrintableJson, EscapesAndChangesNothing) {
  EXPECT_EQ(printable_json("{\"a\":\"届\u202e\u0085\x7f\U0001fffe\"}\n"),
            "{\"a\":\"届\\u202e\\u0085\\u007f\\ud83f\\udffe\"}\n");
}

}  // namespace
}  // namespace todoku::cli
