// SPDX-License-Identifier: Apache-2.0
// The parts of domain_check.h, a file each. Within doctor/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/domain_check.h"
#include "doctor/zone_reading.h"

namespace todoku::doctor {

// Appends to `findings`. False: no server says anything, and there is nothing to judge.
[[nodiscard]] bool check_servers(const DomainWish& wish, const ZoneView& view,
                                 std::vector<Finding>& findings);
void check_keys(const DomainWish& wish, const ZoneView& view, ZoneReading& zone,
                std::vector<Finding>& findings);
void check_senders(const DomainWish& wish, const ZoneView& view, ZoneReading& zone,
                   std::vector<Finding>& findings);
void check_policy(const DomainWish& wish, const ZoneView& view, ZoneReading& zone,
                  std::vector<Finding>& findings);
void check_hosts(const DomainWish& wish, ZoneReading& zone, std::vector<Finding>& findings);
void check_transport(const DomainWish& wish, ZoneReading& zone, std::vector<Finding>& findings);

// Of an MX no more hosts are looked at.
inline constexpr std::size_t kMxHostsMax = 8;

// "s1._domainkey.example.jp.example.jp": what a panel makes of a whole name.
[[nodiscard]] std::string doubled_name(std::string_view name, std::string_view zone);
// "s1.domainkey.example.jp"
[[nodiscard]] std::string name_without_underscores(std::string_view name);

// Quotation marks or backslashes in a text that has none by its grammar.
[[nodiscard]] bool is_quoted(std::string_view text);

// The line that puts a TXT record there.
[[nodiscard]] std::string text_entry(std::string_view name, std::string_view text);
[[nodiscard]] std::string all_of(const std::vector<std::string>& texts);

// A warning where a resolver still denies `name`, whose TXT records the servers have. Where it
// fails on it, as a validating one does on a bogus zone, that is not determined.
void note_negative_cache(std::string_view name, ZoneReading& zone, std::vector<Finding>& findings);

}  // namespace todoku::doctor
