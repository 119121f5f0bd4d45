// SPDX-License-Identifier: Apache-2.0
#include "operate/key_zone.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mailauth/dkim/dns_record.h"

namespace todoku::operate {
namespace {

// For how long resolvers remember that something is not there (RFC 2308 section 5): no longer than
// for what they waited that saw it published.
constexpr std::uint32_t kNegativeTtlMost = 300;

// "..." "...": what a TXT record holds, on one line. Keys have neither quotation marks nor
// backslashes.
std::string strings_of(std::string_view text) {
  std::string strings;
  for (const std::string_view part : mailauth::dkim::split_txt_strings(text)) {
    if (!strings.empty()) strings += ' ';
    strings.append("\"").append(part).append("\"");
  }
  return strings;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::string_view take_word_of(std::string_view& text) {
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(std::min(text.size(), word.size() + 1));
  return word;
}

}  // namespace

std::string zone_body(std::vector<ZoneRecord> records, std::uint32_t ttl) {
  std::ranges::sort(records);
  std::string body;
  for (const ZoneRecord& record : records) {
    body += fmt::format("{}. {} IN TXT {}\n", record.name, ttl, strings_of(record.text));
  }
  return body;
}

std::string zone_file(const ZoneTerms& terms, std::uint32_t serial, std::string_view body) {
  std::string file = fmt::format(
      "; Written by todoku, which writes it anew with each change: nothing else is kept.\n"
      "{0}. {1} IN SOA {2}. hostmaster.{0}. {3} 3600 600 1209600 {4}\n",
      terms.zone, terms.ttl, terms.name_servers.empty() ? terms.zone : terms.name_servers.front(),
      serial, std::min(terms.ttl, kNegativeTtlMost));
  for (const std::string& server : terms.name_servers) {
    file += fmt::format("{}. {} IN NS {}.\n", terms.zone, terms.ttl, server);
  }
  file += body;
  return file;
}

std::uint32_t next_serial(std::uint32_t before, Instant now) {
  const auto seconds = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  const bool is_later = static_cast<std::int32_t>(seconds - before) > 0;
  const std::uint32_t next = is_later ? seconds : before + 1;
  // 0 has a meaning of its own to some servers.
  return next == 0 ? 1 : next;
}

std::string zone_update(const ZoneTerms& terms, std::span<const ZoneChange> changes) {
  std::string lines = fmt::format("zone {}.\n", terms.zone);
  for (const ZoneChange& change : changes) {
    lines += fmt::format("update delete {}. TXT\n", change.name);
    if (!change.text) continue;
    lines +=
        fmt::format("update add {}. {} TXT {}\n", change.name, terms.ttl, strings_of(*change.text));
  }
  lines += "send\n";
  return lines;
}

std::string pack_zone(const ZoneState& state) {
  const std::string until =
      state.until ? fmt::format("{}", state.until->time_since_epoch().count()) : std::string("-");
  return fmt::format("1 {} {} {} {}", state.serial, state.digest.empty() ? "-" : state.digest,
                     state.holder.empty() ? "-" : state.holder, until);
}

Result<ZoneState> unpack_zone(std::string_view packed) {
  ZoneState state;
  const auto given = [](std::string_view word) {
    return word == "-" ? std::string() : std::string(word);
  };
  std::int64_t version = 0;
  bool good = read_number(take_word_of(packed), version) && version == 1;
  good = read_number(take_word_of(packed), state.serial) && good;
  state.digest = given(take_word_of(packed));
  state.holder = given(take_word_of(packed));
  const std::string_view until = take_word_of(packed);
  if (until != "-") {
    Instant::rep count = 0;
    good = read_number(until, count) && good;
    state.until = Instant(Instant::duration(count));
  }
  if (good && packed.empty()) return state;
  return fail(ErrorKind::corrupt, "what is stored of the platform's zone cannot be read");
}

}  // namespace todoku::operate
