// SPDX-License-Identifier: Apache-2.0
// A scenario: everything that can happen to the engine in one simulation, as plain data. This list
// is what the simulator knows of trouble; a new kind of trouble begins with a line here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "delivery/options.h"
#include "mail/states.h"

namespace todoku::sim {

using std::chrono::seconds;

// ---- receivers ---------------------------------------------------------------------------------

enum class Trouble : std::uint8_t {
  refuses_connections,
  never_connects,  // SYN without an answer
  never_greets,    // connected, then silence
  greets_with_421,
  greets_with_554,
  hangs_up_at_hello,
  says_421_at_mail,  // greets well, closes at every MAIL
  tarpits,           // answers after `SiteScript::tarpit`
};

struct Outage {
  Trouble trouble{};
  Microseconds from{};  // since the beginning
  Microseconds until{};
};

// One receiving system and what we allow ourselves there. Shares are between 0 and 1.
struct SiteScript {
  std::string name;
  std::vector<std::string> domains;
  std::size_t hosts = 1;
  // -- our limits
  std::uint32_t connections_max = 5;
  std::uint32_t messages_per_connection = 100;
  double messages_per_second = 0;  // 0: no limit
  seconds idle{5};
  // -- what it offers
  bool ehlo = true;
  bool pipelining = true;
  bool chunking = true;
  // -- how it behaves
  Microseconds latency{10'000};  // of the connection and of every answer
  Microseconds tarpit{seconds(40)};
  bool greylists = false;             // the first attempt of every address: 451
  double refused_for_good = 0;        // of mails, at RCPT
  double refused_for_now = 0;         // of mails, at RCPT
  double refused_content = 0;         // of mails, at the end of the content, for good or for now
  double mail_421 = 0;                // of mails, 421 at MAIL
  std::uint32_t mails_until_421 = 0;  // 0: any number over one connection
  std::uint32_t hangs_up_after = 0;   // mails taken over one connection, without a word; 0: never
  double breaks_reading = 0;          // of connections: lost after some octets from us
  double breaks_answering = 0;        // of connections: lost in the middle of an answer
  double silent_takes = 0;            // of mails: taken, and the connection lost before the answer
  double slow_answers = 0;            // of answers: late by up to `slow_by`
  Microseconds slow_by{seconds(5)};
  std::vector<Outage> outages;
};

// ---- names -------------------------------------------------------------------------------------

struct DnsScript {
  std::string domain;
  bool exists = true;
  Microseconds latency{2'000};
  Microseconds fails_from{};  // SERVFAIL in between
  Microseconds fails_until{};
};

// ---- mail --------------------------------------------------------------------------------------

struct AccountScript {
  std::string name;
  std::uint32_t weight = 1;
};

// One delivery: transactional ones go through intake, bulk ones are appended in one piece.
struct Mailing {
  Microseconds at{};
  std::size_t account = 0;
  TrafficClass traffic = TrafficClass::transactional;
  bool at_most_once = false;
  std::vector<std::string> domains;  // one recipient each
  Microseconds reserved_for{};       // bulk only: start this much later
  std::size_t filler = 0;            // octets of text on top
};

// ---- the engine's own trouble ------------------------------------------------------------------

struct Crash {
  Microseconds down{};  // until the next start
  std::size_t node = 0;
};
struct Restart {  // in order
  Microseconds grace{};
  Microseconds down{};
  std::size_t node = 0;
};
struct ClockLeap {  // of the store's time of day, and that of all nodes
  Milliseconds by{};
};
struct NodeClockLeap {  // of one machine's time of day
  Milliseconds by{};
  std::size_t node = 0;
};
struct Stall {  // the process stands still, and then goes on as if nothing had been
  Microseconds lasts{};
  std::size_t node = 0;
};
struct StoreAway {  // for one node; the others reach it
  Microseconds lasts{};
  std::size_t node = 0;
};
struct DiskFull {  // commits are refused
  Microseconds lasts{};
};
struct DiskSlow {
  Microseconds commit{};  // each takes this long
  Microseconds lasts{};
};

struct Incident {
  Microseconds at{};
  std::variant<Crash, Restart, ClockLeap, DiskFull, DiskSlow, NodeClockLeap, Stall, StoreAway> what;
};

struct StoreScript {
  Microseconds commit{2'000};  // longest of a commit
  double repeated = 0;         // of writes: run, undone and run again
  double failing = 0;          // of commits: refused
  double slow_reads = 0;       // of reads: answered up to 50 ms late
  double failing_reads = 0;    // of reads
  double lost_answers = 0;     // of accepts and claims that are committed
};

// What a queue between nodes may do with a bell. Shares are between 0 and 1.
struct BellScript {
  double lost = 0;
  double late = 0;  // by up to `late_by`
  double repeated = 0;
  double strayed = 0;  // it also comes to another node
  Microseconds late_by{seconds(5)};
};

// What holds the leases together. With one of them off the simulation must find broken promises;
// else it would prove nothing about them.
struct Safeguards {
  bool token_checked = true;    // by the store, when a batch is released
  bool lapse_respected = true;  // by a node, before it begins a mail
  bool way_remembered = true;   // by the store: of mail that is sent at most once
  bool handover_waits = true;   // by a courier: a source is given up when nothing of it is in hand
  // By a node, for what it holds as the store says and has not in hand.
  bool looks_for_forgotten = true;
};

// Faults that are planted on purpose, each in a shell around the engine that is as good as the
// fault in the engine itself. Every one must be found (faults_test.cc); else what the simulation
// checks would prove nothing about it.
struct Faults {
  bool accepts_told_early = false;    // that mail is kept, before it is: a refused commit counts
  bool outcomes_told_early = false;   // likewise, that what became of mails is kept
  bool accepts_denied = false;        // some mail is kept, and its sender told that it is not
  bool bounces_as_delivered = false;  // is what the store is told
  bool recipients_mixed_up = false;   // two of a claimed batch have each other's address
  bool deliveries_deferred = false;   // likewise: that mails are to go again which were taken
  bool connection_too_many = false;   // a lane's limit is off by one
  bool pace_too_high = false;         // a lane's pace is half as much again
  bool expiry_ignored = false;        // life times have no end
  bool unrecorded_unbounded = false;  // sending goes on however much is not recorded
};

struct Scenario {
  std::uint64_t seed = 0;
  std::size_t nodes = 1;  // each a process of its own with all roles, over one store
  std::size_t threads = 1;
  std::size_t sources = 1;
  std::vector<SiteScript> sites;
  std::vector<DnsScript> names;  // of domains that need one; others resolve at once
  std::vector<AccountScript> accounts;
  std::vector<Mailing> mailings;
  std::vector<Incident> incidents;
  StoreScript store;
  BellScript bells;
  Safeguards safeguards;
  Faults faults;
  delivery::Options options;  // sources are filled in by the world
};

// The scenario of a seed: one process with every kind of trouble.
[[nodiscard]] Scenario generate(std::uint64_t seed);
// Several, with the kinds that leases are made for.
[[nodiscard]] Scenario generate_cluster(std::uint64_t seed);

// What scenarios begin from: retries and rests of seconds instead of minutes, so that a life time
// is ten minutes.
[[nodiscard]] delivery::Options quick_options();

}  // namespace todoku::sim
