// SPDX-License-Identifier: Apache-2.0
// People who sign in: with what, for how long, and what each may do with the others
// (docs/adr/0043-people-sign-in-on-an-origin-of-its-own.md). Below HTTP: no cookies here, but the
// tokens that stand in them.
//
// Every change is in the audit by the commit that makes it; of sign-ins that failed so many a
// minute are. A token is 256 random bits in base64url; only its SHA-256 is kept.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "access/login_guard.h"
#include "access/passwords.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/minute_meter.h"
#include "base/result.h"
#include "base/secret_box.h"
#include "base/wipe.h"
#include "net/network.h"
#include "people/refusal.h"
#include "people/remembered.h"
#include "people/signed_in.h"
#include "store/store.h"

namespace todoku::people {

inline constexpr Milliseconds kIdle = std::chrono::hours(12);
inline constexpr Milliseconds kLife = std::chrono::days(14);
// A password was right: so long for the code that is still missing.
inline constexpr Milliseconds kHalfLife = std::chrono::minutes(10);
inline constexpr Milliseconds kLinkLife = std::chrono::minutes(30);
inline constexpr Milliseconds kFirstOperatorLinkLife = std::chrono::minutes(15);

struct By;  // steps.h

// From where somebody asks, and with what.
struct Visitor {
  net::IpAddress from;
  std::string agent;  // as the browser calls itself; cut here
};

// A sign-in with the token that was made for it, which is shown to nobody else and never again.
struct Opened {
  SecretText token;
  Who who;
};

struct TotpOffer {
  SecretText secret;  // base32
  SecretText uri;     // otpauth://
};

using RecoveryCodes = std::vector<SecretText>;

struct ConfirmedTotp {
  Opened opened;  // rotated; the person's others have ended
  RecoveryCodes codes;
};

struct LinkView {
  store::LinkPurpose purpose = store::LinkPurpose::invitation;
  std::string email;  // empty of first_operator, as are the others
  std::string name;
  std::string account;  // empty of operators
};

struct LinkUse {
  SecretText token;
  SecretText password;                       // of confirm none
  std::optional<std::string> name = {};      // of first_operator needed
  std::optional<std::string> email = {};     // of first_operator alone, and needed
  std::optional<std::string> language = {};  // "ja" or "en"
};

struct IssuedLink {
  SecretText url;  // with the token in its fragment
  Instant end{};
};

struct PersonView {
  store::PersonKey key{};
  std::string email;
  std::string name;
  store::Role role = store::Role::viewer;
  std::string language;
  bool suspended = false;
  std::optional<Instant> confirmed;
  std::optional<Instant> seen;
  bool second_factor = false;
  bool invited = false;  // has not set a password yet
};

struct WantedPerson {
  std::string email;
  std::string name;
  store::Role role = store::Role::viewer;
  std::string language;  // "ja" or "en"
};

struct AddedPerson {
  PersonView view;
  bool mailed = false;
  std::string command;  // where it is not: which one makes a link to hand over
};

struct PersonChange {
  std::optional<store::Role> role;
  std::optional<std::string> name;
  std::optional<bool> suspended;
};

// How mail to people leaves. By a way that no tenant can look into.
class Mailer {
 public:
  virtual ~Mailer() = default;
  // False: none goes at all, as nobody has said from which account.
  [[nodiscard]] virtual bool is_there() const { return true; }
  // A mail with the link (letters.h has its text). An error: it does not go.
  [[nodiscard]] virtual Task<Result<void>> send(store::Person person, store::LinkPurpose purpose,
                                                std::string url) = 0;
  // To somebody who was invited to an account and is another's already. `url`: where they sign in.
  [[nodiscard]] virtual Task<Result<void>> tell_invited_elsewhere(store::Person person,
                                                                  std::string url) = 0;
};

// Thread-safe. Whatever takes a `Who` refuses one that is half, or that has to set up a second
// factor first, but for what is said to take it; and looks again, in its commit, whether that
// person may.
class People {
 public:
  struct Options {
    // Seals second factors. May make the key, so it is asked only when needed.
    std::function<Result<const SecretBox*>()> secret_box;
    // "https://console.example.jp", without a slash at its end.
    std::function<std::string()> public_url;
    Mailer* mailer = nullptr;       // outlives this; nullptr: mail goes nowhere
    std::string issuer = "todoku";  // as programs that make codes show it
    access::Passwords::Options passwords = {};
  };

