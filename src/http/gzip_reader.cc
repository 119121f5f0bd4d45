// SPDX-License-Identifier: Apache-2.0
#include "http/gzip_reader.h"

#include <new>

#include <zlib.h>

namespace todoku::http {

struct GzipReader::Inflater {
  z_stream stream{};
  Inflater() {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

GzipReader::GzipReader() : inflater_(std::make_unique<Inflater>()), piece_(kPieceOctets, '\0') {}

GzipReader::~GzipReader() = default;

void GzipReader::push(std::string_view octets) {
  // zlib's interface is older than const.
  inflater_->stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  inflater_->stream.avail_in = static_cast<uInt>(octets.size());
}

Result<std::string_view> GzipReader::next() {
  z_stream& stream = inflater_->stream;
  while (true) {
    if (between_ && stream.avail_in > 0) {
      if (any_ && inflateReset(&stream) != Z_OK) break;
      between_ = false;
      any_ = true;
    }
    if (between_) return std::string_view();
    stream.next_out = reinterpret_cast<Bytef*>(piece_.data());
    stream.avail_out = kPieceOctets;
    const int did = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = kPieceOctets - stream.avail_out;
    if (did != Z_OK && did != Z_STREAM_END && did != Z_BUF_ERROR) break;
    between_ = did == Z_STREAM_END;
    if (got > 0) return std::string_view(piece_).substr(0, got);
    if (!between_) return std::string_view();  // all is taken
  }
  return fail(ErrorKind::invalid_input, "the gzip is broken");
}

Result<void> GzipReader::finish() const {
  if (any_ && between_) return {};
  return fail(ErrorKind::invalid_input, "the gzip is cut");
}

}  // namespace todoku::http
