// SPDX-License-Identifier: Apache-2.0
// People who sign in at the console, what they are signed in with, and links that are good once
// (docs/adr/0043-people-sign-in-on-an-origin-of-its-own.md).
//
// Nothing here opens anything by itself: of passwords, tokens and recovery codes hashes are kept,
// of second factors what is sealed under the master key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

enum class SignInKey : std::int64_t {};

inline constexpr std::int64_t kPeopleMax = 1'000;       // of an account, or of the installation
inline constexpr std::int64_t kSignInsMax = 50;         // of a person; the one idle longest goes
inline constexpr std::int64_t kHalfSignInsMax = 5;      // besides, of those that are half
inline constexpr std::size_t kPersonNameMax = 100;      // characters
inline constexpr std::size_t kSignInAgentMax = 200;     // octets
inline constexpr std::size_t kRecoveryCodesMax = 10;    // of a person
inline constexpr std::size_t kSignInNetworksMax = 100;  // of an account
inline constexpr std::size_t kKeptTextOctetsMax = 1'000'000;  // of one
inline constexpr std::int64_t kKeptTextsMax = 20;             // of a person; the oldest goes
inline constexpr std::size_t kKeptTextPlaceMax = 100;         // octets
inline constexpr Milliseconds kKeptTextLife = std::chrono::days(14);  // since it was kept last

// What somebody may do. Stored as these numbers: never renumber. access/roles.h has their scopes.
enum class Role : std::uint8_t {
  operator_ = 1,  // of the installation: belongs to no account
  owner = 2,
  sender = 3,
  viewer = 4,
  support = 5,
};

struct Person {
  PersonKey key{};       // never used twice
  AccountKey account{};  // 0 of operators, and of them alone
  std::string email;     // as subject_of_address() has it; unique in the installation
  std::string name;      // as others see it
  Role role = Role::viewer;
  std::string language;               // "ja" or "en"
  std::string password_hash;          // of libsodium's crypto_pwhash_str(); empty: none is set yet
  std::string sealed_totp;            // of the shared secret of RFC 6238; empty: no second factor
  std::string sealed_totp_offered;    // of one whose first code has not been told yet
  std::int64_t totp_step_used = 0;    // the last one: a code is good once (RFC 6238 section 5.2)
  std::vector<std::string> recovery;  // SHA-256 in hex of those that are left
  bool suspended = false;             // signs in nowhere
  Instant created{};
  std::optional<Instant> confirmed;  // when a link sent to the address was used last
  std::optional<Instant> seen;       // signed in last
  // Invited under an address that is somebody's of another account: then this is that address, and
  // `email` one that nobody has. Whoever invited cannot tell it from an invitation nobody accepts.
  std::string stands_for = {};

  // What others read as their address.
  [[nodiscard]] const std::string& address() const {
    return stands_for.empty() ? email : stands_for;
  }
};

// Owns an account, or operates the installation, and can sign in. While there is one of an account,
// or one operator, there is always one left. Who was invited and has set no password yet is none:
// an invitation that went to the wrong address can be taken back.
[[nodiscard]] constexpr bool is_in_charge(const Person& person) {
  return (person.role == Role::owner || person.role == Role::operator_) && !person.suspended &&
         !person.password_hash.empty();
}

[[nodiscard]] constexpr bool leaves_charge(const Person& before, const Person& after) {
  return is_in_charge(before) && !(is_in_charge(after) && after.role == before.role);
}

struct NewPerson {
  AccountKey account{};
  std::string email;
  std::string name;
  Role role = Role::viewer;
  std::string language;
  std::string stands_for = {};
};

// That a browser is signed in.
struct SignIn {
  SignInKey key{};  // never used twice
  PersonKey person{};
  std::string token_sha256;  // hex; unique
  // Its password was right and the second factor is still missing: it opens nothing else.
  bool half = false;
  AccountKey acting_for{};  // an operator's choice; 0: none
  Instant created{};
  Instant used{};      // last, as often as it is written
  Instant idle_end{};  // over from then on, unless it is used before; never later than `end`
  Instant end{};       // over then in any case
  std::string from;    // the client's address, at its making
  std::string agent;   // what its browser calls itself
};

