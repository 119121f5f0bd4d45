// SPDX-License-Identifier: Apache-2.0
// SaslServer: one authentication exchange as the server (RFC 4954) as a pure state machine: PLAIN
// (RFC 4616), LOGIN and SCRAM-SHA-256 (RFC 7677) without channel binding. It owns the messages;
// who exists, from where, and how often one may try is the owner's matter.
//
//   SaslServer sasl(options, to_base64(random_octets(18)));    // one for each AUTH command
//   for (SaslStep step = sasl.begin(text of ServerEvent::auth);;) {
//     switch (step.kind) {
//       case SaslStep::Kind::challenge: session.answer(step.reply);
//                                       step = sasl.respond(text of ServerEvent::auth_response);
//       case SaslStep::Kind::ask:       step = sasl.give(secrets of sasl.user());
//       case SaslStep::Kind::succeeded: // sasl.user() is who it says
//       case SaslStep::Kind::failed:    session.answer(step.reply);
//     }
//   }
//
// An exchange that the client cancels (`*`) or that its session breaks off, as it does at a line
// that is too long, is over without a step: the owner drops it when it begins another.
//
// Names cannot be harvested: for a name that has no secrets the exchange is the same, with a salt
// that is always the same for that name and as much to compute, and fails in the same words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/wipe.h"
#include "mail/reply.h"
#include "mail/scram_secrets.h"
#include "smtp/protocol/scram_messages.h"

namespace todoku::smtp {

inline constexpr std::size_t kSaslUserOctetsMax = 255;  // RFC 4616 section 2

// What ServerOptions::auth_mechanisms may say, strongest first.
inline constexpr std::string_view kSaslMechanisms = "SCRAM-SHA-256 PLAIN LOGIN";

// Shared by many exchanges, which it outlives.
struct SaslOptions {
  std::string mechanisms{kSaslMechanisms};
  // Makes salts up for names that there are not: of 16 octets or more, secret, the same on all
  // nodes and for good.
  std::string decoy_key;
  std::uint32_t decoy_iterations = kScramIterations;  // those of real secrets
};

struct SaslStep {
  enum class Kind : std::uint8_t {
    challenge,  // answer `reply` (334) and wait for the client's line: respond()
    ask,        // give() what is known of user()
    succeeded,  // answer `reply` (235), or refuse for reasons of your own
    failed,     // answer `reply` (501, 504, 535); the exchange is over
  };
  Kind kind = Kind::failed;
  Reply reply;  // of ask: none
};

class SaslServer {
 public:
  // `nonce`: 16 to 100 printable ASCII characters without comma that no other exchange has, from a
  // source fit for secrets (base/digest.h, random_octets).
  SaslServer(const SaslOptions& options, std::string nonce);

  // "MECHANISM [initial response]", as ServerEvent::auth has it. First and once.
  [[nodiscard]] SaslStep begin(std::string_view argument);
  // The client's line after a challenge, at most 12,288 octets (RFC 4954 section 4).
  [[nodiscard]] SaslStep respond(std::string_view line);
  // After ask: the secrets of user(), or none if there is no such user or it may not come in here.
  // Several if several passwords are right; by SCRAM those are tried that have salt and iterations
  // of the first, and by a password all. Where has_password(), it computes for some milliseconds
  // each (ScramSecrets::matches); it touches nothing but this object, so that may be on another
  // thread.
  [[nodiscard]] SaslStep give(std::vector<ScramSecrets> secrets);
  // Instead of give(), where has_password(): the owner knows that password() is right, and by which
  // of the secrets that it would give.
  [[nodiscard]] SaslStep recognise(std::size_t right = 0);
  // The same, and that it is wrong: fails in the words of give().
  [[nodiscard]] SaslStep refuse();

  // Who the client says it is: prepared by SASLprep, 1 to kSaslUserOctetsMax octets, from ask on.
  [[nodiscard]] const std::string& user() const { return user_; }
  // As whom it wishes to act: empty or equal to user(), since nobody may act for others.
  [[nodiscard]] const std::string& authzid() const { return authzid_; }
  // Once it succeeded: which of the secrets it was, in their order.
  [[nodiscard]] std::size_t right() const { return right_; }
  [[nodiscard]] bool has_password() const { return !password_.view().empty(); }
  // What the client says it is, from ask to give(); empty by SCRAM, which does not say it.
  [[nodiscard]] std::string_view password() const { return password_; }
  // "PLAIN", "LOGIN" or "SCRAM-SHA-256", for logs; empty before it is known.
  [[nodiscard]] std::string_view mechanism() const;

 private:
  // What the next line is, or who has to say something.
  enum class Expects : std::uint8_t {
    beginning,
    plain,
    login_user,
    login_password,
    scram_first,
    scram_final,
    scram_end,  // the empty line after the server's last message
    secrets,
    nothing,
  };
  enum class Mechanism : std::uint8_t { none, plain, login, scram };

  [[nodiscard]] SaslStep take(std::string_view message);
  [[nodiscard]] SaslStep take_plain(std::string_view message);
  [[nodiscard]] SaslStep take_login_user(std::string_view message);
  [[nodiscard]] SaslStep take_login_password(std::string_view message);
  [[nodiscard]] SaslStep take_scram_first(std::string_view message);
  [[nodiscard]] SaslStep take_scram_final(std::string_view message);
  [[nodiscard]] SaslStep ask();
  [[nodiscard]] SaslStep compare_password();
  [[nodiscard]] SaslStep succeed();
  [[nodiscard]] SaslStep challenge(Expects next, std::string_view message);
  [[nodiscard]] SaslStep fail_with(int code, std::string_view text);
  [[nodiscard]] SaslStep fail_with_credentials();
  [[nodiscard]] bool set_user(std::string_view name, std::string_view authzid);
  [[nodiscard]] ScramSecrets decoy() const;

  const SaslOptions& options_;
  Mechanism mechanism_ = Mechanism::none;
  Expects expects_ = Expects::beginning;
  bool known_ = false;  // `secrets_` are those of a user
  std::string nonce_;   // by SCRAM, later the client's and ours
  std::string user_;
  std::string authzid_;
  SecretText password_;
  std::vector<ScramSecrets> secrets_;
  std::size_t right_ = 0;
  std::string gs2_header_;
  std::string auth_message_;  // as far as it has come
};

}  // namespace todoku::smtp
