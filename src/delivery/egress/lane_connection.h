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
#include "delivery/egress/mail_at_hand.h"
#include "delivery/letter_message.h"
#include "delivery/policy/verdict.h"
#include "mailauth/dkim/signer.h"
#include "smtp/client/connection.h"
#include "smtp/protocol/client_envelope.h"

namespace todoku::delivery::egress {

// Lives on one thread of the runtime, which need not be its lane's home.
class LaneConnection {
 public:
  // `rounds` are those of the thread it lives on.
  LaneConnection(OwnedSeat seat, SigningRounds& rounds, std::uint64_t seed,
                 std::shared_ptr<MailAtHand> at_hand);

  // The whole life of the connection. Ends by itself when there is nothing left to send. Whatever
  // is thrown is thrown on once the seat is back: places are free, mails settled or with the lane.
  static Task<void> run(std::shared_ptr<LaneConnection> self);

 private:
  // Why no connection could be opened, as the mails that waited for it are told.
  struct OpenFailure {
    policy::Answer answer;
    policy::Verdict verdict;
    Path path;
    bool cut_short = false;  // it ended before the host's time was over
  };

  Task<void> work();
  // Tries the route's addresses in order; nullopt once connection_ is there.
  Task<std::optional<OpenFailure>> open();
  // Why the host is not connected to; nullopt: it may be.
  [[nodiscard]] std::optional<OpenFailure> not_to_be_tried(const dns::Candidate& candidate) const;
  [[nodiscard]] const dns::HostDane& dane_of(const dns::Candidate& candidate) const;
  // Where to try, those that lately did not serve last.
  [[nodiscard]] std::vector<dns::Candidate> addresses_to_try();
  Task<std::optional<OpenFailure>> open_at(dns::Candidate candidate, SteadyInstant not_after);
  [[nodiscard]] smtp::ConnectionOptions connection_options(const dns::Candidate& candidate) const;
  // Of a smarthost that we log in at; why there is none.
  Task<std::optional<OpenFailure>> take_login(smtp::ConnectionOptions& options);
  // Sends the mails in hand, and others, until the connection is used up.
  Task<void> send_all();
  enum class Sent : std::uint8_t {
    goes_on,     // the connection takes what is in hand now: the next, or the same once more
    ended,       // dealt with; the connection cannot be used any more
    not_wanted,  // it goes back to the lane: no more mails go over this connection
  };
  // The first of the mails in hand, which is settled, parked or stays the first.
  Task<Sent> send_first();
  // It, once it may be begun.
  Task<Sent> send_cleared(const Mail& mail);
  // Settles a mail whose life time is over.
  [[nodiscard]] bool gave_up(const Mail& mail);
  // Whether this node may still begin the first mail in hand, which is lost or a suspect; else it
  // is put back. What must be said of a suspect before is said.
  Task<bool> clear_to_begin(const Mail& mail);
  // The same once more, after something that may have taken long.
  [[nodiscard]] bool may_still_begin(const Mail& mail) const;
  // Settles the first mail in hand if it would be larger than may be made.
  [[nodiscard]] bool too_large(const Mail& mail);
  // What it has to become for this receiver; nullopt: it goes as it is.
  [[nodiscard]] std::optional<mime::WireOctets> must_become(const LetterMessage& message) const;
  // Whether the first mail in hand goes to this receiver, as it is or converted (converted_); else
  // it is dealt with.
  Task<bool> make_fit(const Mail& mail);
  [[nodiscard]] const LetterMessage& outgoing(const Letter& letter) const {
    return converted_ ? *converted_ : letter.message;
  }
  // Settles it: the receiver would not take it as it is, and it cannot be converted.
  void cannot_convert(const LetterMessage& message, const std::string& why_not);
  Task<Result<void>> prepare(const Mail& mail);
  // What the signature says of the body of a mail in slices, which are gone through for it.
  Task<Result<void>> hash_slices(const Mail& mail);
  // Hands the composed mail over, and says what came of it.
  Task<Sent> transmit(const Mail& mail);
  // The same of a mail that is sent at most once: the store knows of it before.
  Task<Sent> transmit_once(const Mail& mail);
  // Its address came onto a suppression list since the mail was claimed: true, and it is dealt
  // with.
  Task<bool> stopped(const Mail& mail);
  // Sees to it that the store hears of this mail, and of those soon to come, before they are begun;
  // whether that must be waited for.
  [[nodiscard]] bool must_tell_begun(const Mail& mail);
  Task<bool> tell_begun(const Mail& mail);
  // Its content, or what a letter needs, could not be had from our store: no fault of the mail or
  // the receiver, so no attempt.
  void cannot_read(const Error& error);
  // Whether nothing is to be said of the mail that was just tried: it goes over another connection.
  [[nodiscard]] bool goes_elsewhere(const smtp::RecipientResult& result, const Mail& mail) const;
  // Remembers what the site stumbled over.
  void learn_habits(policy::Evidence evidence);
  // How long its signature may wait for others.
  [[nodiscard]] Microseconds patience(const Letter& letter) const;
  // Everything about a mail that the receiver will see, in two halves: between them are those of
  // the thread's other connections, whose signatures are computed together with ours.
  [[nodiscard]] Result<void> compose(const Mail& mail);
  void begin_copy(const Mail& mail);
  [[nodiscard]] Result<void> sign(const Mail& mail);
  // The first mail in hand is not tried now, and in hand no more.
  void park(SteadyInstant until);
  // It found no room in memory by `deadline`.
  void found_no_room(SteadyInstant deadline);
  // Says what became of the first mail in hand, which then is in hand no more.
  void settle(const policy::Answer& answer, const policy::Verdict& verdict, const Path& path,
              Milliseconds duration);
  // What an answer says about the pace, for the lane to be told.
  void note_pace(const policy::Answer& answer, const policy::Verdict& verdict);
  // Whether our smarthost takes mail, and a receiver our address, for operators to hear of.
  void tell_refusals(const policy::Answer& answer, const policy::Verdict& verdict);
  // What it sets off.
  void note_automations(const policy::Answer& answer, const policy::Verdict& verdict);
  void settle_as(Outcome outcome, Path path, Milliseconds duration);
  // What became of the first mail in hand, before anything else happens that may throw: that the
  // receiver has taken it must never be forgotten.
  void note_known(const policy::Answer& answer, const policy::Verdict& verdict);
  // Of the first mail in hand; once for each answer.
  [[nodiscard]] policy::Verdict judge(policy::Answer answer) const;
  void begin_trial(SteadyInstant now);
  void forget_trial() noexcept;
  // An exception has ended the connection: what the mail that was being tried is to be told. The
  // lane tells it.
  void note_untold() noexcept;
  [[nodiscard]] std::uint32_t block_size() const;
  [[nodiscard]] SteadyInstant now() const { return world_.clock.steady_now(); }

  OwnedSeat seat_;
  const std::shared_ptr<Lane> lane_;
  LaneWorld& world_;
  SigningRounds& rounds_;
  SeededRandom random_;
  const std::shared_ptr<MailAtHand> at_hand_;  // also the lane's, to look at
  std::unique_ptr<smtp::Connection> connection_;

  std::uint32_t sent_ = 0;                 // mails tried on this connection
  std::uint32_t delivered_ = 0;            // of them, those taken
  bool trying_ = false;                    // the first mail in hand, and it has no outcome yet
  std::optional<LaneSeat::Untold> known_;  // its outcome, while that is being told
  double seconds_per_mail_ = 0.001;        // smoothed

  // Memory used again from mail to mail.
  OutgoingMessage message_;
  std::shared_ptr<const LetterMessage> converted_;  // what is sent of it; null: the letter's own
  std::optional<mailauth::dkim::BodyHash> slices_hash_;  // of a message in slices that is signed
  mailauth::dkim::BegunSignatures begun_;
  std::string signatures_;
  std::vector<std::string_view> pieces_;
  std::optional<smtp::ClientEnvelope> envelope_;
};

}  // namespace todoku::delivery::egress
