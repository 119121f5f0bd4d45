// SPDX-License-Identifier: Apache-2.0
#include "operate/granter.h"

#include <utility>

#include "base/utf8.h"
#include "people/refusal.h"
#include "people/steps.h"

namespace todoku::operate {
namespace {

// A request may take a minute to come in, and whoever sent its beginning be removed meanwhile.
Result<void> check_standing(store::WriteTransaction& writer, const people::SignedIn& who) {
  if (auto actor = people::hold_actor(writer, who); !actor) return fail(std::move(actor.error()));
  const auto now = writer.read().sign_in(who.sign_in.token_sha256);
  if (!now) return fail(now.error());
  if (now->acting_for == who.sign_in.acting_for) return {};
  return people::stop(ErrorKind::conflict, people::texts::kActsForAnother);
}

}  // namespace

Result<void> check_held(const MaybeGranter& by, store::Scopes granted) {
  if (!by) return {};
  // A key with the scope ses hands mail in and does nothing else.
  const auto ses = static_cast<store::Scopes>(store::Scope::ses);
  if ((granted & ses) != 0) {
    granted = static_cast<store::Scopes>(granted & ~ses) | store::Scope::send;
  }
  if ((granted & ~by->holds) == 0) return {};
  return people::stop(ErrorKind::unauthorized, people::texts::kMayNotGrantKey);
}

store::PersonKey maker(const MaybeGranter& by) {
  return by && by->who != nullptr ? by->who->person.key : store::PersonKey{};
}

Result<void> check_count(const MaybeGranter& by, std::int64_t in_force, std::int64_t ever) {
  if (!by || (in_force < kGrantedMax && ever < kGrantedEverMax)) return {};
  return people::stop(ErrorKind::limit_exceeded, people::texts::kTooManyKeys);
}

Result<void> note_by(store::WriteTransaction& writer, const MaybeGranter& by, std::string action,
                     store::AccountKey account) {
  if (!by) return {};
  if (by->who != nullptr) {
    if (auto stands = check_standing(writer, *by->who); !stands) return stands;
  }
  store::AuditEntry entry;
  entry.actor = utf8_prefix(by->asker.actor, store::kAuditTextMax);
  entry.action = std::move(action);
  entry.account = account;
  entry.origin = by->asker.origin;
  return writer.add_audit(entry, "");
}

}  // namespace todoku::operate
