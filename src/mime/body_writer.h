// SPDX-License-Identifier: Apache-2.0
// A body under construction: octets of one recipient, in one buffer that is used again, between
// references to octets that all recipients share.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace todoku::mime {

class BodyWriter {
 public:
  struct Mark {
    std::size_t octets = 0;
    std::size_t run_begin = 0;
    std::size_t pieces = 0;
    bool has_leading_dot = false;
  };

  void clear() {
    personal_.clear();
    pieces_.clear();
    run_begin_ = 0;
    has_leading_dot_ = false;
  }

  // Append personal octets here.
  [[nodiscard]] std::string& personal() { return personal_; }

  // Refers to octets that outlive the message.
  void share(std::string_view octets) {
    if (octets.empty()) return;
    end_run();
    pieces_.push_back({octets.data(), 0, octets.size()});
  }

  void note_leading_dot(bool seen) { has_leading_dot_ |= seen; }
  [[nodiscard]] bool has_leading_dot() const { return has_leading_dot_; }

  [[nodiscard]] bool is_empty() const { return personal_.empty() && pieces_.empty(); }
  [[nodiscard]] bool ends_with_crlf() const {
    if (personal_.size() > run_begin_) return std::string_view(personal_).ends_with("\r\n");
    return !pieces_.empty() && pieces_.back().text(personal_).ends_with("\r\n");
  }

  // What was written after a mark can be taken back.
  [[nodiscard]] Mark mark() const {
    return {personal_.size(), run_begin_, pieces_.size(), has_leading_dot_};
  }
  void roll_back(const Mark& mark) {
    personal_.resize(mark.octets);
    pieces_.resize(mark.pieces);
    run_begin_ = mark.run_begin;
    has_leading_dot_ = mark.has_leading_dot;
  }

  // Puts the pieces in order into `views`, which stay valid until the next change; returns the
  // number of octets in all of them.
  std::size_t finish(std::vector<std::string_view>& views) {
    end_run();
    views.clear();
    std::size_t octets = 0;
    for (const Piece& piece : pieces_) {
      views.push_back(piece.text(personal_));
      octets += piece.size;
    }
    return octets;
  }

  [[nodiscard]] std::size_t memory_octets() const {
    return personal_.capacity() + pieces_.capacity() * sizeof(Piece);
  }

 private:
  struct Piece {
    const char* shared;  // null: personal, at `offset`, because the buffer may still move
    std::size_t offset;
    std::size_t size;
    [[nodiscard]] std::string_view text(const std::string& personal) const {
      return shared != nullptr ? std::string_view(shared, size)
                               : std::string_view(personal).substr(offset, size);
    }
  };

  void end_run() {
    if (personal_.size() > run_begin_) {
      pieces_.push_back({nullptr, run_begin_, personal_.size() - run_begin_});
    }
    run_begin_ = personal_.size();
  }

  std::string personal_;
  std::vector<Piece> pieces_;
  std::size_t run_begin_ = 0;  // where the personal octets begin that are not yet a piece
  bool has_leading_dot_ = false;
};

}  // namespace todoku::mime
