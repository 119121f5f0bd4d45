// SPDX-License-Identifier: Apache-2.0
// The files that the process may have open, divided before anything is: a flood at one door leaves
// the others theirs. Every connection is a file, and so are the database, sockets to name servers,
// uploads.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "config/config.h"

namespace todoku::app {

// Connections that are being told that the console has no place, newcomers among them.
inline constexpr std::uint64_t kConsoleRefusals = 24;

struct FilesWanted {
  std::uint64_t threads = 1;
  std::uint64_t api_connections = 0;      // 0: this process has no API
  std::uint64_t smtp_connections = 0;     // 0: it does not deliver
  std::uint64_t calls = 0;                // to endpoints of webhooks; 0: it makes none
  std::uint64_t relay_connections = 0;    // 0: it is no relay
  std::uint64_t inbound_connections = 0;  // 0: it takes no mail that comes back
  std::uint64_t console_connections = 0;  // with those that are refused; 0: it has no console
};

struct FilesDivision {
  std::uint64_t limit = 0;         // what the process may have open
  std::uint64_t process = 0;       // standard streams, what threads wait with, listeners
  std::uint64_t store = 0;         // the database, its log, readers, temporary files
  std::uint64_t operators = 0;     // connections of the admin socket and the metrics' listener
  std::uint64_t uploads = 0;       // files being uploaded or sent
  std::uint64_t dns = 0;           // sockets to name servers
  std::uint64_t preflight = 0;     // and those of preflights (preflight_names.h)
  std::uint64_t calls = 0;         // to endpoints of webhooks
  std::uint64_t api = 0;           // connections that the API serves
  std::uint64_t api_refusals = 0;  // and those that are refused there
  std::uint64_t smtp = 0;          // connections to receivers
  std::uint64_t relay = 0;         // of clients of the SMTP relay

  friend bool operator==(const FilesDivision&, const FilesDivision&) = default;
};

// First what is needed in any case; then clients of the relay have a quarter of the rest, or what
// nobody else wants of it, if that is more; then uploads, calls and the DNS have a part of the
// rest, and the API and receivers halve what is left, each leaving the other what it does not want.
// Preflights have some of the DNS's part where there is an API, at least half of its least.
// Errors: limit_exceeded; the sentence says how many files are needed at least.
[[nodiscard]] Result<FilesDivision> files_division(std::uint64_t limit, const FilesWanted& wanted);

[[nodiscard]] FilesWanted files_wanted(const config::Config& config);

// What the system lets this process have open: now, and at most without privileges.
struct FilesLimit {
  std::uint64_t now = 0;
  std::uint64_t highest = 0;
};
[[nodiscard]] FilesLimit files_limit();
// To the highest: the usual limit of 1,024 is for programs that use select().
void raise_files_limit();

// The division as comments under a configuration, or why there is none.
[[nodiscard]] std::string show_files(const config::Config& config);

}  // namespace todoku::app
