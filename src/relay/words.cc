// SPDX-License-Identifier: Apache-2.0
#include "relay/words.h"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/date_time.h"
#include "base/printable.h"
#include "intake/submission/options.h"

namespace todoku::relay::words {
namespace {

// A reply's line holds 512 octets (RFC 5321 section 4.5.3.1.5).
constexpr std::size_t kTextOctetsMax = 400;
constexpr std::size_t kBecauseOctetsMax = 250;

std::string short_of(std::string_view text) {
  std::string line(text.substr(0, kTextOctetsMax));
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return line;
}

std::int64_t seconds_of(Milliseconds left) {
  return std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(left).count());
}

std::string without_address(const Login& login) {
  return fmt::format(
      ", and the credential no address: todoku smtp-credential change {} {} --from ADDRESS",
      login.account.name, login.credential.name);
}

// The field of a message that says what the API calls so; empty: none does.
std::string option_field(std::string_view api_name) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"tags", "Tag"}, {"purpose", "Purpose"}, {"list_id", "List-Id"}};
  for (const auto& [api, option] : kNames) {
    if (api == api_name) return fmt::format("{}{}", intake::submission::kOptionPrefix, option);
  }
  return api_name.starts_with(intake::submission::kOptionPrefix) ? std::string(api_name)
                                                                 : std::string();
}

// Of an option that does not do, whose sender is known.
bool is_of_option(const intake::Refusal& refusal) {
  if (refusal.problems.list().empty()) return false;
  const auto& path = refusal.problems.list().front().path;
  return !path.empty() && !option_field(path.front()).empty();
}

std::string sentence_of(const intake::Refusal& refusal) {
  if (refusal.problems.list().empty()) return "refused";
  const intake::Problem& first = refusal.problems.list().front();
  std::string where;
  if (is_of_option(refusal)) {
    where = option_field(first.path.front());
  } else {
    for (const std::string& part : first.path) where += (where.empty() ? "" : ".") + part;
  }
  return short_of(where.empty() ? first.text.en : where + ": " + first.text.en);
}

}  // namespace

Reply greeting(std::string_view hostname) {
  return {220, fmt::format("{} ESMTP todoku", hostname)};
}

Reply stopping() {
  return {kServiceClosing, "4.3.2 The service is stopping, come back in a moment"};
}

Reply too_many_connections(bool of_network) {
  return {kServiceClosing, of_network ? "4.7.0 Too many connections from your network"
                                      : "4.3.2 Too many connections, come back in a moment"};
}

Reply too_many_of_credential() {
  return {454, "4.7.0 Too many connections with this credential"};
}

// RFC 4954 section 6.
Reply no_login_now() {
  return {454, "4.7.0 Nobody can log in just now, try again later"};
}

Reply too_many_of_account() {
  return {454, "4.7.0 Too many connections of this account"};
}

Reply locked(Milliseconds left, bool of_network) {
  return {454, fmt::format("4.7.0 Too many wrong passwords {}from your network, try again in {} s",
                           of_network ? "" : "for this user name ", seconds_of(left))};
}

Reply authentication_required() {
  return {530, "5.7.0 Authentication required"};
}

std::string_view reason(LoginFault fault) {
  switch (fault) {
    case LoginFault::none:
      break;
    case LoginFault::revoked:
      return "the password is right, the credential revoked";
    case LoginFault::expired:
      return "the password is right, the credential expired";
    case LoginFault::network:
      return "the password is right, the network none that the credential allows";
    case LoginFault::suspended:
      return "the password is right, the account suspended";
    case LoginFault::replaced:
      return "its password was replaced";
  }
  return "it may log in";
}

Reply refused(LoginFault fault) {
  switch (fault) {
    case LoginFault::none:
      break;
    case LoginFault::revoked:
      return {535, "5.7.8 This credential was revoked"};
    case LoginFault::expired:
      return {535, "5.7.8 This credential has expired"};
    case LoginFault::network:
      return {535, "5.7.8 This credential may not be used from your network"};
    case LoginFault::suspended:
      return {535, "5.7.13 The account is suspended"};
    case LoginFault::replaced:
      return {535, "5.7.8 The password that this session began with was replaced"};
  }
  return {235, "2.7.0 Authentication successful"};
}

