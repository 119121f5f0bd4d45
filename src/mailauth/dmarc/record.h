// SPDX-License-Identifier: Apache-2.0
// Reads a DMARC policy record (RFC 9989 sections 4.7 and 4.8), with the tags that only RFC 7489
// knows. Tolerant as section 4.8 asks: what is wrong in a tag is as if the tag were not there, and
// only "v=DMARC1" at the very beginning makes a text a record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace todoku::mailauth::dmarc {

// What the owner of a domain wants done with mail that fails; from mild to strict.
enum class Policy : std::uint8_t { none, quarantine, reject };
[[nodiscard]] std::string_view to_string(Policy policy);
// One level below: reject is quarantine, all else none (RFC 9989 section 4.7, "t").
[[nodiscard]] Policy milder(Policy policy);

enum class Alignment : std::uint8_t { relaxed, strict };
[[nodiscard]] std::string_view to_string(Alignment alignment);

// psd=: whether the domain is a public suffix.
enum class SuffixFlag : std::uint8_t { unsaid, no, yes };

// p=, sp= or np=.
struct PolicyTag {
  bool is_present = false;
  std::optional<Policy> value;  // none: absent, or not a policy

  [[nodiscard]] bool is_broken() const { return is_present && !value; }
};

inline constexpr std::size_t kRecordTagsMax = 64;
inline constexpr std::size_t kReportUrisMax = 20;

struct Record {
  PolicyTag p;
  PolicyTag sp;
  PolicyTag np;
  Alignment dkim = Alignment::relaxed;
  Alignment spf = Alignment::relaxed;
  SuffixFlag psd = SuffixFlag::unsaid;
  bool is_testing = false;       // t=y
  std::vector<std::string> rua;  // the valid URIs without an old "!10m", at most kReportUrisMax
  std::vector<std::string> ruf;
  std::string failure_options = "0";        // fo=, as "0:d:s"
  int percent = 100;                        // pct=, RFC 7489 only
  std::uint32_t interval_seconds = 86'400;  // ri=, RFC 7489 only
  std::vector<std::string> warnings;        // what was passed over, one clause each
};

// One TXT record, its strings joined. nullopt: it does not begin with v=DMARC1 and is none of ours.
[[nodiscard]] std::optional<Record> parse_record(std::string_view text);

// "mailto:a@example.jp" of "mailto:a@example.jp!10m": a URI (RFC 3986) as it stands in rua= and
// ruf=, and of mailto one with an address. nullopt: it is none.
[[nodiscard]] std::optional<std::string> report_uri(std::string_view text);

}  // namespace todoku::mailauth::dmarc
