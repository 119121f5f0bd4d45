// SPDX-License-Identifier: Apache-2.0
// Whether a mechanism matches (RFC 7208 section 5), and the names of an address (5.5, 7.3).
#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mailauth/spf/address.h"
#include "mailauth/spf/dns_name.h"
#include "mailauth/spf/evaluation.h"
#include "mailauth/spf/macro.h"

namespace todoku::mailauth::spf {

Evaluation::Match Evaluation::match(const Mechanism& mechanism, const std::string& domain) {
  switch (mechanism.kind) {
    case MechanismKind::all:
      return Match::yes;
    case MechanismKind::ip4:
      return in_network(ip_, mechanism.network, mechanism.ip4_bits) ? Match::yes : Match::no;
    case MechanismKind::ip6:
      return in_network(ip_, mechanism.network, mechanism.ip6_bits) ? Match::yes : Match::no;
    default:
      break;
  }
  if (!count_lookup()) return Match::permerror;
  // RFC 8616 section 4.
  if (!is_ascii(local_) && names_local_part(mechanism.domain_spec)) return Match::no;
  const std::string name =
      mechanism.domain_spec.empty() ? domain : expand(mechanism.domain_spec, domain);
  if (stops_) return Match::temperror;
  return over_void_limit_ ? Match::permerror : match_name(mechanism, name);
}

Evaluation::Match Evaluation::match_name(const Mechanism& mechanism, const std::string& name) {
  if (mechanism.kind == MechanismKind::include) return match_include(name);
  if (!is_dns_name(name)) {
    note(fmt::format("\"{}\" is no name of the DNS", name));
    return Match::no;
  }
  const std::string asked = dns_name(name);
  switch (mechanism.kind) {
    case MechanismKind::a:
      return match_hosts(mechanism, asked);
    case MechanismKind::mx:
      return match_mx(mechanism, asked);
    case MechanismKind::ptr:
      return match_ptr(asked);
    case MechanismKind::exists:
      return match_exists(asked);
    default:
      return Match::no;
  }
}

// Section 5.2.
Evaluation::Match Evaluation::match_include(const std::string& name) {
  note(fmt::format("check {} (look-ups {}, void {})", name, verdict_.lookups,
                   verdict_.void_lookups));
  const std::string place = place_;
  ++includes_;
  const SpfResult result = check_domain(name);
  --includes_;
  place_ = place;
  switch (result) {
    case SpfResult::pass:
      return Match::yes;
    case SpfResult::fail:
    case SpfResult::softfail:
    case SpfResult::neutral:
      return Match::no;
    case SpfResult::temperror:
      return Match::temperror;
    case SpfResult::permerror:
      return Match::permerror;
    case SpfResult::none:
      break;
  }
  return broken(Match::permerror, fmt::format("include:{}: {}", name, verdict_.problem));
}

// The addresses of a host (section 5.3), which are asked for in the connection's family.
Evaluation::Match Evaluation::match_hosts(const Mechanism& mechanism, const std::string& name) {
  const DnsFact& fact = ask(address_type_, name);
  if (stops_) return Match::temperror;
  const Match counted = count_void(fact);
  note_answer(address_type_, name, fact);
  if (counted != Match::no) return counted;
  if (fact.status == DnsFact::Status::failed) {
    return broken(Match::temperror, fmt::format("{} {} cannot be asked: {}",
                                                to_string(address_type_), name, fact.reason));
  }
  const unsigned bits = address_type_ == FactType::a ? mechanism.ip4_bits : mechanism.ip6_bits;
  const bool found = std::ranges::any_of(fact.values, [this, bits](const std::string& address) {
    return in_network(ip_, address, bits);
  });
  return found ? Match::yes : Match::no;
}

// Section 5.4. Without an MX record there is none: the address record does not take its place.
Evaluation::Match Evaluation::match_mx(const Mechanism& mechanism, const std::string& name) {
  const DnsFact& fact = ask(FactType::mx, name);
  if (stops_) return Match::temperror;
  const Match counted = count_void(fact);
  note_answer(FactType::mx, name, fact);
  if (counted != Match::no) return counted;
  if (fact.status == DnsFact::Status::failed) {
    return broken(Match::temperror, fmt::format("MX {} cannot be asked: {}", name, fact.reason));
  }
  // Section 4.6.4.
  if (fact.values.size() > options_.limits.mx_names) {
    return broken(Match::permerror,
                  fmt::format("{} has more than {} MX records", name, options_.limits.mx_names));
  }
  // What is not known yet is wanted at once.
  for (const std::string& host : fact.values) {
    if (!host.empty()) ask(address_type_, host);
  }
  for (const std::string& host : fact.values) {
    if (stops_) return Match::temperror;
    // The root is no host (RFC 7505 section 3).
    const Match match = host.empty() ? Match::no : match_hosts(mechanism, host);
    if (match != Match::no) return match;
  }
  return Match::no;
}

// Section 5.7: A records, whatever the connection's family.
Evaluation::Match Evaluation::match_exists(const std::string& name) {
  const DnsFact& fact = ask(FactType::a, name);
  if (stops_) return Match::temperror;
  const Match counted = count_void(fact);
  note_answer(FactType::a, name, fact);
  if (counted != Match::no) return counted;
  if (fact.status == DnsFact::Status::failed) {
    return broken(Match::temperror, fmt::format("A {} cannot be asked: {}", name, fact.reason));
  }
  return fact.status == DnsFact::Status::found ? Match::yes : Match::no;
}

// Section 5.5: an error of the DNS is no match here, and no end.
Evaluation::Match Evaluation::match_ptr(const std::string& name) {
  const std::vector<std::string> names = pointer_names(true);
  if (over_void_limit_) return Match::permerror;
  bool found = false;
  for (const std::string& candidate : names) {
    // Only these could match, and the order does not matter: the others need not be asked.
    if (is_at_or_below(candidate, name) && points_back(candidate)) found = true;
  }
  return found ? Match::yes : Match::no;
}

std::vector<std::string> Evaluation::pointer_names(bool counts) {
  const std::string name = reverse_name(ip_);
  const DnsFact& fact = ask(FactType::ptr, name);
  if (counts && !stops_) (void)count_void(fact);
  note_answer(FactType::ptr, name, fact);
  std::vector<std::string> names = fact.values;
  if (names.size() > options_.limits.ptr_names) names.resize(options_.limits.ptr_names);
  return names;
}

// A name without an address is skipped and not counted as void (section 5.5): whoever chose the
// names of the address is not who publishes the record.
bool Evaluation::points_back(const std::string& name) {
  if (name.empty()) return false;
  const DnsFact& fact = ask(address_type_, name);
  note_answer(address_type_, name, fact);
  return std::ranges::find(fact.values, ip_) != fact.values.end();
}

// Section 7.3: the domain itself, or a name below it, or any.
std::string Evaluation::validated_name(const std::string& domain) {
  const bool counts = !counted_pointers_;
  counted_pointers_ = true;
  const std::string wanted = dns_name(domain);
  const auto rank = [&wanted](const std::string& name) {
    return name == wanted ? 2 : is_at_or_below(name, wanted) ? 1 : 0;
  };
  std::vector<std::string> names = pointer_names(counts);
  std::erase_if(names, [this](const std::string& name) { return !points_back(name); });
  const auto best = std::ranges::max_element(names, {}, rank);
  return best == names.end() ? "unknown" : *best;
}

}  // namespace todoku::mailauth::spf