struct NewSignIn {
  PersonKey person{};
  std::string token_sha256;
  bool half = false;
  AccountKey acting_for{};
  Milliseconds idle{};
  Milliseconds life{};
  std::string from;
  std::string agent;  // UTF-8; its first kSignInAgentMax octets are kept
};

// Never renumber.
enum class LinkPurpose : std::uint8_t {
  first_operator = 1,
  invitation = 2,
  reset = 3,
  confirm = 4
};

// What a new link makes of those that the same person has for the same purpose.
enum class Earlier : std::uint8_t { are_void, stay };

// A link that is good once.
struct Link {
  std::string token_sha256;  // hex; unique
  LinkPurpose purpose = LinkPurpose::invitation;
  PersonKey person{};  // 0 of first_operator
  Instant created{};
  Instant end{};
};

// What an account asks of its people.
struct SignInRules {
  bool second_factor = false;  // who has none can do nothing but set one up
  // From which its people sign in, and act, e.g. "192.0.2.0/24"; empty: all.
  std::vector<std::string> networks;
  bool approval = false;  // a bulk starts when a second person has approved it
  friend bool operator==(const SignInRules&, const SignInRules&) = default;
};

// What somebody has typed and not sent: a browser's, kept for the next time.
struct KeptText {
  std::string place;  // "compose:17"
  std::string text;   // JSON of the console's own
  Instant kept{};
};

// What every back end refuses: invalid_input.
[[nodiscard]] Result<void> check_sound(const NewPerson& wanted);
[[nodiscard]] Result<void> check_sound(const Person& person);
[[nodiscard]] Result<void> check_sound(const NewSignIn& wanted);
[[nodiscard]] Result<void> check_sound(const SignInRules& rules);
[[nodiscard]] Result<void> check_token(std::string_view token_sha256);
[[nodiscard]] Result<void> check_kept_text(std::string_view place, std::string_view text);

// How rows have them. Errors: corrupt.
[[nodiscard]] std::string pack_recovery(const std::vector<std::string>& codes);
[[nodiscard]] Result<std::vector<std::string>> unpack_recovery(std::string_view packed);
[[nodiscard]] Result<Role> unpack_role(std::int64_t number);
[[nodiscard]] Result<LinkPurpose> unpack_link_purpose(std::int64_t number);

// What the sentence of last_in_charge() begins with, as person_email_taken() is a conflict, too.
inline constexpr std::string_view kLastInCharge = "last_in_charge";

[[nodiscard]] std::unexpected<Error> no_such_person();
[[nodiscard]] std::unexpected<Error> no_such_sign_in();
[[nodiscard]] std::unexpected<Error> no_such_link();
[[nodiscard]] std::unexpected<Error> too_many_people();
[[nodiscard]] std::unexpected<Error> person_email_taken();
[[nodiscard]] std::unexpected<Error> last_in_charge();
[[nodiscard]] std::unexpected<Error> sign_in_token_taken();

class PeopleReads {
 public:
  virtual ~PeopleReads() = default;
  // not_found.
  [[nodiscard]] virtual Result<Person> person(PersonKey key) = 0;
  [[nodiscard]] virtual Result<Person> person_by_email(std::string_view email) = 0;
  // Of an account (0: operators), those after `after`, by key, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<Person>> people(AccountKey account, PersonKey after,
                                                           std::int64_t limit) = 0;
  // not_found: there is none, or it is over.
  [[nodiscard]] virtual Result<SignIn> sign_in(std::string_view token_sha256) = 0;
  // Those of a person that are not over, the one used last first.
  [[nodiscard]] virtual Result<std::vector<SignIn>> sign_ins(PersonKey person) = 0;
  // not_found: there is none, or it is over.
  [[nodiscard]] virtual Result<Link> link(std::string_view token_sha256) = 0;
  // Whether this person has one, for whatever, that is not over.
  [[nodiscard]] virtual Result<bool> has_link(PersonKey person) = 0;
  // Of who has said nothing: those that ask for nothing.
  [[nodiscard]] virtual Result<SignInRules> sign_in_rules(AccountKey account) = 0;
  // The one of this place, or none; where `place` is empty all of a person, the newest first,
  // without what was typed.
  [[nodiscard]] virtual Result<std::vector<KeptText>> kept_texts(PersonKey person,
                                                                 std::string_view place) = 0;
};

