// SPDX-License-Identifier: Apache-2.0
// The relay's submission socket as `todoku sendmail` sees it (docs/smtp-relay.md): who it is, the
// kernel tells.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/message_spool.h"
#include "smtp/protocol/client_envelope.h"
#include "smtp/protocol/client_transaction.h"

namespace todoku::cli {

struct SubmissionAnswer {
  // There was no connection, and there are no results: not_found, closed, timeout, unavailable
  // (nobody listens, for now), unauthorized (we may not connect), invalid_input (no path of a
  // socket), io.
  std::optional<Error> no_connection;
  // One for each recipient of the envelope.
  std::vector<smtp::RecipientResult> results;
};

class SubmissionPort {
 public:
  virtual ~SubmissionPort() = default;
  // One transaction over a connection of its own.
  [[nodiscard]] virtual SubmissionAnswer submit(const smtp::ClientEnvelope& envelope,
                                                MessageSpool& message) = 0;
  // Standard input is said to the relay, and what it says to standard output, until either ends.
  // Errors: as no_connection, and then nothing was read; io.
  [[nodiscard]] virtual Result<void> speak() = 0;
};

// The socket at `path`. `clock` outlives it.
[[nodiscard]] std::unique_ptr<SubmissionPort> make_submission_client(std::string path,
                                                                     const Clock& clock);

}  // namespace todoku::cli
