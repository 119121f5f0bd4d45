// SPDX-License-Identifier: Apache-2.0
// The way out to a terminal: whatever the program says there passes through printable(), line by
// line. Words of a command line, addresses, labels and what a file is called were written by
// others; the one place that cleans them is this one.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>

namespace todoku::cli {

// Passes on whole lines; an unfinished one when it is flushed, or at the end.
class PrintableStream final : public std::ostream {
 public:
  // `out` must outlive this object.
  explicit PrintableStream(std::ostream& out) : std::ostream(nullptr), buffer_(out) {
    rdbuf(&buffer_);
  }

 private:
  class Buffer final : public std::streambuf {
   public:
    explicit Buffer(std::ostream& out) : out_(out) {}
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() override { pass_on(); }

   private:
    int_type overflow(int_type c) override;
    std::streamsize xsputn(const char* text, std::streamsize octets) override;
    int sync() override;
    // What stands in line_, which then is empty. False if it could not be written.
    bool pass_on();

    std::ostream& out_;
    std::string line_;
  };

  Buffer buffer_;
};

// `json` as it means the same, but with escapes in the place of what is not printable(): a terminal
// shows it as it is, and no reader gets another text.
[[nodiscard]] std::string printable_json(std::string_view json);

}  // namespace todoku::cli
