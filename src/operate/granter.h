// SPDX-License-Identifier: Apache-2.0
// Who makes, changes or ends what opens a door, where that is somebody who has signed in: they give
// no more than they hold, and what they did is in the audit by the commit that did it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "operate/personal_data.h"
#include "people/signed_in.h"
#include "store/store.h"

namespace todoku::operate {

struct Granter {
  Asker asker;
  store::Scopes holds = 0;
  // The sign-in by which they ask: note_by() looks in the same commit whether it still stands.
  // nullptr: none stands behind them.
  people::Who who = nullptr;
};
// nullopt: whoever may open the admin socket, or a key of the operators': they hold everything, and
// make as many as they like.
using MaybeGranter = std::optional<Granter>;

// Of what is in force of one account, and of what ever was: a granter makes no more.
inline constexpr std::int64_t kGrantedMax = 100;
inline constexpr std::int64_t kGrantedEverMax = 10'000;

// unauthorized: they hold less.
[[nodiscard]] Result<void> check_held(const MaybeGranter& by, store::Scopes granted);
// Who knows a secret that is made for them; 0: nobody says, as by the admin socket.
[[nodiscard]] store::PersonKey maker(const MaybeGranter& by);
// limit_exceeded: the account has so many already.
[[nodiscard]] Result<void> check_count(const MaybeGranter& by, std::int64_t in_force,
                                       std::int64_t ever);
// A line of the audit. unauthorized: the sign-in is over or its role another one; conflict: it acts
// for another account by now. Either undoes what is noted.
[[nodiscard]] Result<void> note_by(store::WriteTransaction& writer, const MaybeGranter& by,
                                   std::string action, store::AccountKey account);

}  // namespace todoku::operate
