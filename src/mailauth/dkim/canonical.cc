// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/canonical.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/check.h"

namespace todoku::mailauth::dkim {
namespace {

constexpr std::string_view kCrlf = "\r\n";

// Clean runs are handed over in portions that are still in the processor's first cache after the
// scan.
constexpr std::size_t kPortionOctets = 8192;
constexpr std::size_t kBlockOctets = 64;

constexpr bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}

// Where in the block relaxed canonicalisation may change something, or kBlockOctets: a tab, or a
// space before white space or CR. Control characters after a space are taken for those;
// find_changed() looks closer. Reads one octet beyond the block.
//
// No branch of the first loop depends on the data, so the compiler makes vector instructions of it;
// that keeps the scan about ten times faster than the hash (sign_bench measures both).
std::size_t first_that_may_change(const char* block) {
  std::array<std::uint8_t, kBlockOctets> found;
  for (std::size_t i = 0; i < kBlockOctets; ++i) {
    const auto tab = static_cast<std::uint8_t>(block[i] == '\t');
    const auto space = static_cast<std::uint8_t>(block[i] == ' ');
    const auto before_low =
        static_cast<std::uint8_t>(static_cast<std::uint8_t>(block[i + 1]) <= std::uint8_t{' '});
    found[i] = static_cast<std::uint8_t>(tab | (space & before_low));
  }
  for (std::size_t at = 0; at < kBlockOctets; at += sizeof(std::uint64_t)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, found.data() + at, sizeof(eight));
    if (eight == 0) continue;
    while (found[at] == 0) ++at;
    return at;
  }
  return kBlockOctets;
}

bool is_changed(std::string_view text, std::size_t at) {
  if (text[at] == '\t') return true;
  if (text[at] != ' ') return false;
  return at + 1 == text.size() || is_wsp(text[at + 1]) || text[at + 1] == '\r';
}

// Offset of the first white space in `text` that relaxed canonicalisation changes, or its size. A
// space at the very end counts as changed, because what follows it is not known here.
std::size_t find_changed(std::string_view text) {
  std::size_t at = 0;
  while (at + kBlockOctets < text.size()) {
    const std::size_t found = first_that_may_change(text.data() + at);
    at += found;
    if (found == kBlockOctets) continue;
    if (is_changed(text, at)) return at;
    ++at;
  }
  while (at < text.size() && !is_changed(text, at)) ++at;
  return at;
}

}  // namespace

std::string_view to_string(Canonicalization canonicalization) {
  switch (canonicalization) {
    case Canonicalization::simple:
      return "simple";
    case Canonicalization::relaxed:
      return "relaxed";
  }
  return "unknown";
}

void append_relaxed_field(std::string& out, std::string_view field) {
  const std::size_t start = out.size();
  // The canonical form is never longer than the field, its ":" and the CRLF.
  out.resize(start + field.size() + 3);
  char* to = out.data() + start;
  const char* from = field.data();
  const char* const end = from + field.size();

  const auto colon = field.find(':');
  const char* const name_end = colon == std::string_view::npos ? end : from + colon;
  for (; from != name_end; ++from) *to++ = ascii_lower(*from);
  while (to != out.data() + start && is_wsp(to[-1])) --to;
  *to++ = ':';
  if (from != end) ++from;

  char* const value_start = to;
  bool white_space = false;
  while (from != end) {
    const char c = *from;
    if (is_wsp(c)) {
      white_space = true;
      ++from;
    } else if (c == '\r' && from + 1 != end && from[1] == '\n') {
      from += 2;
    } else {
      if (white_space && to != value_start) *to++ = ' ';
      white_space = false;
      // A word at once. Most octets are of words.
      do {
        *to++ = *from++;
      } while (from != end && static_cast<std::uint8_t>(*from) > std::uint8_t{' '});
    }
  }
  *to++ = '\r';
  *to++ = '\n';
  out.resize(static_cast<std::size_t>(to - out.data()));
}

void BodyCanonicalizer::update(std::string_view piece, OctetSink& sink) {
  // Everything up to the last octet that is no white space or line end will be written, whatever
  // follows it; only the short rest needs the octet-by-octet machine.
  const std::string_view open = form_ == Canonicalization::relaxed ? " \t\r\n" : kCrlf;
  const std::size_t last = piece.find_last_not_of(open);
  if (last != std::string_view::npos) {
    pass_decided(piece.substr(0, last + 1), sink);
    piece.remove_prefix(last + 1);
  }
  for (const char c : piece) step(c, sink);
}

