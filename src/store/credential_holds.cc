// SPDX-License-Identifier: Apache-2.0
#include "store/credential_holds.h"

#include "base/utf8.h"

namespace todoku::store {

Result<bool> hold_credential(WriteTransaction& writer, SmtpCredential& credential,
                             std::string_view because, Instant now) {
  if (credential.held) return false;
  credential.held = now;
  credential.held_because = utf8_prefix(because, kHeldBecauseMax);
  auto done = writer.change_smtp_credential(credential);
  if (!done) return fail(std::move(done.error()));
  writer.tell_of_smtp_credential(EventKind::credential_held, credential);
  return true;
}

Result<bool> release_credential(WriteTransaction& writer, SmtpCredential& credential, Instant now) {
  if (!credential.held) return false;
  credential.held.reset();
  credential.held_because.clear();
  credential.released = now;
  auto done = writer.change_smtp_credential(credential);
  if (!done) return fail(std::move(done.error()));
  writer.tell_of_smtp_credential(EventKind::credential_released, credential);
  return true;
}

}  // namespace todoku::store
