// SPDX-License-Identifier: Apache-2.0
// An SPF record evaluated for the address of nobody, which no mechanism matches: so all of it is
// walked through, as it is for whoever else sends. As it is there, and as it would be with our part
// in it. Within doctor/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "doctor/domain_records.h"
#include "doctor/zone_reading.h"
#include "mailauth/spf/check_host.h"
#include "mailauth/spf/record.h"

namespace todoku::doctor {

// nullopt: something is still wanted of zone.facts().
[[nodiscard]] std::optional<mailauth::spf::Verdict> verdict_on_nobody(const DomainWish& wish,
                                                                      const std::string& domain,
                                                                      ZoneReading& zone);

// More than ten look-ups (RFC 7208 section 4.6.4).
[[nodiscard]] bool is_past_limit(const mailauth::spf::Verdict& verdict);

// It includes itself, or leads back to itself through others.
[[nodiscard]] bool is_loop(const mailauth::spf::Verdict& verdict);

// Terms that let nearly everybody send: "+all", and networks so wide that they are nobody's.
// Printable; at most kSpfTermsNamedMax.
[[nodiscard]] std::vector<std::string> open_terms(const mailauth::spf::Record& record);

// Why a record counts for nothing, whoever sends. Empty: it counts, or that is not known: what a
// macro makes of nobody's address is not what it makes of a sender's.
[[nodiscard]] std::string fault_of_all(std::string_view record,
                                       const mailauth::spf::Verdict& on_nobody);

// The same of a record in the place of those that are at `domain`.
[[nodiscard]] std::string fault_if_put(const DomainWish& wish, const std::string& domain,
                                       const std::string& record, ZoneReading& zone);

// For people: why what merge_spf() made is not to be put there, and what to do first.
[[nodiscard]] BilingualText no_room_text(std::string_view fault);

// For people: what is wrong with a record that is there or that is about to be put there, but does
// not forbid it.
[[nodiscard]] BilingualText counts_for_nothing_text(std::string_view fault);
[[nodiscard]] BilingualText lets_all_send_text(const std::vector<std::string>& terms);

}  // namespace todoku::doctor
