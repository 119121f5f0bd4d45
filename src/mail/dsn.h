// SPDX-License-Identifier: Apache-2.0
// What a sender wants to be told about its mail (RFC 3461), as the parameters RET and ENVID of MAIL
// and NOTIFY and ORCPT of RCPT say it. Honouring it is not this file's matter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace todoku {

// Names of the parameters of RCPT, and of the insert codes in which a relayed message's recipients
// keep what was asked of them.
inline constexpr std::string_view kNotifyParameter = "NOTIFY";
inline constexpr std::string_view kOrcptParameter = "ORCPT";

// How much of the mail comes back with a report of failure (section 4.3).
enum class DsnReturn : std::uint8_t { unspecified, full, hdrs };

// "FULL", "HDRS"; empty for unspecified.
[[nodiscard]] std::string_view to_string(DsnReturn ret);
// Without regard to case. nullopt: neither.
[[nodiscard]] std::optional<DsnReturn> parse_dsn_return(std::string_view text);

// What is reported of a recipient (section 4.1). The bits may be stored.
struct DsnNotify {
  static constexpr std::uint8_t kNever = 1;
  static constexpr std::uint8_t kSuccess = 2;
  static constexpr std::uint8_t kFailure = 4;
  static constexpr std::uint8_t kDelay = 8;

  std::uint8_t bits = 0;  // kNever stands alone; 0: unspecified

  [[nodiscard]] bool is_specified() const { return bits != 0; }
  // What to report, where unspecified means failures only: section 4.1 leaves delays to us.
  [[nodiscard]] bool on_success() const { return (bits & kSuccess) != 0; }
  [[nodiscard]] bool on_failure() const { return bits == 0 || (bits & kFailure) != 0; }
  [[nodiscard]] bool on_delay() const { return (bits & kDelay) != 0; }

  // "NEVER" or of "SUCCESS,FAILURE,DELAY" those that are set; empty for unspecified.
  [[nodiscard]] std::string to_string() const;
  // Without regard to case, in any order. nullopt: empty, a foreign or doubled word, or NEVER among
  // others.
  [[nodiscard]] static std::optional<DsnNotify> parse(std::string_view text);

  friend bool operator==(const DsnNotify&, const DsnNotify&) = default;
};

inline constexpr std::size_t kOrcptOctetsMax = 500;  // section 4.2, as the parameter says it
inline constexpr std::size_t kEnvidOctetsMax = 100;  // section 4.4, as well

// The recipient as it was first addressed, perhaps before the mail was forwarded (section 4.2).
struct OriginalRecipient {
  std::string type;     // of the address: "rfc822", "utf-8" (RFC 6533); as it was given
  std::string address;  // decoded: printable ASCII, of "utf-8" also UTF-8; never empty

  // "type;xtext" as a parameter holds it, of "utf-8" its utf-8-addr-unitext, in which letters
  // beyond ASCII stand as they are: for the mail of SMTPUTF8, and for what reads it by
  // parse_orcpt(). No longer than what it was read from.
  [[nodiscard]] std::string to_string() const;
  // The same in ASCII, of "utf-8" its utf-8-addr-xtext. nullopt: so said it is longer than
  // kOrcptOctetsMax, up to three times as long as with letters, and no server has to take it.
  [[nodiscard]] std::optional<std::string> to_ascii() const;
  friend bool operator==(const OriginalRecipient&, const OriginalRecipient&) = default;
};

// nullopt: not "type;xtext" (RFC 6533 section 3: "utf-8;" and its own form, see mail/unitext.h),
// too long, or an address of characters that a report could not show. `utf8`: UTF-8 may stand there
// as it is, because the mail is one of SMTPUTF8. For what is read here, and `utf8`,
// parse_orcpt(x.to_string()) is x again.
[[nodiscard]] std::optional<OriginalRecipient> parse_orcpt(std::string_view text, bool utf8);
// The identifier of the envelope without xtext. nullopt: not xtext, empty, too long, or not of
// printable ASCII.
[[nodiscard]] std::optional<std::string> parse_envid(std::string_view text);

}  // namespace todoku
