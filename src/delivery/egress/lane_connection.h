// SPDX-License-Identifier: Apache-2.0
// One connection of a lane: opens it, draws mails from the ledger, composes, signs and sends them
// one after the other, and says what became of each.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/random.h"
#include "delivery/egress/lane.h"
#include "delivery/policy/verdict.h"
#include "mailauth/dkim/signer.h"
#include "mime/composed_message.h"
#include "smtp/client/connection.h"
#include "smtp/protocol/client_envelope.h"

namespace todoku::delivery::egress {

// Lives on one thread of the runtime, which need not be its lane's home.
class LaneConnection {
 public:
  // `rounds` are those of the thread it lives on.
  LaneConnection(std::shared_ptr<Lane> lane, LaneRoute route, SigningRounds& rounds,
                 std::uint64_t seed);

  // The whole life of the connection. Ends by itself when there is nothing left to send.
  static Task<void> run(std::shared_ptr<LaneConnection> self);

 private:
  // Why no connection could be opened, as the mails that waited for it are told.
  struct OpenFailure {
    policy::Answer answer;
    Path path;
  };

  Task<void> work();
  // Tries the route's addresses in order; nullopt once connection_ is there.
  Task<std::optional<OpenFailure>> open();
  Task<std::optional<OpenFailure>> open_at(dns::Candidate candidate);
  [[nodiscard]] smtp::ConnectionOptions connection_options(const dns::Candidate& candidate) const;
  // Sends until the connection is used up; returns mails that were taken and not tried.
  Task<std::vector<Mail>> send_all(std::vector<Mail> mails);
  enum class Sent : std::uint8_t {
    usable,      // settled; the connection takes another mail
    ended,       // settled; the connection cannot be used any more
    not_wanted,  // not settled: the receiver takes no more mails over this connection
  };
  Task<Sent> send(Mail mail);
  // Settles a mail whose life time is over.
  [[nodiscard]] bool gave_up(const Mail& mail);
  // How long its signature may wait for others.
  [[nodiscard]] Microseconds patience(const Letter& letter) const;
  // Everything about a mail that the receiver will see, in two halves: between them are those of
  // the thread's other connections, whose signatures are computed together with ours.
  [[nodiscard]] Result<void> compose(const Mail& mail);
  [[nodiscard]] Result<void> sign(const Mail& mail);
  void settle(const Mail& mail, const policy::Answer& answer, Path path, Milliseconds duration);
  [[nodiscard]] std::uint32_t block_size() const;
  [[nodiscard]] SteadyInstant now() const { return world_.clock.steady_now(); }

  std::shared_ptr<Lane> lane_;
  LaneWorld& world_;
  const LaneRoute route_;
  SigningRounds& rounds_;
  SeededRandom random_;
  std::unique_ptr<smtp::Connection> connection_;

  std::uint32_t sent_ = 0;       // mails tried on this connection
  std::uint32_t delivered_ = 0;  // of them, those taken
  bool served_ = false;          // a mail got an answer of its own
  bool begun_in_vain_ = false;   // the receiver may have counted a mail that it did not answer
  bool site_failed_ = false;
  double seconds_per_mail_ = 0.001;  // smoothed

  // Memory used again from mail to mail.
  mime::ComposedMessage message_;
  mailauth::dkim::BegunSignatures begun_;
  std::string signatures_;
  std::vector<mime::InsertCodeView> codes_;
  std::vector<std::string_view> pieces_;
  std::optional<smtp::ClientEnvelope> envelope_;
};

}  // namespace todoku::delivery::egress
