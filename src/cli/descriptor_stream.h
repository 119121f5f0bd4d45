// SPDX-License-Identifier: Apache-2.0
// Octets of a file descriptor, such as standard input, that tell an error from the end: std::cin
// takes a read(2) that fails for the end, and half a mail or half a list would be sent for a whole.
#pragma once

#include <cstddef>
#include <istream>
#include <streambuf>
#include <string>

namespace todoku::cli {

// bad() after what came before an error, and errno then says what it was. Signals end nothing, and
// a descriptor that does not block is waited for.
class DescriptorStream final : public std::istream {
 public:
  // `descriptor` is the caller's, and must outlive this object; read by nobody else meanwhile.
  explicit DescriptorStream(int descriptor) : std::istream(nullptr), buffer_(descriptor, *this) {
    rdbuf(&buffer_);
  }

 private:
  class Buffer final : public std::streambuf {
   public:
    Buffer(int descriptor, std::istream& owner) : descriptor_(descriptor), owner_(owner) {}

   private:
    int_type underflow() override;

    const int descriptor_;
    std::istream& owner_;
    std::string octets_;  // none before the first is wanted
    int error_ = 0;
  };

  Buffer buffer_;
};

// Has the numbers of standard input, output and error that the program was started without held by
// what can be neither read nor written (EBADF): else the next file that it opens would take the
// place of one. First in main().
void hold_standard_descriptors();

}  // namespace todoku::cli