// `octets` are not empty and end with an octet that is written as it is, which also releases
// whatever is held back before it.
void BodyCanonicalizer::pass_decided(std::string_view octets, OctetSink& sink) {
  std::size_t at = 0;
  while (holds_back()) step(octets[at++], sink);
  octets.remove_prefix(at);
  if (form_ == Canonicalization::relaxed) {
    pass_relaxed(octets, sink);
  } else {
    emit(octets, sink);
  }
}

void BodyCanonicalizer::pass_relaxed(std::string_view octets, OctetSink& sink) {
  while (!octets.empty()) {
    const std::string_view portion = octets.substr(0, kPortionOctets);
    std::size_t at = find_changed(portion);
    emit(octets.substr(0, at), sink);
    if (at < portion.size()) {
      do {
        step(octets[at++], sink);
      } while (holds_back());
    }
    octets.remove_prefix(at);
  }
}

// The machine that both forms mean: one octet at a time, line ends and white space held back.
void BodyCanonicalizer::step(char c, OctetSink& sink) {
  if (c == '\n' && cr_) {
    cr_ = false;
    white_space_ = false;
    ++line_ends_;
    return;
  }
  if (cr_) {  // it was a CR alone, an ordinary octet
    release(sink);
    emit('\r', sink);
  }
  if (c == '\r') {
    cr_ = true;
  } else if (form_ == Canonicalization::relaxed && is_wsp(c)) {
    white_space_ = true;
  } else {
    release(sink);
    emit(c, sink);
  }
}

// Writes what was held back, except the CR: its meaning is the caller's business.
void BodyCanonicalizer::release(OctetSink& sink) {
  for (; line_ends_ > 0; --line_ends_) emit(kCrlf, sink);
  if (white_space_) emit(' ', sink);
  white_space_ = false;
  cr_ = false;
}

void BodyCanonicalizer::finish(OctetSink& sink) {
  if (cr_) {
    release(sink);
    emit('\r', sink);
  }
  // A body that holds more than blank lines ends with exactly one CRLF. An empty one is CRLF in the
  // simple form and nothing in the relaxed one.
  if (wrote_ || form_ == Canonicalization::simple) emit(kCrlf, sink);
  flush(sink);
  line_ends_ = 0;
  white_space_ = false;
  wrote_ = false;
}

void BodyCanonicalizer::emit(std::string_view octets, OctetSink& sink) {
  wrote_ = wrote_ || !octets.empty();
  if (octets.size() > gathered_.size() - gathered_size_) {
    flush(sink);
    if (octets.size() >= gathered_.size()) {
      sink.write(octets);
      return;
    }
  }
  std::memcpy(gathered_.data() + gathered_size_, octets.data(), octets.size());
  gathered_size_ += octets.size();
}

void BodyCanonicalizer::flush(OctetSink& sink) {
  if (gathered_size_ == 0) return;
  sink.write({gathered_.data(), gathered_size_});
  gathered_size_ = 0;
}

BodyHasher::BodyHasher(Canonicalization form, std::uint64_t octets_max)
    : canonicalizer_(form), digest_(EVP_MD_CTX_new()), octets_max_(octets_max) {
  check(digest_ != nullptr, "there is memory for a digest context");
  start();
}

void BodyHasher::start() {
  check(EVP_DigestInit_ex2(digest_.get(), sha256_algorithm(), nullptr) == 1, "SHA-256 starts");
  octets_seen_ = 0;
}

void BodyHasher::write(std::string_view octets) {
  const std::uint64_t room = octets_max_ - std::min(octets_seen_, octets_max_);
  octets_seen_ += octets.size();
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(room, octets.size()));
  if (count == 0) return;
  check(EVP_DigestUpdate(digest_.get(), octets.data(), count) == 1, "SHA-256 takes octets");
}

BodyHash BodyHasher::finish() {
  canonicalizer_.finish(*this);
  canonical_octets_ = octets_seen_;
  BodyHash hash;
  unsigned size = 0;
  check(EVP_DigestFinal_ex(digest_.get(), hash.data(), &size) == 1 && size == hash.size(),
        "SHA-256 ends");
  start();
  return hash;
}

BodyHash BodyHasher::hash(std::span<const std::string_view> pieces) {
  for (const std::string_view piece : pieces) update(piece);
  return finish();
}

}  // namespace todoku::mailauth::dkim
