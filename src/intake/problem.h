// SPDX-License-Identifier: Apache-2.0
// What is wrong with a request: each problem names its field by path and says why, in both
// languages of the contract (section 1.8). An empty path speaks of the request as a whole ("main").
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace todoku::intake {

struct Text {
  std::string en;
  std::string ja;
  friend bool operator==(const Text&, const Text&) = default;
};

struct Problem {
  std::vector<std::string> path;  // e.g. {"to", "0", "insert_code", "3", "key"}
  Text text;
};

class Problems {
 public:
  void add(std::vector<std::string> path, Text text) {
    list_.push_back({std::move(path), std::move(text)});
  }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] const std::vector<Problem>& list() const { return list_; }

 private:
  std::vector<Problem> list_;
};

// Why a request was not carried out. Nothing of it was stored.
struct Refusal {
  ErrorKind kind = ErrorKind::invalid_input;
  Problems problems;

  [[nodiscard]] static Refusal of(ErrorKind kind, Text text) {
    Refusal refusal{kind, {}};
    refusal.problems.add({}, std::move(text));
    return refusal;
  }
};

template <class T>
using Answer = std::expected<T, Refusal>;

// The sentences, one function each, so that a message is worded once.
namespace texts {
[[nodiscard]] Text required();
[[nodiscard]] Text wrong_type(std::string_view expected_en, std::string_view expected_ja);
[[nodiscard]] Text length(std::size_t min, std::size_t max);
[[nodiscard]] Text too_many(std::size_t max);
[[nodiscard]] Text invalid_email(std::string_view reason);
[[nodiscard]] Text invalid_format(std::string_view value);
[[nodiscard]] Text not_one_of(std::string_view value, std::string_view allowed);
[[nodiscard]] Text no_data_found();
[[nodiscard]] Text refused_extension(std::string_view file_name);
[[nodiscard]] Text attachments_too_big(std::size_t octets, std::size_t max);
[[nodiscard]] Text duplicate_key(std::string_view key);
[[nodiscard]] Text control_character();
[[nodiscard]] Text not_utf8();
[[nodiscard]] Text nul_character();
[[nodiscard]] Text encoded_uri_too_long(std::size_t octets, std::size_t max);
[[nodiscard]] Text mail_too_big(std::uint64_t octets, std::uint64_t max);
// A value that stands in `uses` places of the content.
struct Expansion {
  std::string_view key;
  std::uint64_t uses = 0;
  std::uint64_t octets = 0;  // of the whole mail
};
[[nodiscard]] Text value_too_big(const Expansion& expansion, std::uint64_t max);
[[nodiscard]] Text html_construct(std::string_view construct);
[[nodiscard]] Text wrong_state(std::string_view state, std::string_view needed);
[[nodiscard]] Text drafts_limit(std::size_t max);
[[nodiscard]] Text no_recipients();
[[nodiscard]] Text in_the_past();
[[nodiscard]] Text too_far_ahead();
[[nodiscard]] Text invalid_date(std::string_view value);
[[nodiscard]] Text account_suspended();
[[nodiscard]] Text unavailable(std::string_view reason);
[[nodiscard]] Text too_large(std::uint64_t max);
}  // namespace texts

}  // namespace todoku::intake
