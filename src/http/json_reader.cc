// SPDX-License-Identifier: Apache-2.0
// Reading JSON: Boost's incremental parser with a handler of ours, which keeps what the limits
// allow.
#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value_stack.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "base/wipe.h"
#include "http/json.h"

namespace todoku::http {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// Before a number that is kept as it was written.
constexpr char kLiteralMark = '\xFF';
// Of a name in a sentence.
constexpr std::size_t kShownOctets = 64;

using boost::json::error_code;
using View = boost::json::string_view;

// What the parser calls. Its words are Boost's (basic_parser).
class DocumentHandler {
 public:
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  DocumentHandler(JsonArena& arena, const JsonLimits& limits, unsigned char* scratch,
                  std::size_t scratch_octets)
      : limits_(limits), stack_(arena.passing(), scratch, scratch_octets) {
    stack_.reset(arena.storage());
  }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) { return begin(false); }
  bool on_object_end(std::size_t members, error_code&) {
    if (end()) stack_.push_object(members);
    return true;
  }
  bool on_array_begin(error_code&) { return begin(true); }
  bool on_array_end(std::size_t, error_code&) {
    const std::size_t kept = dropping_ > 0 ? 0 : levels_[depth_ - 1].size;
    if (end()) stack_.push_array(kept);
    return true;
  }

  bool on_key_part(View part, std::size_t, error_code&) {
    if (dropping_ > 0) return true;
    key_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(View part, std::size_t, error_code& code) {
    if (dropping_ > 0) return true;
    key_.append(part.data(), part.size());
    Level& level = levels_[depth_ - 1];
    if (++level.size > limits_.members_max) {
      return refuse(JsonFault::Kind::too_many_members, code);
    }
    if (!level.names.insert(key_).second) return refuse(JsonFault::Kind::repeated_member, code);
    key_.clear();
    stack_.push_key(part);
    return true;
  }

  bool on_string_part(View part, std::size_t, error_code&) {
    if (!std::exchange(in_string_, true)) keeps_string_ = keeps();
    if (keeps_string_) stack_.push_chars(part);
    return true;
  }
  bool on_string(View part, std::size_t, error_code&) {
    if (!std::exchange(in_string_, false)) keeps_string_ = keeps();
    if (keeps_string_) stack_.push_string(part);
    return true;
  }

  bool on_number_part(View part, error_code&) {
    if (limits_.keeps_literals) literal_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t number, View part, error_code&) {
    // Of all integers only -0 is written otherwise than the number that it is.
    if (number == 0 && limits_.keeps_literals) {
      const std::string written = take_literal(part);
      if (written.starts_with('-')) return keep_literal(written);
    }
    literal_.clear();
    if (keeps()) stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, View, error_code&) {
    literal_.clear();
    if (keeps()) stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, View part, error_code&) {
    if (limits_.keeps_literals) return keep_literal(take_literal(part));
    if (keeps()) stack_.push_double(number);
    return true;
  }
  bool on_bool(bool truth, error_code&) {
    if (keeps()) stack_.push_bool(truth);
    return true;
  }
  bool on_null(error_code&) {
    if (keeps()) stack_.push_null();
    return true;
  }
  bool on_comment_part(View, error_code&) { return true; }
  bool on_comment(View, error_code&) { return true; }

  [[nodiscard]] boost::json::value release() { return stack_.release(); }
  // Why it told the parser to stop, if it did.
  [[nodiscard]] std::optional<JsonFault::Kind> refused() const { return refused_; }
  // The member at which it did.
  [[nodiscard]] const std::string& key() const { return key_; }

 private:
  // An open container that is kept.
  struct Level {
    bool is_array = false;
    std::size_t size = 0;  // members, or elements that are kept
    std::unordered_set<std::string> names;
  };

  // A number as it was written, of which `part` is the end.
  std::string take_literal(View part) {
    return std::exchange(literal_, {}).append(part.data(), part.size());
  }
  bool keep_literal(std::string_view written) {
    if (keeps()) stack_.push_string(fmt::format("{}{}", kLiteralMark, written));
    return true;
  }

  // At the begin of each value: whether it is kept.
  bool keeps() {
    if (dropping_ > 0) return false;
    if (depth_ == 0 || !levels_[depth_ - 1].is_array) return true;
    Level& level = levels_[depth_ - 1];
    if (level.size > limits_.elements_max) return false;
    ++level.size;
    return true;
  }
  bool begin(bool is_array) {
    if (!keeps()) {
      ++dropping_;
      return true;
    }
    if (depth_ == levels_.size()) levels_.emplace_back();
    Level& level = levels_[depth_++];
    level.is_array = is_array;
    level.size = 0;
    // Emptying a set takes as long as it was ever large.
    if (level.names.bucket_count() > kKeptBuckets) {
      level.names = {};
    } else {
      level.names.clear();
    }
    return true;
  }
  // True if the container that ends is kept.
  bool end() {
    if (dropping_ > 0) {
      --dropping_;
      return false;
    }
    --depth_;
    return true;
  }
  bool refuse(JsonFault::Kind kind, error_code& code) {
    refused_ = kind;
    code = boost::json::error::syntax;
    return false;
  }

  static constexpr std::size_t kKeptBuckets = 64;

  const JsonLimits& limits_;
  boost::json::value_stack stack_;
  std::vector<Level> levels_;  // beyond depth_: to be used again
  std::size_t depth_ = 0;
  std::size_t dropping_ = 0;  // containers that are open and not kept
  std::string key_;
  std::string literal_;  // of a number that came in several pieces, those before the last
  bool in_string_ = false;
  bool keeps_string_ = false;
  std::optional<JsonFault::Kind> refused_;
};

// The first octet that begins no well-formed sequence; npos if there is none.
std::size_t first_no_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t octets = decode_utf8(text.substr(at)).octets;
    if (octets == 0) return at;
    at += octets;
  }
  return std::string_view::npos;
}