  // `store` and `clock` must outlive this object.
  People(store::Store& store, const Clock& clock, Options options);
  ~People();
  People(const People&) = delete;
  People& operator=(const People&) = delete;

  // -- sign_in.cc
  // True: no operator has been made yet.
  Task<Answer<bool>> is_first_run();
  // Half where a second factor is set up. One answer whatever was wrong; limit_exceeded, with how
  // long it is: too much was wrong from there.
  Task<Answer<Opened>> sign_in(std::string email, SecretText password, Visitor visitor);
  // Takes one that is half. By a code of the moment, or by one of those for recovery, which is used
  // up.
  Task<Answer<Opened>> second_factor(Who who, SecretText code, Visitor visitor);
  Task<Answer<Opened>> recover(Who who, SecretText recovery_code, Visitor visitor);

  // Who it is, remembered for two seconds. With `Use::counts` it is idle from now on, which is
  // written once a minute at most; a stream of events, and whatever else goes on by itself, only
  // looks. unauthorized: there is none, it is over, or not from there. Any sign-in, also a half
  // one.
  enum class Use : std::uint8_t { counts, looks };
  Task<Answer<Who>> look_up(std::string_view token, net::IpAddress from, Use use = Use::counts);
  // Who comes next is asked about: something has changed elsewhere.
  void forget();

  // Takes any. What was typed and kept goes.
  Task<Answer<void>> sign_out(Who who, Visitor visitor);
  Task<Answer<std::vector<store::SignIn>>> sign_ins(Who who);
  Task<Answer<void>> end_sign_in(Who who, store::SignInKey key, Visitor visitor);
  // All but this one. How many.
  Task<Answer<std::int64_t>> end_other_sign_ins(Who who, Visitor visitor);

  // -- own.cc: of the person's own.
  // The old sign-ins end, this one too: it goes on by another token.
  Task<Answer<Opened>> change_password(Who who, SecretText current, SecretText wanted,
                                       Visitor visitor);
  // Takes one that has to set up a second factor, as does the next.
  Task<Answer<TotpOffer>> offer_totp(Who who, Visitor visitor);
  Task<Answer<ConfirmedTotp>> confirm_totp(Who who, SecretText code, Visitor visitor);
  // conflict: there is none, or it is required. Rotated, and the others end.
  Task<Answer<Opened>> remove_totp(Who who, SecretText password, Visitor visitor);
  // Those from before are void. conflict: there is no second factor.
  Task<Answer<RecoveryCodes>> new_recovery_codes(Who who, SecretText password, Visitor visitor);
  Task<Answer<Who>> change_me(Who who, std::optional<std::string> name,
                              std::optional<std::string> language, Visitor visitor);
  // Operators alone; nullopt: for none. not_found.
  Task<Answer<Who>> act_for(Who who, std::optional<std::string> account, Visitor visitor);
  // A link to the person's own address, by which it is confirmed. unavailable: mail goes nowhere.
  Task<Answer<void>> ask_confirmation(Who who, Visitor visitor);

  // What was typed and not sent.
  Task<Answer<std::vector<store::KeptText>>> texts(Who who, std::string place = {});
  Task<Answer<void>> keep_text(Who who, std::string place, std::string text);

  // -- links.cc
  // not_found: it was used, is over, or never was.
  Task<Answer<LinkView>> look_at_link(SecretText token);
  // Once. Whoever sets a password is signed in, half where a second factor is set up; nullopt: of
  // confirm, which signs nobody in.
  Task<Answer<std::optional<Opened>>> use_link(LinkUse use, Visitor visitor);
  // Says nothing, because it would say who there is: what is asked for here waits until
  // answer_resets(), so much of it and no more, and of each address so often.
  void ask_reset(std::string email, Visitor visitor);
  // Makes and mails the links that were asked for. By one at a time, again and again.
  Task<void> answer_resets();
  // For the command line, where mail does not go. `by` and `from` as the audit has them.
  Task<Answer<IssuedLink>> first_operator_link(std::string by, std::string from);
  // An invitation for who has no password yet, else a reset. not_found.
  Task<Answer<IssuedLink>> link_for(std::string email, std::string by, std::string from);

