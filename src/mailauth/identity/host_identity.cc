// SPDX-License-Identifier: Apache-2.0
#include "mailauth/identity/host_identity.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/printable.h"
#include "mail/address.h"
#include "mailauth/identity/generic_name.h"

namespace todoku::mailauth {
namespace {

// What one name says of an address.
enum class Forward : std::uint8_t { matches, others, nothing, failed };

Forward forward(std::string_view name, std::string_view address, DnsFacts& facts) {
  const DnsFact& fact = facts.ask(address.size() == 4 ? FactType::a : FactType::aaaa, name);
  if (fact.is_void()) return Forward::nothing;
  if (fact.status != DnsFact::Status::found) return Forward::failed;
  return std::ranges::find(fact.values, address) == fact.values.end() ? Forward::others
                                                                      : Forward::matches;
}

std::string_view in_words(Forward found) {
  switch (found) {
    case Forward::matches:
      return "has the address";
    case Forward::others:
      return "has other addresses";
    case Forward::nothing:
      return "has no address";
    case Forward::failed:
      return "could not be asked";
  }
  return "";
}

// One name that leads back is enough; without one, a name that could not be asked might have.
Iprev of_forwards(const std::vector<Forward>& found) {
  const auto has = [&](Forward wanted) { return std::ranges::find(found, wanted) != found.end(); };
  if (has(Forward::matches)) return Iprev::pass;
  if (has(Forward::failed)) return Iprev::temperror;
  return has(Forward::others) ? Iprev::fail : Iprev::permerror;
}

void look_at_names(std::string_view address, HostIdentity& identity, DnsFacts& facts) {
  const std::string reverse = reverse_name(address);
  const DnsFact& fact = facts.ask(FactType::ptr, reverse);
  if (fact.status != DnsFact::Status::found) {
    identity.iprev = fact.is_void() ? Iprev::permerror : Iprev::temperror;
    identity.trace.push_back(fact.is_void() ? fmt::format("{} has no PTR record", reverse)
                                            : fmt::format("PTR of {}: {}", reverse, fact.reason));
    return;
  }
  // A copy: what is asked next may move the facts.
  const std::vector<std::string> names = fact.values;
  if (names.size() > kPtrNamesMax) {
    identity.trace.push_back(
        fmt::format("{} has {} names: {} are looked at", reverse, names.size(), kPtrNamesMax));
  }
  std::vector<Forward> found;
  for (std::size_t i = 0; i < std::min(names.size(), kPtrNamesMax); ++i) {
    found.push_back(forward(names[i], address, facts));
    identity.names.push_back({.name = names[i],
                              .is_confirmed = found.back() == Forward::matches,
                              .generic_sign = generic_sign(names[i], address).value_or("")});
    identity.trace.push_back(
        fmt::format("PTR {}: {}", printable(names[i]), in_words(found.back())));
  }
  identity.iprev = of_forwards(found);
}

HelloAgreement agreement(const std::optional<std::string>& hello, std::string_view address,
                         const HostIdentity& identity, DnsFacts& facts) {
  if (!hello || !hello->contains('.')) return HelloAgreement::invalid;
  if (hello->starts_with('[')) return HelloAgreement::literal;
  const bool is_same = std::ranges::any_of(identity.names, [&](const NameOfHost& each) {
    return each.is_confirmed && each.name == *hello;
  });
  if (is_same) return HelloAgreement::same;
  switch (forward(*hello, address, facts)) {
    case Forward::matches:
      return HelloAgreement::confirmed;
    case Forward::failed:
      return HelloAgreement::undetermined;
    case Forward::others:
    case Forward::nothing:
      break;
  }
  return HelloAgreement::differs;
}

}  // namespace

std::string_view to_string(Iprev result) {
  switch (result) {
    case Iprev::pass:
      return "pass";
    case Iprev::fail:
      return "fail";
    case Iprev::temperror:
      return "temperror";
    case Iprev::permerror:
      return "permerror";
  }
  return "";
}

std::string_view to_string(HelloAgreement agreement) {
  switch (agreement) {
    case HelloAgreement::unsaid:
      return "unsaid";
    case HelloAgreement::same:
      return "same";
    case HelloAgreement::confirmed:
      return "confirmed";
    case HelloAgreement::differs:
      return "differs";
    case HelloAgreement::literal:
      return "literal";
    case HelloAgreement::invalid:
      return "invalid";
    case HelloAgreement::undetermined:
      return "undetermined";
  }
  return "";
}

HostIdentity identify_host(std::string_view address, std::string_view hello, DnsFacts& facts) {
  HostIdentity identity;
  look_at_names(address, identity, facts);
  if (hello.empty()) return identity;
  std::optional<std::string> name;
  if (hello.starts_with('[')) {
    name = std::string(hello);
    if (!name->ends_with(']')) name.reset();
  } else if (auto ascii = to_ascii_domain(hello); ascii) {
    name = std::move(*ascii);
  }
  identity.hello = agreement(name, address, identity, facts);
  if (name) identity.hello_generic_sign = generic_sign(*name, address).value_or("");
  identity.trace.push_back(
      fmt::format("EHLO {}: {}", printable(hello.substr(0, 255)), to_string(identity.hello)));
  return identity;
}

}  // namespace todoku::mailauth
