// SPDX-License-Identifier: Apache-2.0
// Reading the data of DNS records (RFC 1035 section 3.3) in wire format, names uncompressed.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "dns/resolver.h"

namespace todoku::dns {

enum class RecordType : std::uint16_t {
  a = 1,
  ns = 2,
  cname = 5,
  ptr = 12,
  mx = 15,
  txt = 16,
  aaaa = 28,
  tlsa = 52,
};
[[nodiscard]] std::string_view to_string(RecordType type);

using Rdata = std::span<const std::uint8_t>;

// Each reads one record. Errors: corrupt, with what is wrong.
[[nodiscard]] Result<MxRecord> parse_mx(Rdata rdata);
[[nodiscard]] Result<net::IpAddress> parse_a(Rdata rdata);
[[nodiscard]] Result<net::IpAddress> parse_aaaa(Rdata rdata);
[[nodiscard]] Result<std::string> parse_txt(Rdata rdata);
[[nodiscard]] Result<std::string> parse_ptr(Rdata rdata);  // NS and CNAME records look the same
[[nodiscard]] Result<TlsaRecord> parse_tlsa(Rdata rdata);

// The name whose PTR records tell the names of an address (RFC 1035 section 3.5, RFC 3596 section
// 2.5): "1.2.0.192.in-addr.arpa".
[[nodiscard]] std::string reverse_name(const net::IpAddress& address);

}  // namespace todoku::dns
