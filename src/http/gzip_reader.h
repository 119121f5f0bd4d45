// SPDX-License-Identifier: Apache-2.0
// Expands a body that is compressed (Content-Encoding: gzip, RFC 9110 section 8.4.1.3, RFC 1952),
// piece by piece: what a few octets expand to is never in memory as a whole. Pure.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::http {

class GzipReader {
 public:
  static constexpr std::size_t kPieceOctets = std::size_t{64} * 1024;

  // Throws std::bad_alloc where there is no memory for it.
  GzipReader();
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  // The next octets, which must stay until next() has returned nothing.
  void push(std::string_view octets);
  // The next piece, valid until the next call; empty: it needs more. Several members one after the
  // other are one text. Errors: invalid_input (it is broken, or something else follows).
  [[nodiscard]] Result<std::string_view> next();
  // At the end of the body. Errors: invalid_input (it is cut, or there was nothing).
  [[nodiscard]] Result<void> finish() const;

 private:
  struct Inflater;
  const std::unique_ptr<Inflater> inflater_;
  std::string piece_;
  bool between_ = true;  // members
  bool any_ = false;
};

}  // namespace todoku::http
