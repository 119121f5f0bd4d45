// SPDX-License-Identifier: Apache-2.0
#include "http/json.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/wipe.h"

namespace todoku::http {
namespace {

class WipingResource final : public boost::json::memory_resource {
  void* do_allocate(std::size_t octets, std::size_t alignment) override {
    return ::operator new(octets, std::align_val_t(alignment));
  }
  void do_deallocate(void* memory, std::size_t octets, std::size_t alignment) override {
    wipe({static_cast<char*>(memory), octets});
    ::operator delete(memory, std::align_val_t(alignment));
  }
  bool do_is_equal(const boost::json::memory_resource& other) const noexcept override {
    return this == &other;
  }
};

// Without state, for whoever wants it.
WipingResource wiping_resource;

// Of a JSON string (RFC 8259 section 7), and DEL, which terminals obey.
bool is_escaped(unsigned char octet) {
  return octet < 0x20 || octet == '"' || octet == '\\' || octet == 0x7F;
}

// How many octets at its beginning are ASCII that stands for itself: nearly all of nearly every
// text. Eight at a time.
std::size_t plain_ascii(std::string_view text) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  constexpr std::uint64_t kHigh = kEach * 0x80;
  std::size_t size = 0;
  for (; size + 8 <= text.size(); size += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + size, 8);
    // The high bit of an octet, or of one after it, where the octet is zero.
    const auto has = [word](unsigned char octet) {
      const std::uint64_t same = word ^ (kEach * octet);
      return (same - kEach) & ~same;
    };
    const std::uint64_t controls = (word - kEach * 0x20) & ~word;
    if (((word | controls | has('"') | has('\\') | has(0x7F)) & kHigh) != 0) break;
  }
  while (size < text.size() && static_cast<unsigned char>(text[size]) < 0x80 &&
         !is_escaped(static_cast<unsigned char>(text[size]))) {
    ++size;
  }
  return size;
}

}  // namespace

JsonArena::JsonArena(Wiped)
    : is_wiped_(true),
      upstream_(&wiping_resource),
      resource_(first_.data(), first_.size(), upstream_) {}

JsonArena::~JsonArena() {
  if (is_wiped_) wipe({reinterpret_cast<char*>(first_.data()), first_.size()});
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.push_back('"');
  const std::size_t simple = plain_ascii(text);
  const bool valid = simple == text.size() || is_utf8(text.substr(simple));
  std::size_t plain = 0;  // start of what needs no escaping
  for (std::size_t i = simple; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (!is_escaped(octet) && (octet < 0x80 || valid)) continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (octet >= 0x80) {
      // A well-formed sequence inside a string that is not well-formed stays.
      std::size_t size = 2;
      while (size <= 4 && i + size <= text.size() && !is_utf8(text.substr(i, size))) ++size;
      if (size <= 4 && i + size <= text.size()) {
        out.append(text, i, size);
        i += size - 1;
        plain = i + 1;
      } else {
        out += "\\ufffd";
      }
    } else if (octet == '"' || octet == '\\') {
      out.push_back('\\');
      out.push_back(text[i]);
    } else if (octet == '\n') {
      out += "\\n";
    } else {
      out += "\\u00";
      out.push_back(kDigits[octet >> 4U]);
      out.push_back(kDigits[octet & 15U]);
    }
  }
  out.append(text, plain);
  out.push_back('"');
}

void JsonWriter::separate() {
  if (needs_comma_) out_.push_back(',');
  needs_comma_ = true;
}

void JsonWriter::open(char bracket) {
  separate();
  out_.push_back(bracket);
  needs_comma_ = false;
}

void JsonWriter::close(char bracket) {
  out_.push_back(bracket);
  needs_comma_ = true;
}

void JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_.push_back(':');
  needs_comma_ = false;
}

void JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
}

void JsonWriter::value(double number) {
  if (std::isfinite(number))
    raw(fmt::format("{}", number));
  else
    null();
}

void JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
}

}  // namespace todoku::http