// Who is there, under which address and in charge of what is changed by one after another in the
// installation; other changes of a person wait for those of the same person alone. A row of a
// person is held before anything of theirs.
class PeopleWrites {
 public:
  virtual ~PeopleWrites() = default;
  // conflict: the address is taken; limit_exceeded: kPeopleMax; not_found: no such account;
  // unsupported: not_known_to() (nodes.h).
  [[nodiscard]] virtual Result<Person> add_person(const NewPerson& wanted) = 0;
  // As it is, and nobody else changes it before this is committed: what is to be changed is read
  // so, or of two changes at once one is lost, be it a used code. not_found.
  [[nodiscard]] virtual Result<Person> hold_person(PersonKey key) = 0;
  // All but key, account and created. conflict: the address is taken, or last_in_charge(): nobody
  // who is_in_charge() would be left. not_found: nobody of this account has this key.
  [[nodiscard]] virtual Result<void> change_person(const Person& person) = 0;
  // With sign-ins, links and texts. conflict: last_in_charge(); not_found.
  [[nodiscard]] virtual Result<void> remove_person(PersonKey key) = 0;

  // conflict: the token is in use; not_found: no such person. Of more than kSignInsMax the one that
  // was used longest ago goes, and of half ones, of more than kHalfSignInsMax: whoever knows the
  // password alone puts none out that is whole.
  [[nodiscard]] virtual Result<SignIn> add_sign_in(const NewSignIn& wanted) = 0;
  // The same one under another token, whole or half, from now on idle and alive for so long. Of
  // whole ones no more stay than add_sign_in() leaves.
  // not_found: there is none, or it is over; conflict: the token is in use.
  [[nodiscard]] virtual Result<SignIn> rotate_sign_in(SignInKey key, std::string_view token_sha256,
                                                      bool half, Milliseconds idle,
                                                      Milliseconds life) = 0;
  // It was used now: idle until `idle` from now, never past its end. False: it is gone, or over.
  [[nodiscard]] virtual Result<bool> use_sign_in(SignInKey key, Milliseconds idle) = 0;
  // `account` 0: for nobody. False: it is gone, or over.
  [[nodiscard]] virtual Result<bool> act_for(SignInKey key, AccountKey account) = 0;
  // not_found: it is not one of this person.
  [[nodiscard]] virtual Result<void> end_sign_in(PersonKey person, SignInKey key) = 0;
  // All of a person but `left` (0: all). How many there were that were not over.
  [[nodiscard]] virtual Result<std::int64_t> end_sign_ins(PersonKey person, SignInKey left) = 0;

  // Earlier links of the same purpose and person are void: of two made at once one is left. But
  // they stay where it is made for who has shown nothing, else anybody voids what somebody was
  // handed. not_found: no such person; conflict: the token is in use.
  [[nodiscard]] virtual Result<void> add_link(std::string_view token_sha256, LinkPurpose purpose,
                                              PersonKey person, Milliseconds life,
                                              Earlier earlier) = 0;
  // It is good no more: of several at once who use it one is answered. not_found: there is none, or
  // it is over.
  [[nodiscard]] virtual Result<Link> use_link(std::string_view token_sha256) = 0;
  // All of a person.
  [[nodiscard]] virtual Result<void> void_links(PersonKey person) = 0;

  // not_found: no such account; unsupported: not_known_to() (nodes.h), but rules that ask for
  // nothing can always be put.
  [[nodiscard]] virtual Result<void> put_sign_in_rules(AccountKey account,
                                                       const SignInRules& rules) = 0;
  // An empty text takes it away. Of more than kKeptTextsMax the oldest goes. not_found: no such
  // person; limit_exceeded: longer than kKeptTextOctetsMax.
  [[nodiscard]] virtual Result<void> keep_text(PersonKey person, std::string_view place,
                                               std::string_view text) = 0;
  // All of a person.
  [[nodiscard]] virtual Result<void> drop_texts(PersonKey person) = 0;
  // Texts that nobody has kept anew for kKeptTextLife, at most `rows`. False when none is left.
  [[nodiscard]] virtual Result<bool> drop_old_texts(std::int64_t rows) = 0;
  // Sign-ins and links that are over, at most `rows`. False when none is left.
  [[nodiscard]] virtual Result<bool> drop_ended_sign_ins(std::int64_t rows) = 0;
};

}  // namespace todoku::store
