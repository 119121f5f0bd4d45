// SPDX-License-Identifier: Apache-2.0
// What a sink is told: which receivers it plays, how each behaves, and what is recorded.
// docs/sink.md describes the same from the outside; options_toml.h reads it from a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "mail/reply.h"
#include "net/endpoint.h"
#include "smtp/protocol/server_session.h"

namespace todoku::sink {

// The points of an SMTP dialogue where a rule can act.
enum class Moment : std::uint8_t {
  connect,   // before the greeting
  hello,     // EHLO or HELO
  starttls,  // STARTTLS, before the handshake
  mail,
  rcpt,
  data,  // DATA, before 354
  bdat,  // BDAT, before its octets
  body,  // the whole content has come, before its reply
  quit,
};
inline constexpr std::size_t kMoments = 9;
[[nodiscard]] std::string_view to_string(Moment moment);
[[nodiscard]] std::optional<Moment> moment_from(std::string_view word);

// What a receiver may have against a mail; provider_reply() has each one's words for it.
enum class Excuse : std::uint8_t {
  unknown_user,
  mailbox_full,
  blocked,               // the client's reputation
  unauthenticated,       // SPF, DKIM or DMARC
  spam,                  // the content
  too_fast,              // the client's rate
  too_many_connections,  // at once
  too_many_messages,     // in this connection
  greylisted,
  busy,
  any_temporary,  // one of those above that the provider words as 4xx but 421
  any_permanent,  // one of those that it words as 5xx
};
[[nodiscard]] std::string_view to_string(Excuse excuse);
[[nodiscard]] std::optional<Excuse> excuse_from(std::string_view word);

enum class Provider : std::uint8_t {
  postfix,  // no provider in particular
  gmail,
  yahoo,
  outlook,  // outlook.com and other consumer domains
  office365,
  icloud,
  docomo,
  au,
  softbank,
  yahoo_japan,
};
[[nodiscard]] std::string_view to_string(Provider provider);
[[nodiscard]] std::optional<Provider> provider_from(std::string_view word);

enum class TlsMode : std::uint8_t {
  none,         // STARTTLS is not offered
  good,         // a certificate for the host name, trusted through Options::certificates_file
  self_signed,  // a certificate for the host name that nobody has reason to trust
  expired,
  wrong_name,
  broken,   // STARTTLS is accepted and answered with something that is not TLS
  stalled,  // STARTTLS is accepted and nothing follows
};
[[nodiscard]] std::string_view to_string(TlsMode mode);
[[nodiscard]] std::optional<TlsMode> tls_mode_from(std::string_view word);

[[nodiscard]] std::string_view to_string(smtp::Pipelined pipelined);
[[nodiscard]] std::optional<smtp::Pipelined> pipelined_from(std::string_view word);

// One line of a receiver's script. Rules are asked in order: delays add up, and the first that
// answers or closes decides.
struct Rule {
  Moment at = Moment::rcpt;
  // Patterns with * and ?, without regard to case; empty: any. At rcpt they judge the recipient, at
  // data, bdat and body they hold if any accepted recipient fits; elsewhere they must be empty.
  std::string local;
  std::string domain;
  double odds = 1.0;
  std::optional<Reply> reply;
  std::optional<Excuse> excuse;
  bool close = false;  // without a reply; at body: the mail was taken and the sender is not told
  Microseconds delay{};

  [[nodiscard]] bool decides() const { return reply || excuse || close; }
};

// The first attempt per (client IP, sender, recipient) is deferred.
struct Greylist {
  unsigned tries = 2;         // the attempt that is accepted whatever the time; 0: only time counts
  std::uint32_t seconds = 0;  // after which any attempt is accepted; 0: only tries count
};

// One receiving system: its addresses share everything below.
struct Receiver {
  std::string name;
  std::vector<net::Endpoint> listen;
  std::vector<std::string> domains;  // patterns of recipient domains served; empty: all
  Provider provider = Provider::postfix;
  TlsMode tls = TlsMode::none;
  std::string certificate_file;  // with its key, instead of one made at start
  std::string private_key_file;
  std::string auth_user;  // with AUTH announced: the one who may log in
  std::string auth_password;
  // hostname, extensions and limits; starttls follows from `tls`.
  smtp::ServerOptions protocol{.errors_max = 0};
  bool address_rules = true;  // local parts such as bounce-550 act (script.h)
  std::vector<Rule> rules;
  std::optional<Greylist> greylist;
  std::uint32_t messages_per_connection_max = 0;  // 0: no limit, as below
  std::uint32_t connections_max = 0;              // at once, over all clients
  std::uint32_t messages_per_second_max = 0;
  Microseconds tarpit{};  // between two octets of every reply
};

struct DkimOptions {
  double sample = 0;      // share of messages that are verified: 0 none, 1 all
  std::string keys_file;  // lines "selector._domainkey.domain TXT text"
  std::string
      dns_server;  // ip:port asked for keys that are not in the file; empty: the file is all
};

struct Options {
  std::vector<Receiver> receivers;
  std::size_t threads = 0;  // of run_sink(); 0: one for two processors
  std::uint64_t seed = 0;
  bool allow_public = false;  // else only loopback addresses are bound
  std::uint32_t idle_seconds = 300;
  std::uint32_t connections_max = 20'000;  // of the whole process; more wait in the kernel
  // Distinct (Message-ID, recipient) pairs remembered, at 16 octets each; later ones only count.
  std::uint64_t duplicates_max = 20'000'000;
  DkimOptions dkim;
  std::string latency_header;         // its first 13-digit number is the sending time in Unix ms
  std::string store_directory;        // keeps messages as .eml with their envelope in .json beside
  std::uint64_t store_max = 100'000;  // messages kept
  std::string arrival_log_file;       // JSON lines, one a recipient
  std::string report_file;            // rewritten every second and at the end
  std::string certificates_file;      // written at start: what a client must trust (PEM)
};

}  // namespace todoku::sink
