// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dkim/signature.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mail/address.h"
#include "mailauth/dkim/tag_list.h"

namespace todoku::mailauth::dkim {
namespace {

using Problem = std::optional<SignatureProblem>;

constexpr std::string_view kFieldName = "DKIM-Signature";

Problem neutral(std::string reason) {
  return SignatureProblem{.verdict = Verdict::neutral, .reason = std::move(reason)};
}
Problem permerror(std::string reason) {
  return SignatureProblem{.verdict = Verdict::permerror, .reason = std::move(reason)};
}

// A name that can be asked for and shown; stricter than DNS, laxer than RFC 6376: underscores
// occur.
bool is_dns_name(std::string_view name) {
  constexpr std::size_t kDomainOctetsMax = 253;
  if (name.empty() || name.size() > kDomainOctetsMax) return false;
  while (true) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty() || label.size() > 63) return false;
    const bool plain = std::ranges::all_of(label, [](char c) {
      const char lower = ascii_lower(c);
      return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
             static_cast<std::uint8_t>(c) >= 0x80;
    });
    if (!plain) return false;
    if (label.size() == name.size()) return true;
    name.remove_prefix(label.size() + 1);
  }
}

// A domain or selector as it is asked for and compared: lower-case A-labels, also where the field
// has U-labels (RFC 8616 section 4). Empty: it is none.
std::string dns_name(std::string_view text) {
  std::string name = to_ascii_lower(text);
  if (!is_dns_name(name)) return {};
  if (is_ascii(name)) return name;
  return to_ascii_domain(name).value_or("");
}

