// SPDX-License-Identifier: Apache-2.0
// What the relay answers: every refusal as a reply with its enhanced status code (RFC 3463), in one
// place. Texts are English and ASCII, as SMTP's are.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "intake/problem.h"
#include "mail/reply.h"
#include "relay/logins.h"
#include "store/keys.h"

namespace todoku::relay::words {

[[nodiscard]] Reply greeting(std::string_view hostname);
[[nodiscard]] Reply stopping();
[[nodiscard]] Reply too_many_connections(bool of_network);
[[nodiscard]] Reply too_many_of_credential();
// Whether it may log in could not be found out.
[[nodiscard]] Reply no_login_now();
[[nodiscard]] Reply too_many_of_account();
// `of_network`: whatever the name, else this one from there.
[[nodiscard]] Reply locked(Milliseconds left, bool of_network);
[[nodiscard]] Reply authentication_required();
// Said to who has proven who it is, and only then.
[[nodiscard]] Reply refused(LoginFault fault);
// The same for operators, in the log; never said to a client that is not proven.
[[nodiscard]] std::string_view reason(LoginFault fault);
[[nodiscard]] Reply no_such_device();
// Of a user of this machine.
[[nodiscard]] Reply no_credential(std::uint32_t uid);
[[nodiscard]] Reply too_many_of_user();
// An address without its domain, for which the credential has none.
[[nodiscard]] Reply unqualified_sender(const Login& login);
[[nodiscard]] Reply unqualified_recipient(const Login& login);
// Of a recipient (intake/check.h, why_not_sent_to()).
[[nodiscard]] Reply not_sent_there(std::string_view clause);
// Of a recipient (store/accounts.h, allowed_recipients).
[[nodiscard]] Reply not_allowed_recipient(std::string_view address);
// Of what there is too much, and whose limit it is; `is_ours`: not the client's, but our own.
struct TooMuch {
  std::string_view what;
  std::string_view of;
  bool is_ours = false;
};
[[nodiscard]] Reply too_fast(const TooMuch& much, Milliseconds left);
// Of a credential that is held.
[[nodiscard]] Reply held(const store::SmtpCredential& credential);
[[nodiscard]] Reply not_of_device(std::string_view domain);
[[nodiscard]] Reply accepted(store::PublicId delivery);
[[nodiscard]] Reply repeated(store::PublicId delivery);
// Of the message itself: what a reader of it found.
[[nodiscard]] Reply unfit(const Error& error);
// Who comes, or goes on, could not be looked up: at the greeting and at MAIL.
[[nodiscard]] Reply no_service_now();
[[nodiscard]] Reply no_mail_now();
// Of a message: of the store or anything else of ours.
[[nodiscard]] Reply trouble(const Error& error);
// Of intake.
[[nodiscard]] Reply refused(const intake::Refusal& refusal);

}  // namespace todoku::relay::words