// Where a piece of `text` may end that is `at` octets long or a little longer. Boost's parser has a
// buffer for what it takes out of escapes and cut sequences, and fills it as if each were no longer
// than what is left of it in the next piece (1.81): a piece must end neither within an escape nor
// within a character. Where an escape may have begun shortly before, a piece ends where one begins:
// at the first of a row of backslashes.
std::size_t safe_end(std::string_view text, std::size_t at) {
  constexpr std::size_t kEscapeOctets = 6;  // \uXXXX
  for (; at < text.size(); ++at) {
    const bool within_character = (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80;
    if (within_character) continue;
    const std::size_t before = at - std::min(at, kEscapeOctets);
    if (!text.substr(before, at - before).contains('\\')) return at;
    if (text[at] == '\\' && text[at - 1] != '\\') return at;
  }
  return text.size();
}

std::string sentence(const JsonFault& fault, const JsonLimits& limits) {
  const std::string place = fmt::format("line {}, column {}", fault.line, fault.column);
  switch (fault.kind) {
    case JsonFault::Kind::too_long:
      return fmt::format("JSON is longer than {} octets", limits.octets_max);
    case JsonFault::Kind::empty:
      return "JSON is empty";
    case JsonFault::Kind::syntax:
      return fmt::format("JSON has a mistake at {}", place);
    case JsonFault::Kind::ends_early:
      return fmt::format("JSON ends too early, at {}", place);
    case JsonFault::Kind::too_deep:
      return fmt::format("JSON is nested deeper than {} levels", limits.depth_max);
    case JsonFault::Kind::not_utf8:
      return fmt::format("JSON is not valid UTF-8 at octet {} ({})", fault.offset, place);
    case JsonFault::Kind::repeated_member:
      return fmt::format("JSON has the member \"{}\" twice in one object, at {}", fault.member,
                         place);
    case JsonFault::Kind::too_many_members:
      return fmt::format("JSON has an object of more than {} members, at {}", limits.members_max,
                         place);
  }
  return {};
}

}  // namespace

class JsonReader::Parser {
 public:
  Parser(JsonArena& arena, const JsonLimits& limits)
      : scratch_(arena.is_wiped()),
        parser_(options_of(limits), arena, limits, scratch_.octets.data(), scratch_.octets.size()) {
  }

