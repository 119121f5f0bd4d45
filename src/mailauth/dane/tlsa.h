// SPDX-License-Identifier: Apache-2.0
// TLSA records as DANE for SMTP uses them (RFC 7672).
//
//   usage      2 DANE-TA: an authority that the host's chain must lead to
//              3 DANE-EE: the host's own certificate; its name and its dates do not matter
//              0 and 1 speak of public authorities, which SMTP has no use for (section 3.1.3)
//   selector   0 the whole certificate, 1 its public key
//   matching   0 itself, 1 its SHA-256, 2 its SHA-512
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "mail/tls_plan.h"
#include "mail/tlsa_record.h"

namespace todoku::mailauth::dane {

// Records of one host that are looked at.
inline constexpr std::size_t kRecordsMax = 32;
// Octets of one record's data: a certificate of a large RSA key with many names.
inline constexpr std::size_t kDataMax = 8'192;

// One record in wire format. Any values of the three numbers. Errors: corrupt (nothing behind
// them).
[[nodiscard]] Result<TlsaRecord> parse_tlsa(std::span<const std::uint8_t> rdata);

// Why SMTP cannot use a record, e.g. "usage 1 is not used in SMTP"; empty: it can.
[[nodiscard]] std::string why_unusable(const TlsaRecord& record);

// What the records of a host come to.
struct Demand {
  DaneDemand demand = DaneDemand::nothing;
  // With DaneDemand::proof: those that can be used, each once. Of the digests of one usage and
  // selector only the strongest (RFC 7671 section 9).
  std::vector<TlsaRecord> records;
};

// `records` were validated by DNSSEC. None: nothing. Some, but none that can be used: encryption
// (RFC 7672 section 2.2).
[[nodiscard]] Demand demand_of(std::vector<TlsaRecord> records);

// Whether some of these want a name in the certificate, which DANE-TA does and DANE-EE does not
// (RFC 7672 sections 3.1.1 and 3.2).
[[nodiscard]] bool wants_name(std::span<const TlsaRecord> records);

}  // namespace todoku::mailauth::dane
