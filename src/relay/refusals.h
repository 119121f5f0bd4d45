// SPDX-License-Identifier: Apache-2.0
// Every negative reply of the relay: counted, and a line of the log as long as there is room for
// lines, so that "why was it not taken?" has an answer here as well. Also what a message asked for
// in vain.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/line_budget.h"
#include "base/metrics.h"

namespace todoku::relay {

// Thread-safe.
class Refusals {
 public:
  static constexpr Milliseconds kWindow = std::chrono::minutes(1);
  static constexpr std::size_t kLinesOfConnection = 20;  // in a window
  static constexpr std::size_t kLines = 600;             // ... of all connections

  // Both outlive it.
  Refusals(Metrics& metrics, const Clock& clock);

  // Who is refused.
  struct Whom {
    std::string client;
    std::string_view listener;
    std::string_view credential = {};  // proven
  };
  // A login that failed. Texts of clients, bounded.
  struct Login {
    std::string claimed;  // the user name
    std::string_view mechanism;
    std::string_view because;  // for the operator alone
  };
  // A message, as far as it has come.
  struct Mail {
    std::string sender;          // of MAIL: "<a@example.jp>", "<>"
    std::string from = {};       // of its header
    std::string recipient = {};  // that is refused, or the first
    std::size_t recipients = 0;  // that were taken
  };
  struct Said {
    int code = 0;
    std::string_view text;
  };
  // `of_connection`: nullptr for one that ends with it. Of login and mail at most one.
  void tell(const Whom& whom, const Said& said, LineBudget* of_connection,
            const Login* login = nullptr, const Mail* mail = nullptr);
  // Of a message that is taken: what it said to us and nobody listened to, in a sentence.
  void tell_unheard(const Whom& whom, const Mail& mail, std::string_view what,
                    LineBudget& of_connection);
  // Of one whose From domain is nobody's by proof, once in an hour.
  void tell_unproven(const Whom& whom, const Mail& mail);
  // What a client is answered that goes on behind a MAIL that was refused: counted alone.
  void count() { refused_.add(); }
  // A connection that had to begin with TLS, and did not.
  void tell_no_handshake(const Whom& whom, std::string_view reason);

 private:
  const Clock& clock_;
  Counter& refused_;
  Counter& unheard_;
  LineBudget lines_;
  LineBudget unproven_lines_{1, std::chrono::hours(1)};
};

}  // namespace todoku::relay
