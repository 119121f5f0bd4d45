// SPDX-License-Identifier: Apache-2.0
// What people change of their own: password, second factor, name, and for whom they act.
#include "access/totp.h"
#include "base/digest.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "people/people.h"
#include "people/steps.h"

namespace todoku::people {
namespace {

RecoveryCodes new_codes() {
  RecoveryCodes codes;
  for (std::size_t i = 0; i < store::kRecoveryCodesMax; ++i) {
    codes.push_back(access::new_recovery_code());
  }
  return codes;
}

std::vector<std::string> hashes_of(const RecoveryCodes& codes) {
  std::vector<std::string> hashes;
  for (const SecretText& code : codes) hashes.push_back(access::recovery_hash(code));
  return hashes;
}

// A change of the person who asks; the sign-in goes on by another token, and the others end.
// `change` is a function Result<void>(store::Person&).
template <class Change>
Result<bool> change_and_go_on(store::WriteTransaction& transaction, const SignedIn& who,
                              const std::string& token_sha256, std::string_view action,
                              const Visitor& visitor, const Change& change) {
  auto person = hold_actor(transaction, who);
  if (!person) return fail(std::move(person.error()));
  if (auto good = change(*person); !good) return fail(good.error());
  if (auto changed = transaction.change_person(*person); !changed) return fail(changed.error());
  if (auto on = go_on(transaction, who, token_sha256); !on) return fail(on.error());
  auto noted =
      note(transaction, By::person(*person, visitor), action, person->account, person->email);
  if (!noted) return fail(std::move(noted.error()));
  return true;
}

// The same, but the sign-in stays as it is.
template <class Change>
Result<bool> change_only(store::WriteTransaction& transaction, const SignedIn& who,
                         std::string_view action, const Visitor& visitor, const Change& change) {
  auto person = hold_actor(transaction, who);
  if (!person) return fail(std::move(person.error()));
  if (auto good = change(*person); !good) return fail(good.error());
  if (auto changed = transaction.change_person(*person); !changed) return fail(changed.error());
  auto noted =
      note(transaction, By::person(*person, visitor), action, person->account, person->email);
  if (!noted) return fail(std::move(noted.error()));
  return true;
}

Result<void> confirm_offered(store::Person& person, const SecretBox& box, std::string_view code,
                             const std::vector<std::string>& recovery, Instant now) {
  if (person.sealed_totp_offered.empty()) {
    return stop(ErrorKind::conflict, texts::kNothingOffered);
  }
  const auto secret = box.open(person.sealed_totp_offered, totp_context(person.key));
  if (!secret) return fail(secret.error());
  const auto step = access::totp_step(*secret, code, now, 0);
  if (!step) return stop(ErrorKind::invalid_input, texts::kWrongCode);
  person.sealed_totp = std::move(person.sealed_totp_offered);
  person.sealed_totp_offered.clear();
  person.totp_step_used = *step;
  person.recovery = recovery;
  return {};
}

Result<void> remove_factor(store::Person& person) {
  if (person.sealed_totp.empty()) return stop(ErrorKind::conflict, texts::kNoFactor);
  person.sealed_totp.clear();
  person.sealed_totp_offered.clear();
  person.recovery.clear();
  return {};
}

}  // namespace

Task<Answer<Opened>> People::change_password(Who who, SecretText current, SecretText wanted,
                                             Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  if (auto fault = access::password_fault(wanted, who->person.email)) {
    co_return std::unexpected(
        Refusal{.kind = ErrorKind::invalid_input, .reason = std::move(*fault), .wait = {}});
  }
  auto right = co_await check_password(who, std::move(current), visitor);
  if (!right) co_return std::unexpected(std::move(right.error()));
  auto made = co_await passwords_.make(owner_of(visitor.from), wanted);
  if (!made) co_return refuse(std::move(made.error()));
  SecretText token(new_token());
  auto done = co_await write([who, visitor, password = *made, hash = sha256_hex(token)](
                                 store::WriteTransaction& transaction) -> Result<bool> {
    auto changed = change_and_go_on(transaction, *who, hash, "person.password", visitor,
                                    [&](store::Person& person) -> Result<void> {
                                      person.password_hash = password;
                                      return {};
                                    });
    if (!changed) return changed;
    // A reset that was asked for before is of the password before.
    auto gone = transaction.void_links(who->person.key);
    if (!gone) return fail(std::move(gone.error()));
    return changed;
  });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return co_await opened(std::move(token));
}

Task<Answer<TotpOffer>> People::offer_totp(Who who, Visitor visitor) {
  if (who->is_half()) co_return refuse(ErrorKind::unauthorized, texts::kHalf);
  const auto box = options_.secret_box();
  if (!box) co_return refuse(box.error());
  const SecretText secret = access::new_totp_secret();
  const std::string sealed = (*box)->seal(secret, totp_context(who->person.key));
  auto done = co_await write([who, visitor, sealed](store::WriteTransaction& transaction) {
    return change_only(transaction, *who, "person.totp_offered", visitor,
                       [&](store::Person& person) -> Result<void> {
                         if (!person.sealed_totp.empty()) {
                           return stop(ErrorKind::conflict, texts::kHasFactor);
                         }
                         person.sealed_totp_offered = sealed;
                         return {};
                       });
  });
  if (!done) co_return std::unexpected(std::move(done.error()));
  TotpOffer offer;
  offer.secret = SecretText(access::base32(secret));
  offer.uri = access::totp_uri(options_.issuer, who->person.email, secret);
  co_return offer;
}

Task<Answer<ConfirmedTotp>> People::confirm_totp(Who who, SecretText code, Visitor visitor) {
  if (who->is_half()) co_return refuse(ErrorKind::unauthorized, texts::kHalf);
  const auto box = options_.secret_box();
  if (!box) co_return refuse(box.error());
  RecoveryCodes codes = new_codes();
  SecretText token(new_token());
  const std::string_view typed = code;  // stays in this frame, which waits
  auto done = co_await write([who, visitor, box = *box, typed, recovery = hashes_of(codes),
                              hash = sha256_hex(token),
                              now = store_.clock().now()](store::WriteTransaction& transaction) {
    return change_and_go_on(
        transaction, *who, hash, "person.totp", visitor,
        [&](store::Person& person) { return confirm_offered(person, *box, typed, recovery, now); });
  });
  if (!done) co_return std::unexpected(std::move(done.error()));
  auto rotated = co_await opened(std::move(token));
  if (!rotated) co_return std::unexpected(std::move(rotated.error()));
  co_return ConfirmedTotp{.opened = std::move(*rotated), .codes = std::move(codes)};
}

Task<Answer<Opened>> People::remove_totp(Who who, SecretText password, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  if (who->second_factor_required) co_return refuse(ErrorKind::conflict, texts::kFactorRequired);
  auto right = co_await check_password(who, std::move(password), visitor);
  if (!right) co_return std::unexpected(std::move(right.error()));
  SecretText token(new_token());
  auto done = co_await write([who, visitor,
                              hash = sha256_hex(token)](store::WriteTransaction& transaction) {
    return change_and_go_on(transaction, *who, hash, "person.totp_removed", visitor, remove_factor);
  });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return co_await opened(std::move(token));
}

Task<Answer<RecoveryCodes>> People::new_recovery_codes(Who who, SecretText password,
                                                       Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  auto right = co_await check_password(who, std::move(password), visitor);
  if (!right) co_return std::unexpected(std::move(right.error()));
  RecoveryCodes codes = new_codes();
  auto done = co_await write(
      [who, visitor, recovery = hashes_of(codes)](store::WriteTransaction& transaction) {
        return change_only(transaction, *who, "person.recovery_codes", visitor,
                           [&](store::Person& person) -> Result<void> {
                             if (person.sealed_totp.empty()) {
                               return stop(ErrorKind::conflict, texts::kNoFactor);
                             }
                             person.recovery = recovery;
                             return {};
                           });
      });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return codes;
}

Task<Answer<Who>> People::change_me(Who who, std::optional<std::string> name,
                                    std::optional<std::string> language, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  const auto wanted_name = read_name(name.value_or(who->person.name));
  if (!wanted_name) co_return refuse(wanted_name.error());
  const auto wanted_language = read_language(language.value_or(who->person.language));
  if (!wanted_language) co_return refuse(wanted_language.error());
  auto done = co_await write([who, visitor, called = *wanted_name,
                              tongue = *wanted_language](store::WriteTransaction& transaction) {
    return change_only(transaction, *who, "person.me", visitor,
                       [&](store::Person& person) -> Result<void> {
                         person.name = called;
                         person.language = tongue;
                         return {};
                       });
  });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return co_await read_who(who->sign_in.token_sha256);
}

Task<Answer<Who>> People::act_for(Who who, std::optional<std::string> account, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  if (!who->is_operator()) co_return refuse(ErrorKind::unauthorized, texts::kMayNot);
  auto done =
      co_await write([who, account, visitor](store::WriteTransaction& transaction) -> Result<bool> {
        auto person = hold_actor(transaction, *who);
        if (!person) return fail(std::move(person.error()));
        store::AccountKey key{};
        if (account) {
          const auto found = transaction.read().account_by_name(*account);
          if (!found && found.error().kind == ErrorKind::not_found) {
            return stop(ErrorKind::not_found, texts::kNoAccount);
          }
          if (!found) return fail(found.error());
          key = found->key;
        }
        auto acting = transaction.act_for(who->sign_in.key, key);
        if (!acting) return fail(std::move(acting.error()));
        auto noted = note(transaction, By::person(*person, visitor), "person.act_for", key, "");
        if (!noted) return fail(std::move(noted.error()));
        return true;
      });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return co_await read_who(who->sign_in.token_sha256);
}

Task<Answer<void>> People::ask_confirmation(Who who, Visitor visitor) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  if (!mails()) co_return refuse(ErrorKind::unavailable, texts::kNoMail);
  if (auto may = may_mail(*who, who->person.email); !may) {
    co_return std::unexpected(std::move(may.error()));
  }
  const By by = By::person(who->person, visitor);
  auto link = co_await make_link(who->person, store::LinkPurpose::confirm, by, Way::by_mail,
                                 store::Earlier::are_void);
  if (!link) co_return std::unexpected(std::move(link.error()));
  const bool mailed =
      co_await mail_link(who->person, store::LinkPurpose::confirm, std::string(link->url.view()));
  if (!mailed) co_return refuse(ErrorKind::unavailable, texts::kNoMail);
  co_return Answer<void>();
}

// ---- what was typed
// ------------------------------------------------------------------------------

Task<Answer<std::vector<store::KeptText>>> People::texts(Who who, std::string place) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  co_return co_await read([key = who->person.key, place](store::ReadTransaction& reader) {
    return reader.kept_texts(key, place);
  });
}

Task<Answer<void>> People::keep_text(Who who, std::string place, std::string text) {
  if (auto good = whole(*who); !good) co_return std::unexpected(good.error());
  if (place.empty() || place.size() > store::kKeptTextPlaceMax || !is_utf8(place) ||
      printable(place) != place) {
    co_return refuse(ErrorKind::invalid_input, texts::kBadPlace);
  }
  // Of nobody's rights: what is remembered stays. The audit has no drafts.
  auto kept = co_await store_.write(
      store::WritePriority::claims,
      [key = who->person.key, place, text](store::WriteTransaction& transaction) {
        return transaction.keep_text(key, place, text);
      });
  if (!kept) co_return refuse(std::move(kept.error()));
  co_return Answer<void>();
}

}  // namespace todoku::people