Reply no_such_device() {
  return {554, "5.7.1 Nobody is served from your network here"};
}

Reply no_credential(std::uint32_t uid) {
  return {530,
          fmt::format("5.7.0 No credential has uid {0}: todoku smtp-credential add ACCOUNT NAME "
                      "--uid {0} --from ADDRESS",
                      uid)};
}

Reply too_many_of_user() {
  return {kServiceClosing, "4.7.0 Too many connections of this user"};
}

Reply unqualified_sender(const Login& login) {
  return {553, "5.1.7 The sender has no domain" + without_address(login)};
}

Reply unqualified_recipient(const Login& login) {
  return {553, "5.1.3 The recipient has no domain" + without_address(login)};
}

Reply not_sent_there(std::string_view clause) {
  return {550, fmt::format("5.1.2 The address {}", clause)};
}

Reply not_allowed_recipient(std::string_view address) {
  return {550, fmt::format("5.7.1 {} is not among the allowed recipients of this account",
                           printable(address))};
}

Reply too_fast(const TooMuch& much, Milliseconds left) {
  return {451, fmt::format("{} Too many {} of this {} in this minute, try again in {} s",
                           much.is_ours ? "4.3.2" : "4.7.1", much.what, much.of, seconds_of(left))};
}

Reply held(const store::SmtpCredential& credential) {
  // Of a reason that was given by hand what is not ASCII cannot be said here (RFC 5321
  // section 4.2).
  std::string because = short_of(credential.held_because).substr(0, kBecauseOctetsMax);
  std::ranges::replace_if(
      because, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return {451, fmt::format("4.7.1 Mail of this user name is held since {}: {}; its owner can "
                           "release it",
                           format_utc(credential.held.value_or(Instant{})), because)};
}

Reply not_of_device(std::string_view domain) {
  return {550, fmt::format("5.7.1 Mail from here has a From address, and a Sender if any, of {}",
                           domain)};
}

Reply accepted(store::PublicId delivery) {
  return {250, fmt::format("2.0.0 Ok: kept as delivery {}", delivery)};
}

Reply repeated(store::PublicId delivery) {
  return {250, fmt::format("2.0.0 Ok: kept before as delivery {}", delivery)};
}

Reply unfit(const Error& error) {
  if (error.kind == ErrorKind::limit_exceeded) return {552, "5.3.4 " + short_of(error.detail)};
  if (error.kind == ErrorKind::conflict) return {554, "5.4.6 " + short_of(error.detail)};
  if (error.kind == ErrorKind::unauthorized) return {550, "5.7.1 " + short_of(error.detail)};
  if (error.kind == ErrorKind::unsupported) return {550, "5.6.7 " + short_of(error.detail)};
  return {550, "5.6.0 " + short_of(error.detail)};
}

Reply no_service_now() {
  return {kServiceClosing, "4.3.0 Nobody can be served just now, come back in a moment"};
}

Reply no_mail_now() {
  return {451, "4.3.0 Whether you may send could not be looked up, try again later"};
}

Reply trouble(const Error& error) {
  switch (error.kind) {
    case ErrorKind::unavailable:
      return {452, "4.3.1 Nothing was kept: no room or too much at once, try again later"};
    case ErrorKind::io:
      return {451, "4.3.0 It is not known whether this was kept: it may arrive; try again later"};
    default:
      return {451, "4.3.0 Nothing was kept, try again later"};
  }
}

Reply refused(const intake::Refusal& refusal) {
  const std::string text = sentence_of(refusal);
  if (refusal.retry_after) return {451, "4.7.1 " + text};
  switch (refusal.kind) {
    case ErrorKind::invalid_input:
      return {550, (is_of_option(refusal) ? "5.6.0 " : "5.7.1 ") + text};
    case ErrorKind::unauthorized:
      return {550, "5.7.13 " + text};
    case ErrorKind::limit_exceeded:
      return {552, "5.3.4 " + text};
    case ErrorKind::conflict:
      return refusal.key == intake::Refusal::Key::in_progress ? Reply{451, "4.5.0 " + text}
                                                              : Reply{554, "5.5.0 " + text};
    case ErrorKind::io:
    case ErrorKind::unavailable:
    default:
      return trouble({refusal.kind, text});
  }
}

}  // namespace todoku::relay::words
