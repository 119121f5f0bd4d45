// SPDX-License-Identifier: Apache-2.0
// JSON in and out: Boost.JSON with limits and clear errors for what arrives, a writer into one
// string for what leaves.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
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
  JsonArena() : resource_(first_.data(), first_.size()) {}
  JsonArena(const JsonArena&) = delete;
  JsonArena& operator=(const JsonArena&) = delete;

  [[nodiscard]] boost::json::storage_ptr storage() { return &resource_; }

 private:
  std::array<unsigned char, 4096> first_;
  boost::json::monotonic_resource resource_;
};

struct JsonLimits {
  std::size_t octets_max = std::size_t{1} << 20U;
  std::size_t depth_max = 32;
};

// Parses one JSON value, with white space and a UTF-8 byte order mark around it tolerated. Strict
// otherwise (RFC 8259), UTF-8 checked. Of a repeated member the last one counts.
// Errors: invalid_input with line and column, limit_exceeded.
[[nodiscard]] Result<boost::json::value> parse_json(std::string_view text, JsonArena& arena,
                                                    const JsonLimits& limits = {});

// Appends `text` as a JSON string with its quotes. Octets that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Writes one value in order; commas are its affair. Keys are literals of ours and need no escaping.
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
