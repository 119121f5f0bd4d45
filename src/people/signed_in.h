// SPDX-License-Identifier: Apache-2.0
// Somebody who is signed in, as it is when a request comes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/network.h"
#include "store/accounts.h"
#include "store/people.h"

namespace todoku::people {

struct SignedIn {
  store::Person person;  // without password, secrets and codes, of which is told only:
  bool has_second_factor = false;
  std::size_t recovery_left = 0;
  bool second_factor_required = false;

  store::SignIn sign_in;
  // The one that is looked at and changed: one's own, or of operators the one that they act for;
  // nullopt: for none.
  std::optional<store::Account> account;
  store::Scopes scopes = 0;            // in that account, or in the installation where it is none
  std::vector<net::Network> networks;  // from which this may be used; empty: from all

  // The password was right, and the code is still missing.
  [[nodiscard]] bool is_half() const { return sign_in.half; }
  [[nodiscard]] bool must_set_up_second_factor() const {
    return second_factor_required && !has_second_factor;
  }
  // May do what a person may who has signed in.
  [[nodiscard]] bool is_whole() const { return !is_half() && !must_set_up_second_factor(); }
  [[nodiscard]] bool is_operator() const { return person.role == store::Role::operator_; }
};

using Who = std::shared_ptr<const SignedIn>;

// As the audit has them: "person 12 (owner@example.jp)".
[[nodiscard]] std::string actor_of(const store::Person& person);

}  // namespace todoku::people
