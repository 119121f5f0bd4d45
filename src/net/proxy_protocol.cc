// SPDX-License-Identifier: Apache-2.0
#include "net/proxy_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"

namespace todoku::net {
namespace {

constexpr std::string_view kLineBegins = "PROXY ";
constexpr std::string_view kShortestLine = "PROXY UNKNOWN\r\n";
constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kPrefixOctets = 16;

std::unexpected<Error> no_proxy_header(std::string_view why) {
  return fail(ErrorKind::corrupt, fmt::format("PROXY header: {}", why));
}

std::size_t two_octets(std::string_view octets) {
  return static_cast<std::size_t>(static_cast<std::uint8_t>(octets[0])) << 8U |
         static_cast<std::uint8_t>(octets[1]);
}

// A client of IPv4 at a proxy's socket for both: networks of IPv4 must know it.
IpAddress unmapped(const IpAddress& address) {
  const auto octets = address.octets();
  constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (!address.is_v6() || !std::ranges::equal(octets.first(kMappedPrefix.size()), kMappedPrefix)) {
    return address;
  }
  return IpAddress::v4({octets[12], octets[13], octets[14], octets[15]});
}

// Section 2.1: decimal, without zeros in front.
std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return port;
}

template <std::size_t n>
std::array<std::uint8_t, n> address_octets(std::string_view block, std::size_t at) {
  std::array<std::uint8_t, n> octets{};
  std::ranges::transform(block.substr(at, n), octets.begin(),
                         [](char c) { return static_cast<std::uint8_t>(c); });
  return octets;
}

// RFC 4960 appendix B. A header is short and comes once: no table.
std::uint32_t crc32c(std::string_view octets) {
  std::uint32_t crc = ~0U;
  for (const char c : octets) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

// Section 2.2.3: over the whole header, with zeros in place of the sum.
bool is_sum_right(std::string_view header, std::size_t at) {
  std::string blank(header);
  std::fill_n(blank.begin() + static_cast<std::ptrdiff_t>(at), 4, '\0');
  const std::uint32_t told = static_cast<std::uint32_t>(two_octets(header.substr(at)) << 16U |
                                                        two_octets(header.substr(at + 2)));
  return crc32c(blank) == told;
}

// Vectors of type, length and value fill the rest of the header from `at` on (section 2.2).
Result<void> look_at_vectors(std::string_view header, std::size_t at) {
  constexpr std::size_t kBefore = 3;
  constexpr char kSum = 0x03;
  bool summed = false;
  while (at < header.size()) {
    if (header.size() - at < kBefore) return no_proxy_header("a vector is cut off");
    const char type = header[at];
    const std::size_t size = two_octets(header.substr(at + 1));
    at += kBefore;
    if (size > header.size() - at) return no_proxy_header("a vector is longer than the header");
    if (type == kSum) {
      if (size != 4 || summed) return no_proxy_header("a checksum is one, of four octets");
      if (!is_sum_right(header, at)) return no_proxy_header("the checksum is another");
      summed = true;
    }
    at += size;
  }
  return {};
}

void append_two(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8U & 0xFFU);
  out += static_cast<char>(number & 0xFFU);
}

}  // namespace

// Section 2.2.
std::string proxy_header(const Endpoint& source, const Endpoint& destination) {
  constexpr char kVersion2Proxy = 0x21;
  constexpr char kTcp4 = 0x11;
  constexpr char kTcp6 = 0x21;
  check(source.address.is_v4() == destination.address.is_v4(), "both ends are of one family");
  const bool v4 = source.address.is_v4();
  std::string header(kSignature);
  header += kVersion2Proxy;
  header += v4 ? kTcp4 : kTcp6;
  append_two(header, 2 * source.address.octets().size() + 4);
  header.append(as_text(source.address.octets())).append(as_text(destination.address.octets()));
  append_two(header, source.port);
  append_two(header, destination.port);
  return header;
}

std::size_t ProxyProtocolParser::wanted() const {
  switch (state_) {
    case State::begin:
      return kShortestLine.size();
    case State::line:
      if (held_.size() < kShortestLine.size()) return kShortestLine.size() - held_.size();
      return held_.back() == '\r' ? 1 : 2;
    case State::binary:
      return std::max(total_, kPrefixOctets) - held_.size();
    case State::whole:
    case State::broken:
      break;
  }
  return 0;
}

Result<bool> ProxyProtocolParser::take(std::string_view& piece) {
  while (state_ != State::whole && state_ != State::broken && !piece.empty()) {
    const char c = piece.front();
    piece.remove_prefix(1);
    if (const auto taken = take_octet(c); !taken) {
      state_ = State::broken;
      why_ = taken.error().detail;
      held_.clear();
    }
  }
  if (state_ == State::broken) return fail(ErrorKind::corrupt, why_);
  return state_ == State::whole;
}