// 1*DIGIT. More than fits is as much as fits: RFC 6376 section 3.5 has l= of up to 76 digits, and
// lets times of more than 12 be infinite.
template <class Number>
std::optional<Number> parse_number(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  Number number{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc{} ? number : std::numeric_limits<Number>::max();
}

// i= may be folded anywhere: white space in it means nothing (section 2.11).
std::string without_white_space(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
  return out;
}

// a=
Problem read_algorithm(std::string_view value, Signature& out) {
  if (value == "rsa-sha256") {
    out.algorithm = KeyAlgorithm::rsa;
  } else if (value == "ed25519-sha256") {
    out.algorithm = KeyAlgorithm::ed25519;
  } else if (value == "rsa-sha1") {
    // RFC 8301 section 3.1: MUST NOT be used; such a signature counts as none.
    return SignatureProblem{.verdict = Verdict::policy, .reason = "rsa-sha1 is not acceptable"};
  } else {
    return neutral("a= names an unknown algorithm");
  }
  return std::nullopt;
}

std::optional<Canonicalization> form_from_word(std::string_view word) {
  if (word == "simple") return Canonicalization::simple;
  if (word == "relaxed") return Canonicalization::relaxed;
  return std::nullopt;
}

// c=: "header" or "header/body"; simple where one is not named.
Problem read_forms(const TagList& tags, Signature& out) {
  const auto value = tags.value("c");
  if (!value) return std::nullopt;
  const std::size_t slash = value->find('/');
  const auto header = form_from_word(value->substr(0, slash));
  const auto body = slash == std::string_view::npos ? Canonicalization::simple
                                                    : form_from_word(value->substr(slash + 1));
  if (!header || !body) return neutral("c= names an unknown canonicalization");
  out.header_form = *header;
  out.body_form = *body;
  return std::nullopt;
}

// l=, t=, x=
Problem read_numbers(const TagList& tags, Signature& out) {
  if (const auto value = tags.value("l")) {
    out.body_octets = parse_number<std::uint64_t>(*value);
    if (!out.body_octets) return neutral("l= is not a number");
  }
  if (const auto value = tags.value("t")) {
    out.signed_at = parse_number<std::int64_t>(*value);
    if (!out.signed_at) return neutral("t= is not a number");
  }
  if (const auto value = tags.value("x")) {
    out.expires_at = parse_number<std::int64_t>(*value);
    if (!out.expires_at) return neutral("x= is not a number");
    if (out.signed_at && *out.expires_at <= *out.signed_at) {
      return neutral("x= is not later than t=");
    }
  }
  return std::nullopt;
}

// h=
Problem read_signed_names(std::string_view value, Signature& out) {
  const auto names = split_colons(value);
  out.signed_names.reserve(names.size());
  for (const std::string_view name : names) {
    if (name.empty()) return neutral("h= holds an empty name");
    out.signed_names.push_back(to_ascii_lower(name));
  }
  if (std::ranges::find(out.signed_names, "from") == out.signed_names.end()) {
    return permerror("From is not signed");  // RFC 6376 section 5.4
  }
  return std::nullopt;
}

// i=: its domain is that of d= or below it.
Problem read_identity(const TagList& tags, Signature& out) {
  out.identity = "@" + out.domain;
  const auto value = tags.value("i");
  if (!value) return std::nullopt;
  const std::string identity = without_white_space(*value);
  const std::size_t at = identity.rfind('@');
  if (at == std::string::npos) return neutral("i= has no @");
  const std::string domain = dns_name(std::string_view(identity).substr(at + 1));
  if (domain.empty()) return neutral("i= has no valid domain");
  if (domain != out.domain && !domain.ends_with("." + out.domain)) {
    return permerror("i= is not within d=");
  }
  out.identity = identity.substr(0, at) + "@" + domain;
  return std::nullopt;
}

// q=: one of the methods must be ours.
Problem read_query(const TagList& tags) {
  const auto value = tags.value("q");
  if (!value) return std::nullopt;
  const auto methods = split_colons(*value);
  if (std::ranges::find(methods, "dns/txt") == methods.end()) {
    return neutral("q= names no known query method");
  }
  return std::nullopt;
}

// d= and s=, first of all: a result without them says little.
Problem read_names(const TagList& tags, Signature& out) {
  out.domain = dns_name(tags.value("d").value_or(""));
  out.selector = dns_name(tags.value("s").value_or(""));
  if (out.domain.empty()) return neutral("d= is not a domain");
  if (out.selector.empty()) return neutral("s= is not a selector");
  return std::nullopt;
}

Problem read_octets(std::string_view base64, std::string_view tag, std::string& out) {
  auto octets = from_base64(base64);
  if (!octets || octets->empty()) return neutral(fmt::format("{}= is not base64", tag));
  out = std::move(*octets);
  return std::nullopt;
}

// The checks of RFC 6376 section 6.1.1 in an order that tells most about the worst mistake.
Problem read_tags(const TagList& tags, Signature& out) {
  if (auto problem = read_names(tags, out)) return problem;
  for (const std::string_view name : {"v", "a", "b", "bh", "d", "h", "s"}) {
    if (tags.find(name) == nullptr) return neutral(fmt::format("{}= is missing", name));
  }
  if (*tags.value("v") != "1") return neutral("v= is not 1");
  const Tag& signature = *tags.find("b");
  out.signature_room = signature.room;
  if (auto problem = read_algorithm(*tags.value("a"), out)) return problem;
  if (auto problem = read_forms(tags, out)) return problem;
  if (auto problem = read_numbers(tags, out)) return problem;
  if (auto problem = read_query(tags)) return problem;
  if (auto problem = read_octets(signature.value, "b", out.octets)) return problem;
  if (auto problem = read_octets(*tags.value("bh"), "bh", out.body_hash)) return problem;
  if (auto problem = read_identity(tags, out)) return problem;
  return read_signed_names(*tags.value("h"), out);
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::policy:
      return "policy";
    case Verdict::neutral:
      return "neutral";
    case Verdict::temperror:
      return "temperror";
    case Verdict::permerror:
      return "permerror";
  }
  return "unknown";
}

std::string Signature::lookup_name() const {
  return fmt::format("{}._domainkey.{}", selector, domain);
}

Signature parse_signature(const HeaderField& field) {
  Signature out;
  out.raw = field.raw;
  std::string_view value = field.raw;
  if (value.ends_with("\r\n")) value.remove_suffix(2);
  if (const std::size_t colon = value.find(':'); colon != std::string_view::npos) {
    value.remove_prefix(colon + 1);
  }
  const auto tags = TagList::parse(value);
  if (!tags) {
    out.problem = neutral(tags.error().detail);
  } else {
    out.problem = read_tags(*tags, out);
  }
  return out;
}

std::size_t count_signatures(const MessageView& message) {
  return static_cast<std::size_t>(std::ranges::count_if(message.fields, [](const HeaderField& f) {
    return equals_ignoring_case(f.name, kFieldName);
  }));
}

std::vector<Signature> parse_signatures(const MessageView& message) {
  std::vector<Signature> signatures;
  for (std::size_t i = 0; i < message.fields.size(); ++i) {
    if (!equals_ignoring_case(message.fields[i].name, kFieldName)) continue;
    if (signatures.size() == kSignaturesMax) break;
    signatures.push_back(parse_signature(message.fields[i]));
    signatures.back().field_index = i;
  }
  return signatures;
}

}  // namespace todoku::mailauth::dkim
