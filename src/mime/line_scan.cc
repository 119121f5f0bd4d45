// SPDX-License-Identifier: Apache-2.0
#include "mime/line_scan.h"

#include <algorithm>

#include "base/bytes.h"

namespace todoku::mime {
namespace {

std::unexpected<Error> bare_line_end() {
  return fail(ErrorKind::invalid_input, "has a line that does not end with CR LF");
}

}  // namespace

Result<void> LineScan::update(std::string_view slice) {
  octets_ += slice.size();
  is_eight_bit_ |= !is_ascii(slice);
  while (!slice.empty()) {
    if (after_cr_) {
      if (slice.front() != '\n') return bare_line_end();
      slice.remove_prefix(1);
      after_cr_ = false;
      line_octets_ = 0;
      continue;
    }
    const std::string_view line = slice.substr(0, slice.find('\r'));
    // Three searches for one character each are several times as fast as one for any of three.
    const std::size_t wrong = std::min(line.find('\n'), line.find('\0'));
    if (wrong != std::string_view::npos) {
      if (line[wrong] == '\n') return bare_line_end();
      return fail(ErrorKind::invalid_input, "has a NUL");
    }
    has_leading_dot_ |= line_octets_ == 0 && line.starts_with('.');
    line_octets_ += line.size();
    has_long_line_ |= line_octets_ > kWireLineOctetsMax;
    after_cr_ = line.size() < slice.size();
    slice.remove_prefix(line.size() + (after_cr_ ? 1 : 0));
  }
  return {};
}

Result<void> LineScan::finish() const {
  if (after_cr_) return bare_line_end();
  return {};
}

}  // namespace todoku::mime