  boost::json::basic_parser<DocumentHandler>& operator*() { return parser_; }
  DocumentHandler& handler() { return parser_.handler(); }

 private:
  static boost::json::parse_options options_of(const JsonLimits& limits) {
    boost::json::parse_options options;
    options.max_depth = limits.depth_max;
    options.allow_invalid_utf8 = true;  // read_on() has looked, many octets at a time
    return options;
  }

  // The parser's own stack, for usual nesting.
  struct Scratch {
    explicit Scratch(bool wiped) : is_wiped(wiped) {}
    ~Scratch() {
      if (is_wiped) wipe({reinterpret_cast<char*>(octets.data()), octets.size()});
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    bool is_wiped;
    std::array<unsigned char, 1024> octets;
  };

  Scratch scratch_;
  boost::json::basic_parser<DocumentHandler> parser_;
};

JsonReader::JsonReader(std::string_view text, JsonArena& arena, const JsonLimits& limits)
    : text_(text), limits_(limits), parser_(std::make_unique<Parser>(arena, limits_)) {
  if (text_.starts_with(kByteOrderMark)) skipped_ = kByteOrderMark.size();
  text_.remove_prefix(skipped_);
}

JsonReader::~JsonReader() = default;

std::unexpected<Error> JsonReader::failed(JsonFault::Kind kind, std::size_t offset) {
  const std::string_view before = text_.substr(0, std::min(offset, text_.size()));
  fault_.kind = kind;
  fault_.offset = offset + skipped_;
  fault_.line = static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1;
  fault_.column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  if (kind == JsonFault::Kind::repeated_member) {
    const std::string& name = parser_->handler().key();
    fault_.member = utf8_prefix(name, kShownOctets);
    if (fault_.member.size() < name.size()) fault_.member += "…";
  }
  const bool is_limit = kind == JsonFault::Kind::too_long || kind == JsonFault::Kind::too_deep ||
                        kind == JsonFault::Kind::too_many_members;
  fault_.error = {is_limit ? ErrorKind::limit_exceeded : ErrorKind::invalid_input,
                  sentence(fault_, limits_)};
  return fail(fault_.error);
}

Result<bool> JsonReader::read_on(std::size_t octets) {
  if (text_.size() > limits_.octets_max) return failed(JsonFault::Kind::too_long, 0);
  const std::size_t end = safe_end(text_, read_ + std::min(octets, text_.size() - read_));
  std::string_view piece = text_.substr(read_, end - read_);
  const bool sound = is_utf8(piece);
  if (!sound) piece = piece.substr(0, first_no_utf8(piece));
  const bool last = sound && end == text_.size();
  error_code code;
  const std::size_t taken = (**parser_).write_some(!last, piece.data(), piece.size(), code);
  const std::size_t at = read_ + taken;
  read_ = at;
  if (!code && taken == piece.size() && sound) return last;
  if (const auto refused = parser_->handler().refused()) return failed(*refused, at);
  if (code == boost::json::error::too_deep) return failed(JsonFault::Kind::too_deep, at);
  // To the parser that is a mistake like any other; and who sends another encoding has to know that
  // first, whatever else may be wrong.
  const std::size_t broken = first_no_utf8(text_);
  if (broken != std::string_view::npos) return failed(JsonFault::Kind::not_utf8, broken);
  if (trim(text_).empty()) return failed(JsonFault::Kind::empty, at);
  if (code == boost::json::error::incomplete) return failed(JsonFault::Kind::ends_early, at);
  return failed(JsonFault::Kind::syntax, at);
}

boost::json::value JsonReader::take() {
  return parser_->handler().release();
}

std::optional<std::string_view> number_literal(const boost::json::value& value) {
  const boost::json::string* const text = value.if_string();
  if (text == nullptr || text->empty() || text->front() != kLiteralMark) return std::nullopt;
  return std::string_view(text->data(), text->size()).substr(1);
}

Result<boost::json::value> parse_json(std::string_view text, JsonArena& arena,
                                      const JsonLimits& limits) {
  JsonReader reader(text, arena, limits);
  const auto read = reader.read_on(text.size());
  if (!read) return fail(read.error());
  return reader.take();
}

}  // namespace todoku::http
