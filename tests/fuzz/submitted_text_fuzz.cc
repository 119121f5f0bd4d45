// SPDX-License-Identifier: Apache-2.0
// What a program writes to a sendmail: wherever it is cut, the same message and the same recipients
// come of it; no LF is bare, no line is lost, and every recipient can stand in a command of SMTP or
// is refused before it gets into one.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "cli/submitted_text.h"
#include "smtp/protocol/client_envelope.h"

namespace {

using todoku::check;

struct Read {
  std::string text;
  std::vector<std::string> recipients;
  std::string error;
};

Read read(std::string_view written, bool dot_ends, std::size_t size) {
  Read made;
  todoku::cli::SubmittedText text(dot_ends);
  todoku::cli::SubmittedHead head;
  while (!written.empty()) {
    const std::string_view piece = written.substr(0, size);
    written.remove_prefix(piece.size());
    if (!text.take(piece, made.text)) break;
  }
  text.finish(made.text);
  for (std::string_view left = made.text; !left.empty();) {
    head.take(left.substr(0, size));
    left.remove_prefix(std::min(size, left.size()));
  }
  auto found = head.recipients();
  if (found) {
    made.recipients = std::move(*found);
  } else {
    made.error = found.error().detail;
    check(!made.error.empty(), "a refusal has a reason");
  }
  return made;
}

void check_lines(const std::string& text) {
  check(text.empty() || text.ends_with("\r\n"), "the last line has its end");
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    check(at > 0 && text[at - 1] == '\r', "no LF is bare");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view written(reinterpret_cast<const char*>(data), size);
  for (const bool dot_ends : {true, false}) {
    const Read whole = read(written, dot_ends, size + 1);
    check_lines(whole.text);
    for (const std::size_t cut : {1U, 5U}) {
      const Read pieces = read(written, dot_ends, cut);
      check(pieces.text == whole.text, "a cut makes no difference to the message");
      check(pieces.recipients == whole.recipients && pieces.error == whole.error,
            "a cut makes no difference to the recipients");
    }
    if (!dot_ends && !written.starts_with("From ")) {
      const auto lines = [](std::string_view text) { return std::ranges::count(text, '\n'); };
      const bool open = !written.empty() && !written.ends_with('\n');
      check(lines(whole.text) == lines(written) + (open ? 1 : 0), "no line is lost");
    }
    for (const std::string& recipient : whole.recipients) {
      const auto envelope = todoku::smtp::ClientEnvelope::make("", {recipient});
      check(!envelope || recipient.find_first_of("\r\n") == std::string::npos,
            "a recipient cannot break out of its command");
    }
  }
  return 0;
}
