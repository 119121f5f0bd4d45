// SPDX-License-Identifier: Apache-2.0
// Test mails to mailboxes of the operator's own at receivers, and where they were found: asked for,
// worked on by one process at a time, and kept as history for a while (probe/prober.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

// Where a probe was found. Stored as these numbers: never renumber.
enum class ProbePlace : std::uint8_t {
  waiting = 0,  // not found yet
  inbox = 1,
  junk = 2,
  other = 3,    // some other folder, or a tab of the receiver's
  missing = 4,  // taken by the receiver, and in no folder in time
  refused = 5,  // it never reached the receiver in time, or was refused: as its story says
  failed = 6,   // nothing is known: the mail was not taken by us, or the mailbox not read
};
[[nodiscard]] std::string_view to_string(ProbePlace place);
// nullopt: a newer version's.
[[nodiscard]] std::optional<ProbePlace> probe_place_of(std::uint64_t number);

// What a probe came to; packed into one value (pack_probe_news), which a version that knows more
// may lengthen.
struct ProbeNews {
  ProbePlace place = ProbePlace::waiting;
  std::string sender;               // its From
  std::string provider;             // as the mailbox is configured when it is asked for
  DeliveryKey delivery{};           // 0: nothing was handed over
  std::optional<Instant> sent;      // handed over to the engine
  std::optional<Instant> accepted;  // the receiver's 250
  std::optional<Instant> found;     // seen in a folder
  std::string source;               // the egress source that sent it
  std::string folder;               // its name at the receiver, UTF-8 or as it was said
  std::string spf, dkim, dmarc;     // the receiver's words; empty: it said nothing we trust
  std::string detail;               // why it failed; empty: it did not
  friend bool operator==(const ProbeNews&, const ProbeNews&) = default;
};

struct Probe {
  std::string token;    // stands in its subject: what it is found by
  std::string mailbox;  // its name in the configuration
  Instant asked{};
  // When somebody takes it up next; while one works on it, when another may. nullopt: it is over.
  std::optional<Instant> due;
  ProbeNews news;
  friend bool operator==(const Probe&, const Probe&) = default;
};

[[nodiscard]] std::string pack_probe_news(const ProbeNews& news);
// corrupt if it is damaged.
[[nodiscard]] Result<ProbeNews> unpack_probe_news(std::string_view packed);
// What stores read: one that is damaged stops no others, it has failed and says why.
[[nodiscard]] ProbeNews probe_news_in(std::string_view packed);

struct ProbeQuestion {
  std::optional<std::string> mailbox;  // nullopt: all
  std::optional<Instant> before;       // asked before; nullopt: whenever
  std::int64_t limit = 100;
};

// More than so many that are not over are not asked for.
inline constexpr std::int64_t kProbesOpenMax = 2'000;

class ProbeReads {
 public:
  virtual ~ProbeReads() = default;
  // The newest first.
  [[nodiscard]] virtual Result<std::vector<Probe>> probes(const ProbeQuestion& question) = 0;
  // That are not over; counted up to kProbesOpenMax.
  [[nodiscard]] virtual Result<std::int64_t> probes_open() = 0;
};

class ProbeWrites {
 public:
  virtual ~ProbeWrites() = default;
  // False: one of the token is there already, and stays as it is.
  [[nodiscard]] virtual Result<bool> ask_probe(const Probe& probe) = 0;
  // Those that are due, of each only this caller's until `until`, which then is its `due`. One that
  // is not `waiting` any more is to be ended: what was kept of it is damaged.
  [[nodiscard]] virtual Result<std::vector<Probe>> take_probes(Instant now, Instant until,
                                                               std::int64_t limit) = 0;
  // What has become of one that was taken with `taken` as its due. False: another has taken it
  // since, and nothing is changed.
  [[nodiscard]] virtual Result<bool> keep_probe(const Probe& probe, Instant taken) = 0;
  // Those asked before, a thousand at the most; how many they were.
  [[nodiscard]] virtual Result<std::int64_t> drop_probes(Instant before) = 0;
};

}  // namespace todoku::store
