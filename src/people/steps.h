// SPDX-License-Identifier: Apache-2.0
// What several of the operations on people do within a transaction. Errors have the English of
// texts in refusal.h, or are the store's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/network.h"
#include "people/people.h"

namespace todoku::people {

// What stands in a line of the audit beside what was done.
struct By {
  std::string actor;
  std::string from;

  // A person, from their address.
  [[nodiscard]] static By person(const store::Person& person, const Visitor& visitor);
};

// `about`: the address of whom it is about; empty: of nobody alone.
[[nodiscard]] Result<void> note(store::WriteTransaction& transaction, const By& by,
                                std::string_view action, store::AccountKey account,
                                std::string_view about);

// "person.suspend 12": `action` and the number of whom it is about, whom the address alone, of
// which the audit keeps a hash, does not tell; `action` itself where that is nobody.
[[nodiscard]] std::string about(std::string_view action, const store::Person& person);

// What is done to somebody who is held, whoever does it: what follows for their sign-ins and links,
// and a line of the audit for each thing that has become another. Errors: the store's; conflict:
// last_in_charge().
[[nodiscard]] Result<void> change_person(store::WriteTransaction& transaction, const By& by,
                                         store::Person& person, const PersonChange& change);
[[nodiscard]] Result<void> note_added(store::WriteTransaction& transaction, const By& by,
                                      const store::Person& person);
[[nodiscard]] Result<void> remove_person(store::WriteTransaction& transaction, const By& by,
                                         const store::Person& person);

// Of whom guesses are counted together, and take turns: the /24 of an IPv4 address, the /64 of an
// IPv6 one.
[[nodiscard]] net::IpAddress network_of(const net::IpAddress& from);
[[nodiscard]] access::Passwords::Owner owner_of(const net::IpAddress& from);

[[nodiscard]] std::string new_token();
// "person/12/totp", for SecretBox.
[[nodiscard]] std::string totp_context(store::PersonKey key);

// The whole of whoever has that token. unauthorized: there is none, or they may not any more.
[[nodiscard]] Result<SignedIn> read_signed_in(store::ReadTransaction& reader,
                                              const std::string& token_sha256);
// What an account asks of its people, and operators of theirs.
[[nodiscard]] Result<store::SignInRules> rules_of(store::ReadTransaction& reader,
                                                  store::AccountKey account);
// Those that cannot be read let nobody in: then there is one that contains nothing.
[[nodiscard]] std::vector<net::Network> networks_of(const store::SignInRules& rules);
[[nodiscard]] bool is_admitted(const store::SignInRules& rules, const net::IpAddress& from);

// Whoever asks, as they are now, held until the commit. unauthorized: the sign-in is over, or the
// role is another one.
[[nodiscard]] Result<store::Person> hold_actor(store::WriteTransaction& transaction,
                                               const SignedIn& who);
// Whose people somebody looks after; 0: operators. unauthorized.
[[nodiscard]] Result<store::AccountKey> looked_after(const SignedIn& who);
[[nodiscard]] inline store::AccountKey account_of(const SignedIn& who) {
  return who.account ? who.account->key : store::AccountKey{};
}

// A new sign-in of a person who has just shown a password: half where there is a second factor.
[[nodiscard]] Result<void> begin(store::WriteTransaction& transaction, const store::Person& person,
                                 const std::string& token_sha256, const Visitor& visitor);
// The sign-in goes on by another token, whole, and the person's others end.
[[nodiscard]] Result<void> go_on(store::WriteTransaction& transaction, const SignedIn& who,
                                 const std::string& token_sha256);

// As they are stored. invalid_input.
[[nodiscard]] Result<std::string> read_email(std::string_view text);
[[nodiscard]] Result<std::string> read_name(std::string_view text);
[[nodiscard]] Result<std::string> read_language(std::string_view text);

[[nodiscard]] PersonView view_of(const store::Person& person);

}  // namespace todoku::people
