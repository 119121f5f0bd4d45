// SPDX-License-Identifier: Apache-2.0
#include "mailauth/identity/generic_name.h"

#include <algorithm>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"

namespace todoku::mailauth {
namespace {

// What providers call lines and their customers; each a whole word between digits and signs.
constexpr std::string_view kWords[] = {
    "adsl",       "broadband", "cable",     "client", "clients",  "cpe",  "cust",
    "customer",   "dhcp",      "dial",      "dialin", "dialup",   "dip",  "dsl",
    "dyn",        "dynamic",   "dynamicip", "flets",  "ftth",     "ipoe", "mobile",
    "nat",        "pool",      "pools",     "ppp",    "pppoe",    "res",  "residential",
    "unassigned", "unused",    "vdsl",      "wimax",  "wireless", "xdsl"};

// Below these, lines of homes and telephones have names with numbers in them: NTT, KDDI, SoftBank
// and docomo with their networks, and the providers of access of Japan.
constexpr std::string_view kAccessNetworks[] = {
    "ap.gmo-isp.jp",   "ap.nuro.jp",    "ap.plala.or.jp",   "ap.so-net.ne.jp",   "ap.seikyou.ne.jp",
    "asahi-net.or.jp", "au-net.ne.jp",  "bbiq.jp",          "bbtec.net",         "catv.ne.jp",
    "commufa.jp",      "dion.ne.jp",    "enabler.ne.jp",    "eonet.ne.jp",       "hi-ho.ne.jp",
    "home.ne.jp",      "infoweb.ne.jp", "itscom.jp",        "jcom.home.ne.jp",   "mesh.ad.jp",
    "mopera.net",      "ocn.ne.jp",     "openmobile.ne.jp", "panda-world.ne.jp", "parkcity.ne.jp",
    "pikara.ne.jp",    "spmode.ne.jp",  "thn.ne.jp",        "transix.jp",        "ucom.ne.jp",
    "uqwimax.jp",      "v6connect.net", "vmobile.jp",       "wakwak.ne.jp",      "zaq.ne.jp"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_below(std::string_view name, std::string_view domain) {
  return name.size() > domain.size() && name.ends_with(domain) &&
         name[name.size() - domain.size() - 1] == '.';
}

// Without the domain that somebody registered, whose own name says nothing of the host: the last
// two labels, or three where the last but one is short, as of "co.jp".
std::string_view host_part(std::string_view name) {
  std::size_t end = name.rfind('.');
  if (end == std::string_view::npos) return {};
  for (int labels = 1; labels < 3; ++labels) {
    const std::size_t dot = end == 0 ? std::string_view::npos : name.rfind('.', end - 1);
    if (dot == std::string_view::npos) return {};
    const bool is_short = end - dot - 1 <= 3;
    end = dot;
    if (!is_short) break;
  }
  return name.substr(0, end);
}

// The runs of characters for which `belongs` is true.
template <class Belongs>
std::vector<std::string_view> runs_of(std::string_view text, Belongs belongs) {
  std::vector<std::string_view> runs;
  while (true) {
    const auto begin = std::ranges::find_if(text, belongs);
    const auto end = std::find_if_not(begin, text.end(), belongs);
    if (begin == end) return runs;
    runs.emplace_back(begin, end);
    text = std::string_view(end, text.end());
  }
}

std::string reversed(std::string_view text) {
  return {text.rbegin(), text.rend()};
}

// `parts` contain three or more of `whole` one after the other, from its beginning or its end.
bool contain_three(const std::vector<std::string>& parts, std::vector<std::string> whole) {
  if (whole.size() < 3) return false;
  for (int turn = 0; turn < 2; ++turn) {
    const std::span<const std::string> all(whole);
    for (const auto three : {all.first(3), all.last(3)}) {
      if (!std::ranges::search(parts, three).empty()) return true;
    }
    std::ranges::reverse(whole);
  }
  return false;
}

std::string without_leading_zeros(std::string_view digits) {
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return std::string(digits.substr(first));
}

bool holds_v4(std::string_view host, std::string_view address) {
  std::vector<std::string> numbers;
  for (const std::string_view run : runs_of(host, is_digit)) {
    numbers.push_back(without_leading_zeros(run));
  }
  std::vector<std::string> octets;
  std::string padded;
  for (const char octet : address) {
    const auto value = static_cast<unsigned char>(octet);
    octets.push_back(fmt::format("{}", value));
    padded += fmt::format("{:03}", value);
  }
  // "126000002004" of softbank126000002004.bbtec.net, "7f000204" of zaq7f000204.zaq.ne.jp.
  return contain_three(numbers, octets) || host.contains(padded) ||
         host.contains(std::string_view(padded).substr(3)) || host.contains(to_hex(address));
}

bool holds_v6(std::string_view host, std::string_view address) {
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); };
  std::string digits;
  std::vector<std::string> groups;
  for (const std::string_view run : runs_of(host, is_hex)) {
    digits += run;
    groups.push_back(without_leading_zeros(run));
  }
  const std::string whole = to_hex(address);
  for (const std::string_view half :
       {std::string_view(whole).substr(0, 16), std::string_view(whole).substr(16)}) {
    if (half.find_first_not_of('0') == std::string_view::npos) continue;
    if (digits.contains(half) || digits.contains(reversed(half))) return true;
  }
  std::vector<std::string> hextets;
  for (std::size_t i = 0; i < whole.size(); i += 4) {
    hextets.push_back(without_leading_zeros(std::string_view(whole).substr(i, 4)));
  }
  return contain_three(groups, hextets);
}

}  // namespace

std::optional<std::string> generic_sign(std::string_view name, std::string_view address) {
  const std::string lower =
      to_ascii_lower(name.ends_with('.') ? name.substr(0, name.size() - 1) : name);
  const std::string_view host = host_part(lower);
  if ((address.size() == 4 && holds_v4(host, address)) ||
      (address.size() == 16 && holds_v6(host, address))) {
    return "holds the address itself";
  }
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  for (const std::string_view word : runs_of(host, is_letter)) {
    if (std::ranges::find(kWords, word) != std::end(kWords)) {
      return fmt::format("holds \"{}\", as lines of customers do", word);
    }
  }
  const std::string_view first_label = std::string_view(lower).substr(0, lower.find('.'));
  const bool is_numbered = std::ranges::count_if(first_label, is_digit) >= 2;
  for (const std::string_view network : kAccessNetworks) {
    if (is_numbered && is_below(lower, network)) {
      return fmt::format("is numbered below {}, as lines of customers are", network);
    }
  }
  return std::nullopt;
}

}  // namespace todoku::mailauth
