// SPDX-License-Identifier: Apache-2.0
// Percent-encoding and query strings, read as tolerantly as the contract's clients need
// (blastengine-api.md sections 1.6 and 2.11). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace todoku::http {

// Decodes %XX; nullopt on a '%' without two hexadecimal digits or an encoded NUL.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

// Encodes everything but RFC 3986 unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);

// The parameters of a query string in their order. Wrong encodings are kept as plain text; nothing
// is refused. `a[]`, `a[0]` and a repeated `a` are all occurrences of `a`.
class Query {
 public:
  struct Parameter {
    std::string name;   // decoded, without an array suffix
    std::string value;  // decoded, '+' is a space
    // Decoded, '+' is itself: for values that can hold no space, such as an offset "+09:00" that
    // the client forgot to encode.
    std::string literal;
  };

  // `text`: what follows the '?'.
  [[nodiscard]] static Query parse(std::string_view text);

  // The first occurrence; nullptr if there is none.
  [[nodiscard]] const Parameter* find(std::string_view name) const;
  // The values of all occurrences.
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace todoku::http
