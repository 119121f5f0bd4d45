// SPDX-License-Identifier: Apache-2.0
// JSON in and out: Boost.JSON with limits and clear errors for what arrives, a writer into one
// string for what leaves.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

#include "base/result.h"

namespace todoku::http {

// Where parsed values live: the first 4 KiB inside the object, later ones in growing blocks, all
// given back together. Must outlive the values.
class JsonArena {
 public:
  // For values that are secrets: all memory that reading has used is wiped when it is given back.
  struct Wiped {};

  JsonArena() : resource_(first_.data(), first_.size()) {}
  explicit JsonArena(Wiped);
  ~JsonArena();
  JsonArena(const JsonArena&) = delete;
  JsonArena& operator=(const JsonArena&) = delete;

  [[nodiscard]] boost::json::storage_ptr storage() { return &resource_; }
  // For what is needed while reading.
  [[nodiscard]] const boost::json::storage_ptr& passing() const { return upstream_; }
  [[nodiscard]] bool is_wiped() const { return is_wiped_; }

 private:
  bool is_wiped_ = false;
  boost::json::storage_ptr upstream_;
  std::array<unsigned char, 4096> first_;
  boost::json::monotonic_resource resource_;
};

struct JsonLimits {
  std::size_t octets_max = std::size_t{1} << 20U;
  std::size_t depth_max = 32;
  // Of a longer array so many elements and one more are kept: enough to see that it is too long. It
  // is read to its end all the same, for what follows it.
  std::size_t elements_max = SIZE_MAX;
  std::size_t members_max = 1'000;  // of one object
  // A number that is no integer of 64 bits, and `-0`, is kept as it was written, see
  // number_literal(): as a number it would be another one (`100.00`, twenty digits).
  bool keeps_literals = false;
};

// Why a text is no JSON that is taken.
struct JsonFault {
  enum class Kind : std::uint8_t {
    too_long,
    empty,
    syntax,
    ends_early,
    too_deep,
    not_utf8,
    repeated_member,
    too_many_members,
  };
  Kind kind = Kind::syntax;
  std::size_t offset = 0;  // of the octet that shows it, from 0; for syntax, about there
  std::size_t line = 1;    // and where that is for people
  std::size_t column = 1;  // in octets
  std::string member;      // repeated_member: its name
  Error error;             // all of it in a sentence
};

// Reads one JSON value in as many steps as wanted, so that a large one does not hold its thread.
// White space and a UTF-8 byte order mark around it are tolerated. Strict otherwise (RFC 8259):
// UTF-8 is checked, and an object that has a member twice is refused, since who wrote it and who
// reads it may each mean another one of them (section 4).
class JsonReader {
 public:
  // `text` and `arena` must outlive the reader, `arena` the value, too.
  JsonReader(std::string_view text, JsonArena& arena, const JsonLimits& limits = {});
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  // Reads on by `octets` or a few more. True when all is read. Errors, which end the reading: that
  // of fault().
  [[nodiscard]] Result<bool> read_on(std::size_t octets);
  // Once, after true.
  [[nodiscard]] boost::json::value take();
  // After an error.
  [[nodiscard]] const JsonFault& fault() const { return fault_; }

 private:
  class Parser;
  [[nodiscard]] std::unexpected<Error> failed(JsonFault::Kind kind, std::size_t offset);

  std::string_view text_;
  std::size_t skipped_ = 0;  // of a byte order mark
  std::size_t read_ = 0;
  const JsonLimits limits_;
  std::unique_ptr<Parser> parser_;
  JsonFault fault_;
};

// The number that JsonLimits::keeps_literals kept; a view of `value`. To others it is a string that
// no text can be: it begins with an octet that UTF-8 never has.
[[nodiscard]] std::optional<std::string_view> number_literal(const boost::json::value& value);

// The whole text at once.
// Errors: invalid_input with line and column, limit_exceeded.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text, JsonArena& arena,
                                                    const JsonLimits& limits = {});

// Appends `text` as a JSON string with its quotes. Octets that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Writes one value in order; commas and escapes are its affair.
//
//   JsonWriter json;
//   json.begin_object();
//   json.member("delivery_id", 12);
//   json.end_object();
//   Response::json(201, json.take());
class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }

  // What follows is this member's value.
  void key(std::string_view name);

  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(bool truth) { raw(truth ? "true" : "false"); }
  void value(double number);  // null if it is not finite
  void value(std::integral auto number) { raw(std::to_string(number)); }
  void null() { raw("null"); }
  // Text that is JSON already.
  void raw(std::string_view json);

  template <class T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }
  void null_member(std::string_view name) {
    key(name);
    null();
  }

  [[nodiscard]] std::string take() { return std::move(out_); }
  [[nodiscard]] const std::string& text() const { return out_; }
  void reserve(std::size_t octets) { out_.reserve(octets); }

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace todoku::http
