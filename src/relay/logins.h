// SPDX-License-Identifier: Apache-2.0
// Who logs in: credentials by their user name, remembered for seconds, and passwords that were
// right (known_passwords.h), so that a client that opens a connection for each mail costs neither a
// question of the store nor ten thousand rounds of a hash each time.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/result.h"
#include "mail/scram_secrets.h"
#include "net/network.h"
#include "relay/known_passwords.h"
#include "store/store.h"

namespace todoku::relay {

// A credential and whose it is.
struct Login {
  store::SmtpCredential credential;
  store::Account account;
  std::vector<net::Network> networks;  // empty: from anywhere
};

// Why somebody who is known may not come in now.
enum class LoginFault : std::uint8_t { none, revoked, expired, network, suspended, replaced };

[[nodiscard]] LoginFault fault_of(const Login& login, const net::IpAddress& from, Instant now);

// The secrets that count at `now`: the current, and the one before it while it still does.
[[nodiscard]] std::vector<ScramSecrets> secrets_at(const Login& login, Instant now);
// Whether a session that one of them has opened may go on (else LoginFault::replaced): it was
// opened by a password, of which `stored_key` was kept then.
[[nodiscard]] bool still_opens(const Login& login, const Sha256& stored_key, Instant now);

// Thread-safe.
class Logins {
 public:
  // For so long a credential is believed to be as it was; a change is heard of sooner by forget().
  static constexpr Milliseconds kRememberedFor = std::chrono::seconds(2);
  static constexpr std::size_t kNamesMax = 10'000;

  // `closed_account`: whose credentials, if it has any, open nothing, as if there were none; empty:
  // there is no such account.
  Logins(store::Store& store, const Clock& clock, std::string closed_account = {})
      : store_(store),
        clock_(clock),
        closed_account_(std::move(closed_account)),
        passwords_(clock) {}

  // nullptr: there is nobody of that name. Errors: those of the store.
  [[nodiscard]] Task<Result<std::shared_ptr<const Login>>> find(std::string name);
  // A device that sends as an account: it has no credential of its own, and so no name. nullptr:
  // there is no such account.
  [[nodiscard]] Task<Result<std::shared_ptr<const Login>>> device_of(std::string account);
  // A user of this machine, by the credential that has the uid; nullptr: there is none. It holds
  // wherever the networks are that it may be used from over the network.
  [[nodiscard]] Task<Result<std::shared_ptr<const Login>>> user_of(std::uint32_t uid);
  // Credentials or accounts have changed: who comes next is asked about.
  void forget();
  [[nodiscard]] KnownPasswords& passwords() { return passwords_; }

 private:
  struct Known {
    std::shared_ptr<const Login> login;
    SteadyInstant until{};
  };
  store::Store& store_;
  const Clock& clock_;
  const std::string closed_account_;
  KnownPasswords passwords_;
  std::mutex mutex_;
  std::unordered_map<std::string, Known> known_;
  std::uint64_t forgotten_ = 0;  // times
};

}  // namespace todoku::relay
