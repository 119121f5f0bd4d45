// SPDX-License-Identifier: Apache-2.0
// SPF records (RFC 7208 sections 4.5, 4.6.1, 5, 6 and 12): "v=spf1 mx include:_spf.example.jp
// -all".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace todoku::mailauth::spf {

enum class Qualifier : std::uint8_t { pass, fail, softfail, neutral };  // + - ~ ?
enum class MechanismKind : std::uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

// Views are into the record's text.
struct Mechanism {
  std::string_view text;  // the whole directive, e.g. "-all"
  Qualifier qualifier = Qualifier::pass;
  MechanismKind kind = MechanismKind::all;
  std::string_view domain_spec;  // empty: not given (a, mx, ptr), or has none
  std::string network;           // ip4, ip6: 4 or 16 octets
  unsigned ip4_bits = 32;        // a, mx, ip4
  unsigned ip6_bits = 128;       // a, mx, ip6
};

struct Record {
  std::vector<Mechanism> mechanisms;  // in their order
  std::optional<std::string_view> redirect;
  std::optional<std::string_view> exp;
  // Modifiers that mean nothing here (section 6, e.g. those of RFC 6652): whole terms, in their
  // order.
  std::vector<std::string_view> other_modifiers;
};

// Whether a TXT record is one of SPF (section 4.5): "v=spf1", in any case as a literal of ABNF is
// (RFC 5234 section 2.3), and then a space or nothing.
[[nodiscard]] bool is_record(std::string_view text);

// Reads all of `text`, for which is_record() is true. Errors, each a permerror (section 4.6):
// invalid_input with the term and what is wrong with it; limit_exceeded past kRecordOctetsMax.
[[nodiscard]] Result<Record> parse_record(std::string_view text);

// Section 3.4 hopes for 450; more than this is an attack on our time.
inline constexpr std::size_t kRecordOctetsMax = 16'384;

}  // namespace todoku::mailauth::spf
