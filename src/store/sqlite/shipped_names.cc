// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/shipped_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <tuple>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"

namespace todoku::store::sqlite {
namespace {

constexpr std::string_view kFiles = "files";
constexpr std::size_t kChainRandomOctets = 4;
constexpr std::size_t kChainTimeOctets = 16;

// The number after the last '-', taken off.
std::optional<std::uint64_t> take_number(std::string_view& name) {
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = name.substr(dash + 1);
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || rest != digits.data() + digits.size() || digits.empty()) {
    return std::nullopt;
  }
  name = name.substr(0, dash);
  return number;
}

std::optional<Instant> take_instant(std::string_view& name) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 50U;
  const auto ms = take_number(name);
  if (!ms || *ms > kMost) return std::nullopt;
  return from_epoch_ms(static_cast<std::int64_t>(*ms));
}

void note_segment(ChainFound& chain, std::string_view rest, const std::string& name) {
  const auto last = take_instant(rest);
  const auto number = last ? take_number(rest) : std::nullopt;
  if (number && rest == "s") chain.segments[*number] = {*number, *last, name};
}

void note_part(ChainFound& chain, std::string_view rest, const std::string& name) {
  const auto part = take_number(rest);
  const auto first = part ? take_number(rest) : std::nullopt;
  if (first && rest == "b") chain.snapshot_parts[*first].push_back(name);
}

std::optional<SnapshotName> read_end(std::string_view chain, std::string_view rest) {
  const auto at = take_instant(rest);
  const auto whole = at ? take_number(rest) : std::nullopt;
  const auto first = whole ? take_number(rest) : std::nullopt;
  if (!first || rest != "e") return std::nullopt;
  return SnapshotName{.chain = std::string(chain), .first = *first, .whole = *whole, .at = *at};
}

void sort_in(Shipped& shipped, const ShippedPlace::Entry& entry) {
  const std::string_view name = entry.name;
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return;
  const std::string_view folder = name.substr(0, slash);
  std::string_view rest = name.substr(slash + 1);
  if (rest.empty() || rest.find('/') != std::string_view::npos) return;
  if (folder == kFiles) {
    if (take_number(rest)) shipped.files[std::string(rest)].push_back(entry);
    return;
  }
  if (!is_shipped_folder(folder)) return;
  if (const auto end = read_end(folder, rest)) {
    shipped.snapshots.push_back(*end);
    return;
  }
  ChainFound& chain = shipped.chains[std::string(folder)];
  note_segment(chain, rest, entry.name);
  note_part(chain, rest, entry.name);
}

}  // namespace

std::string chain_time(Instant at) {
  const auto seconds = static_cast<std::time_t>(to_epoch_ms(at) / 1'000);
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
}

std::string new_chain(Instant now, std::string_view life) {
  return fmt::format("{}-{}{}{}", chain_time(now), to_hex(random_octets(kChainRandomOctets)),
                     life.empty() ? "" : "-", life);
}

std::string_view life_of(std::string_view chain) {
  const std::string_view last = chain.substr(chain.rfind('-') + 1);  // all of it without one
  return last.size() == kChainTimeOctets && last.ends_with('Z') ? last
                                                                : chain.substr(0, kChainTimeOctets);
}

bool is_shipped_folder(std::string_view name) {
  if (name == kFiles) return true;
  const bool begins = name.size() > kChainTimeOctets + 1 && name[8] == 'T' &&
                      name[kChainTimeOctets - 1] == 'Z' && name[kChainTimeOctets] == '-';
  return begins && name.find_first_not_of("0123456789abcdefTZ-") == std::string_view::npos;
}

std::string segment_name(std::string_view chain, std::uint64_t number, Instant last) {
  return fmt::format("{}/s-{:010}-{}", chain, number, to_epoch_ms(last));
}

std::string snapshot_part_name(std::string_view chain, std::uint64_t first, std::uint64_t part) {
  return fmt::format("{}/b-{:010}-{:04}", chain, first, part);
}

std::string snapshot_end_name(const SnapshotName& snapshot) {
  return fmt::format("{}/e-{:010}-{:010}-{}", snapshot.chain, snapshot.first, snapshot.whole,
                     to_epoch_ms(snapshot.at));
}

std::string file_part_name(std::string_view file, std::uint64_t part) {
  return fmt::format("{}/{}-{:04}", kFiles, file, part);
}

Shipped read_names(const std::vector<ShippedPlace::Entry>& entries) {
  Shipped shipped;
  for (const ShippedPlace::Entry& entry : entries) sort_in(shipped, entry);
  std::ranges::sort(shipped.snapshots, [](const SnapshotName& a, const SnapshotName& b) {
    return std::tie(a.at, a.chain, a.first) < std::tie(b.at, b.chain, b.first);
  });
  return shipped;
}

// The last one that was whole by then.
const SnapshotName* oldest_needed(const Shipped& shipped, Instant before) {
  const SnapshotName* oldest = nullptr;
  for (const SnapshotName& each : shipped.snapshots) {
    if (oldest == nullptr || each.at <= before) oldest = &each;
  }
  return oldest;
}

std::vector<std::string> never_whole(const Shipped& shipped, std::string_view goes_on) {
  std::vector<std::string> names;
  const auto is_whole = [&](const std::string& chain, std::optional<std::uint64_t> first) {
    return std::ranges::any_of(shipped.snapshots, [&](const SnapshotName& each) {
      return each.chain == chain && (!first || each.first == *first);
    });
  };
  for (const auto& [name, chain] : shipped.chains) {
    for (const auto& [first, parts] : chain.snapshot_parts) {
      if (!is_whole(name, first)) names.insert(names.end(), parts.begin(), parts.end());
    }
    if (name == goes_on || is_whole(name, std::nullopt)) continue;
    for (const auto& [number, segment] : chain.segments) names.push_back(segment.name);
  }
  return names;
}

std::vector<std::string> spare(const Shipped& shipped, Instant before) {
  std::vector<std::string> names;
  const SnapshotName* const oldest = oldest_needed(shipped, before);
  const std::size_t kept =
      oldest == nullptr ? 0 : static_cast<std::size_t>(oldest - shipped.snapshots.data());
  const auto needed_from = [&](const std::string& chain) -> std::optional<std::uint64_t> {
    std::optional<std::uint64_t> first;
    for (std::size_t i = kept; i < shipped.snapshots.size(); ++i) {
      const SnapshotName& each = shipped.snapshots[i];
      if (each.chain == chain) first = std::min(first.value_or(each.first), each.first);
    }
    return first;
  };
  for (std::size_t i = 0; i < kept; ++i) {
    names.push_back(snapshot_end_name(shipped.snapshots[i]));  // first: a half one is none
  }
  for (const auto& [name, chain] : shipped.chains) {
    const auto first = needed_from(name);
    // Without a whole snapshot, or with one still to come: not older than what is kept.
    const bool is_older =
        !shipped.snapshots.empty() && name < shipped.snapshots[kept].chain && !first;
    for (const auto& [number, segment] : chain.segments) {
      if (is_older || (first && number < *first)) names.push_back(segment.name);
    }
    for (const auto& [number, parts] : chain.snapshot_parts) {
      if (is_older || (first && number < *first)) {
        names.insert(names.end(), parts.begin(), parts.end());
      }
    }
  }
  return names;
}

}  // namespace todoku::store::sqlite
