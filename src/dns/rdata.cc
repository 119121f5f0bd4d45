// SPDX-License-Identifier: Apache-2.0
#include "dns/rdata.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mailauth/dane/tlsa.h"
#include "mailauth/facts/dns_facts.h"

namespace todoku::dns {
namespace {

constexpr std::size_t kNameOctetsMax = 255;  // RFC 1035 section 2.3.4, on the wire
constexpr std::size_t kLabelOctetsMax = 63;

// One octet of a label in text. Dots and backslashes within a label would read as something else.
void append_escaped(std::string& out, std::uint8_t octet) {
  const char c = static_cast<char>(octet);
  if (octet > 0x20 && octet < 0x7F && c != '.' && c != '\\') {
    out += ascii_lower(c);
  } else {
    fmt::format_to(std::back_inserter(out), "\\{:03}", octet);
  }
}

// A whole name at the start of `rdata`, which is shortened by it.
Result<std::string> take_name(Rdata& rdata) {
  std::string name;
  std::size_t octets = 0;
  for (;;) {
    if (rdata.empty()) return fail(ErrorKind::corrupt, "the name does not end");
    const std::size_t length = rdata.front();
    // The upper bits mark compression, which resolvers have undone before.
    if (length > kLabelOctetsMax) return fail(ErrorKind::corrupt, "the label is too long");
    octets += length + 1;
    if (octets > kNameOctetsMax) return fail(ErrorKind::corrupt, "the name is too long");
    rdata = rdata.subspan(1);
    if (length == 0) return name;
    if (rdata.size() < length) return fail(ErrorKind::corrupt, "the label is cut off");
    if (!name.empty()) name += '.';
    for (const std::uint8_t octet : rdata.first(length)) append_escaped(name, octet);
    rdata = rdata.subspan(length);
  }
}

// A name that fills `rdata`.
Result<std::string> parse_name(Rdata rdata) {
  auto name = take_name(rdata);
  if (name && !rdata.empty()) return fail(ErrorKind::corrupt, "something follows the name");
  return name;
}

template <std::size_t N>
Result<std::array<std::uint8_t, N>> exactly(Rdata rdata) {
  if (rdata.size() != N) {
    return fail(ErrorKind::corrupt,
                fmt::format("an address of {} octets instead of {}", rdata.size(), N));
  }
  std::array<std::uint8_t, N> octets{};
  std::ranges::copy(rdata, octets.begin());
  return octets;
}

}  // namespace

std::string_view to_string(RecordType type) {
  switch (type) {
    case RecordType::a:
      return "A";
    case RecordType::ns:
      return "NS";
    case RecordType::cname:
      return "CNAME";
    case RecordType::ptr:
      return "PTR";
    case RecordType::mx:
      return "MX";
    case RecordType::txt:
      return "TXT";
    case RecordType::aaaa:
      return "AAAA";
    case RecordType::tlsa:
      return "TLSA";
  }
  return "";
}

Result<MxRecord> parse_mx(Rdata rdata) {
  if (rdata.size() < 3) return fail(ErrorKind::corrupt, "the MX record is cut off");
  const auto preference = static_cast<std::uint16_t>((rdata[0] << 8) | rdata[1]);
  auto host = parse_name(rdata.subspan(2));
  if (!host) return fail("in an MX record", std::move(host.error()));
  return MxRecord{.preference = preference, .host = std::move(*host)};
}

Result<net::IpAddress> parse_a(Rdata rdata) {
  const auto octets = exactly<4>(rdata);
  if (!octets) return fail(octets.error());
  return net::IpAddress::v4(*octets);
}

Result<net::IpAddress> parse_aaaa(Rdata rdata) {
  const auto octets = exactly<16>(rdata);
  if (!octets) return fail(octets.error());
  return net::IpAddress::v6(*octets);
}

Result<std::string> parse_txt(Rdata rdata) {
  if (rdata.empty()) return fail(ErrorKind::corrupt, "the TXT record is empty");
  std::string text;
  while (!rdata.empty()) {
    const std::size_t length = rdata.front();
    rdata = rdata.subspan(1);
    if (rdata.size() < length) return fail(ErrorKind::corrupt, "the TXT record is cut off");
    text += as_text(rdata.first(length));
    rdata = rdata.subspan(length);
  }
  return text;
}

Result<std::string> parse_ptr(Rdata rdata) {
  return parse_name(rdata);
}

Result<TlsaRecord> parse_tlsa(Rdata rdata) {
  return mailauth::dane::parse_tlsa(rdata);
}

std::string reverse_name(const net::IpAddress& address) {
  const auto octets = address.octets();
  return mailauth::reverse_name(std::string(octets.begin(), octets.end()));
}

}  // namespace todoku::dns