  // -- others.cc: owners for their account, operators for the one they act for, or for operators.
  // Nobody grants more than they hold, changes their own role, or suspends or removes themselves;
  // the last owner and the last operator stay.
  Task<Answer<std::vector<PersonView>>> people(Who who);
  // An address that is somebody's of another account is answered as one that is nobody's, but to
  // operators, and its owner is told by mail; nobody joins by it.
  Task<Answer<AddedPerson>> add(Who who, WantedPerson wanted, Visitor visitor);
  // A change of role, and suspension, end the person's sign-ins.
  Task<Answer<PersonView>> change(Who who, store::PersonKey key, PersonChange change,
                                  Visitor visitor);
  Task<Answer<void>> remove(Who who, store::PersonKey key, Visitor visitor);
  // Once more, for who has no password yet.
  Task<Answer<AddedPerson>> invite(Who who, store::PersonKey key, Visitor visitor);
  Task<Answer<store::SignInRules>> rules(Who who);
  // conflict: whoever asks would be shut out by them, as by networks that they are not in.
  // unauthorized: operators alone take approval off.
  Task<Answer<void>> put_rules(Who who, store::SignInRules rules, Visitor visitor);

 private:
  struct AskedReset {
    std::string email;
    Visitor visitor;
  };
  // A change: what this process remembers of anybody is forgotten with it.
  template <class Work>
  Task<Answer<typename std::invoke_result_t<Work&, store::WriteTransaction&>::value_type>> write(
      Work work) {
    auto done = co_await store_.write(store::WritePriority::accept, std::move(work));
    if (!done) co_return refuse(std::move(done.error()));
    forget();
    co_return std::move(*done);
  }
  template <class Work>
  Task<Answer<typename std::invoke_result_t<Work&, store::ReadTransaction&>::value_type>> read(
      Work work) {
    auto found = co_await store_.read(std::move(work));
    if (!found) co_return refuse(std::move(found.error()));
    co_return std::move(*found);
  }
  [[nodiscard]] static Answer<void> whole(const SignedIn& who);
  // Whoever has the token, as the store has them now.
  Task<Answer<Who>> read_who(std::string token_sha256);
  Task<Answer<Opened>> opened(SecretText token);
  // Whether mail to people goes from here.
  [[nodiscard]] bool mails() const;
  // Whether one more mail may go to an address because this person wants it: of the person, of
  // their account and to the address so many go in an hour. conflict: the account is suspended;
  // limit_exceeded.
  [[nodiscard]] Answer<void> may_mail(const SignedIn& who, const std::string& to);
  // A turn at guessing; none: the refusal.
  [[nodiscard]] Answer<access::LoginGuard::Attempt> turn_at(access::LoginGuard& guard,
                                                            const net::IpAddress& from,
                                                            const std::string& name);
  // Whether it is that person's password, at the price of a guess.
  Task<Answer<void>> check_password(Who who, SecretText password, Visitor visitor);
  Task<Answer<Opened>> finish(Who who, SecretText code, bool is_recovery, Visitor visitor);
  // How it comes to who uses it: a mailed one shows that the address is theirs.
  enum class Way : std::uint8_t { by_mail, by_hand };
  Task<Answer<IssuedLink>> make_link(store::Person person, store::LinkPurpose purpose, By by,
                                     Way way, store::Earlier earlier);
  [[nodiscard]] std::string url_of(std::string_view token) const;
  Task<bool> mail_invitation(store::Person invited, std::string url);
  Task<bool> mail_link(store::Person person, store::LinkPurpose purpose, std::string url);
  Task<Answer<std::optional<Opened>>> confirm(LinkUse wanted, store::Person person,
                                              Visitor visitor);
  Task<Answer<std::optional<Opened>>> make_first_operator(LinkUse use, Visitor visitor);
  Task<Answer<std::optional<Opened>>> set_password(LinkUse use, store::Person person,
                                                   Visitor visitor);
  Task<void> answer_reset(AskedReset asked);
  // What failed, as much of it as is written in a minute.
  Task<void> note_failure(std::string action, store::AccountKey account, std::string email,
                          Visitor visitor);

  store::Store& store_;
  const Clock& clock_;
  const Options options_;
  access::Passwords passwords_;
  access::LoginGuard guesses_;  // of passwords, by network and address
  access::LoginGuard codes_;    // of codes, by person: from wherever, of who knows the password
  access::LoginGuard resets_;   // asked for, by address, from wherever
  access::LoginGuard mailed_;   // wanted by somebody who is signed in, by account and address
  access::LoginGuard mailing_;  // the same by who wants them
  MinuteMeter meter_;           // of what failed, and of resets by network
  Remembered remembered_;
  std::atomic<bool> has_operator_{false};
  std::mutex mutex_;
  std::deque<AskedReset> asked_resets_;
};

}  // namespace todoku::people
