// SPDX-License-Identifier: Apache-2.0
// RFC 6376 section 3.4: the forms of header fields and bodies that are hashed, so that white space
// changed on the way does not break a signature. Streaming, without copies of what is already
// canonical. CR and LF alone are ordinary octets here; only CRLF ends a line.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "mailauth/dkim/openssl_ptr.h"

namespace todoku::mailauth::dkim {

enum class Canonicalization : std::uint8_t { simple, relaxed };

// "simple", "relaxed".
[[nodiscard]] std::string_view to_string(Canonicalization canonicalization);

// Appends the relaxed form of a whole field, "Name: value\r\n" with any folding: name in lower
// case, unfolded, white space reduced, always ended by CRLF (RFC 6376 section 3.4.2).
void append_relaxed_field(std::string& out, std::string_view field);

// Takes the canonical octets of a body, in order and in portions of any size.
class OctetSink {
 public:
  virtual ~OctetSink() = default;
  virtual void write(std::string_view octets) = 0;
};

// Turns a body, given in pieces cut anywhere, into its canonical form (RFC 6376 sections 3.4.3 and
// 3.4.4). What cannot be decided yet (blank lines, white space and a CR at the end of what has been
// seen) is held back as counters, so memory does not depend on the body.
class BodyCanonicalizer {
 public:
  explicit BodyCanonicalizer(Canonicalization form = Canonicalization::relaxed) : form_(form) {}

  void update(std::string_view piece, OctetSink& sink);
  // Ends the body and makes the object ready for the next one.
  void finish(OctetSink& sink);

 private:
  [[nodiscard]] bool holds_back() const { return line_ends_ > 0 || white_space_ || cr_; }
  void release(OctetSink& sink);
  void step(char c, OctetSink& sink);
  void pass_decided(std::string_view octets, OctetSink& sink);
  void pass_relaxed(std::string_view octets, OctetSink& sink);
  void emit(std::string_view octets, OctetSink& sink);
  void emit(char octet, OctetSink& sink) { emit(std::string_view(&octet, 1), sink); }
  void flush(OctetSink& sink);

  Canonicalization form_;
  std::uint64_t line_ends_ = 0;  // CRLFs seen and not yet written
  bool white_space_ = false;     // relaxed: spaces or tabs after them
  bool cr_ = false;              // a CR after those: the first half of a line end?
  bool wrote_ = false;
  // Gathers short runs: a hash is slow on many tiny inputs.
  std::array<char, 4096> gathered_{};
  std::size_t gathered_size_ = 0;
};

using BodyHash = std::array<std::uint8_t, 32>;

// SHA-256 of a canonical body. Owns one digest context for all its messages; not thread-safe.
class BodyHasher final : private OctetSink {
 public:
  static constexpr std::uint64_t kWhole = std::numeric_limits<std::uint64_t>::max();

  // `octets_max`: hash at most this many canonical octets, as the l= tag says.
  explicit BodyHasher(Canonicalization form = Canonicalization::relaxed,
                      std::uint64_t octets_max = kWhole);

  void update(std::string_view piece) { canonicalizer_.update(piece, *this); }
  // The hash of what was given since construction or the last finish().
  [[nodiscard]] BodyHash finish();
  // Canonical octets of the body that finish() ended last, hashed or beyond `octets_max`.
  [[nodiscard]] std::uint64_t canonical_octets() const { return canonical_octets_; }

  // update() with each piece, then finish().
  [[nodiscard]] BodyHash hash(std::span<const std::string_view> pieces);

 private:
  void write(std::string_view octets) override;
  void start();

  BodyCanonicalizer canonicalizer_;
  DigestContextPtr digest_;
  std::uint64_t octets_max_;
  std::uint64_t octets_seen_ = 0;
  std::uint64_t canonical_octets_ = 0;
};

}  // namespace todoku::mailauth::dkim
