// SPDX-License-Identifier: Apache-2.0
#include "operate/granter.h"

#include <utility>

#include "base/utf8.h"
#include "people/refusal.h"

namespace todoku::operate {

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

Result<void> check_count(const MaybeGranter& by, std::int64_t in_force, std::int64_t ever) {
  if (!by || (in_force < kGrantedMax && ever < kGrantedEverMax)) return {};
  return people::stop(ErrorKind::limit_exceeded, people::texts::kTooManyKeys);
}

Result<void> note_by(store::WriteTransaction& writer, const MaybeGranter& by, std::string action,
                     store::AccountKey account) {
  if (!by) return {};
  store::AuditEntry entry;
  entry.actor = utf8_prefix(by->asker.actor, store::kAuditTextMax);
  entry.action = std::move(action);
  entry.account = account;
  entry.origin = by->asker.origin;
  return writer.add_audit(entry, "");
}

}  // namespace todoku::operate