Result<void> ProxyProtocolParser::take_octet(char c) {
  if (state_ == State::begin) state_ = c == kSignature.front() ? State::binary : State::line;
  const std::string_view begins = state_ == State::line ? kLineBegins : kSignature;
  if (held_.size() < begins.size() && c != begins[held_.size()]) {
    return no_proxy_header("the connection does not begin with one");
  }
  const bool after_cr = held_.ends_with('\r');
  held_ += c;
  if (state_ == State::line) {
    if (after_cr != (c == '\n')) return no_proxy_header("the line has CR or LF alone");
    if (after_cr) return look_at_line();
    if (held_.size() == kLineMax) return no_proxy_header("the line has more than 107 octets");
    return {};
  }
  if (held_.size() == kPrefixOctets) {
    if (auto looked = look_at_prefix(); !looked) return looked;
  }
  return total_ != 0 && held_.size() == total_ ? look_at_body() : Result<void>();
}

// "PROXY TCP4 192.0.2.1 198.51.100.1 56324 465"
Result<void> ProxyProtocolParser::look_at_line() {
  std::string_view line = std::string_view(held_).substr(kLineBegins.size());
  line.remove_suffix(2);
  const auto next = [&line] {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, space);
    line.remove_prefix(std::min(space + 1, line.size()));
    return word;
  };
  const std::string_view family = next();
  // What follows is ignored (section 2.1).
  if (family == "UNKNOWN") return finish({.local = true}), Result<void>();
  if (family != "TCP4" && family != "TCP6") return no_proxy_header("neither TCP4 nor TCP6");
  const auto source = IpAddress::parse(next());
  const auto destination = IpAddress::parse(next());
  const auto source_port = port_of(next());
  // The last word is all that is left: a space at its end is no port.
  const auto destination_port = port_of(line);
  if (!source || !destination || !source_port || !destination_port) {
    return no_proxy_header("two addresses and two ports are needed");
  }
  const bool is_v4 = family == "TCP4";
  if (source->is_v4() != is_v4 || destination->is_v4() != is_v4) {
    return no_proxy_header("the addresses are not of the family");
  }
  finish({.source = {unmapped(*source), *source_port},
          .destination = {unmapped(*destination), *destination_port}});
  return {};
}

Result<void> ProxyProtocolParser::look_at_prefix() {
  const auto version_and_command = static_cast<std::uint8_t>(held_[12]);
  if (version_and_command >> 4U != 2) return no_proxy_header("the binary version is not 2");
  if ((version_and_command & 0xFU) > 1) return no_proxy_header("neither LOCAL nor PROXY");
  const std::size_t length = two_octets(std::string_view(held_).substr(14));
  if (length > kLengthMax) {
    return no_proxy_header(fmt::format("{} octets, more than {}", length, kLengthMax));
  }
  total_ = kPrefixOctets + length;
  return {};
}

Result<void> ProxyProtocolParser::look_at_body() {
  constexpr std::array<std::size_t, 4> kAddressOctets = {0, 12, 36, 216};
  const bool local = (static_cast<std::uint8_t>(held_[12]) & 0xFU) == 0;
  // Section 2.2: of LOCAL the family and the whole block are discarded.
  if (local) return finish({.local = true}), Result<void>();
  const std::size_t family = static_cast<std::uint8_t>(held_[13]) >> 4U;
  const std::size_t transport = static_cast<std::uint8_t>(held_[13]) & 0xFU;
  if (family >= kAddressOctets.size() || transport > 2) {
    return no_proxy_header("neither family nor transport is known");
  }
  if (transport == 2) return no_proxy_header("datagrams carry no mail");
  // What a block of nobody knows what holds cannot be looked at.
  if (family == 0 || transport == 0) return finish({.local = true}), Result<void>();
  const std::string_view block = std::string_view(held_).substr(kPrefixOctets);
  if (block.size() < kAddressOctets[family]) return no_proxy_header("the addresses are cut off");
  if (auto looked = look_at_vectors(held_, kPrefixOctets + kAddressOctets[family]); !looked) {
    return looked;
  }
  ProxyHeader header{.local = family == 3};
  if (family == 1) {
    header.source.address = IpAddress::v4(address_octets<4>(block, 0));
    header.destination.address = IpAddress::v4(address_octets<4>(block, 4));
  } else if (family == 2) {
    header.source.address = unmapped(IpAddress::v6(address_octets<16>(block, 0)));
    header.destination.address = unmapped(IpAddress::v6(address_octets<16>(block, 16)));
  }
  if (!header.local) {
    const std::string_view ports = block.substr(kAddressOctets[family] - 4);
    header.source.port = static_cast<std::uint16_t>(two_octets(ports));
    header.destination.port = static_cast<std::uint16_t>(two_octets(ports.substr(2)));
  }
  finish(header);
  return {};
}

void ProxyProtocolParser::finish(ProxyHeader header) {
  header_ = header;
  state_ = State::whole;
  held_.clear();
  held_.shrink_to_fit();
}

}  // namespace todoku::net
