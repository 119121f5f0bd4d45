// SPDX-License-Identifier: Apache-2.0
// The keys of a site's rules, each declared once: what reads, checks, lays over one another, shows
// and documents rules goes by this table and names no key itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "delivery/policy/site_rules.h"

namespace todoku::delivery::policy {

// Where a key's value is, and what it may be.
struct CountField {
  std::uint32_t SiteLimits::* member;
  std::int64_t least;
  std::int64_t most;
};
struct PortField {
  std::uint16_t SiteLimits::* member;
};
struct SecondsField {
  std::chrono::seconds SiteLimits::* member;
  std::int64_t most;
};
struct RateField {
  double SiteLimits::* member;  // messages a second; 0: no limit
};
struct SwitchField {
  bool SiteLimits::* member;
};
struct TlsField {
  TlsPolicy SiteLimits::* member;
};
struct WaitsField {
  std::vector<std::chrono::seconds> SiteLimits::* member;
};
struct TextField {
  std::string Site::* member;
};
struct DateField {
  std::string Site::* member;
};
struct PatternsField {
  std::vector<std::string> Site::* member;
  bool wildcards;  // "*.example.jp" for everything below
};
using SiteField = std::variant<CountField, PortField, SecondsField, RateField, SwitchField,
                               TlsField, WaitsField, TextField, DateField, PatternsField>;

// As it is written in TOML.
using SiteValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                               std::vector<std::string>>;

struct SiteKey {
  std::string_view name;
  SiteField field;
  std::string_view example;  // TOML
  std::string_view english;
  std::string_view japanese;

  // Whether [defaults] may have it: limits are for everybody, names are not.
  [[nodiscard]] bool for_everybody() const;
  [[nodiscard]] SiteValue value_in(const Site& site) const;
  void copy(const Site& from, Site& to) const;
};
[[nodiscard]] std::span<const SiteKey> site_keys();

// A key of earlier versions that is refused, and why.
struct RemovedSiteKey {
  std::string_view name;
  std::string_view reason;
};
[[nodiscard]] std::span<const RemovedSiteKey> removed_site_keys();

}  // namespace todoku::delivery::policy
