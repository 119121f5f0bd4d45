// SPDX-License-Identifier: Apache-2.0
#include "relay/logins.h"

#include <algorithm>
#include <utility>

namespace todoku::relay {
namespace {

using LoginPtr = std::shared_ptr<const Login>;

// nullptr if there is no such credential.
Result<LoginPtr> login_of(store::ReadTransaction& reader, Result<store::SmtpCredential> credential,
                          std::string_view closed) {
  if (!credential && credential.error().kind == ErrorKind::not_found) return LoginPtr();
  if (!credential) return fail(std::move(credential.error()));
  auto account = reader.account(credential->account);
  if (!account) return fail(std::move(account.error()));
  if (!closed.empty() && account->name == closed) return LoginPtr();
  auto login = std::make_shared<Login>();
  for (const std::string& text : credential->settings.networks) {
    auto network = net::Network::parse(text);
    if (!network) return fail(ErrorKind::corrupt, "a stored network of an SMTP credential");
    login->networks.push_back(*network);
  }
  login->credential = std::move(*credential);
  login->account = std::move(*account);
  return LoginPtr(std::move(login));
}

}  // namespace

LoginFault fault_of(const Login& login, const net::IpAddress& from, Instant now) {
  const store::SmtpCredential& credential = login.credential;
  if (credential.revoked) return LoginFault::revoked;
  if (credential.settings.expires && *credential.settings.expires <= now) {
    return LoginFault::expired;
  }
  if (!login.networks.empty() && !net::contain(login.networks, from)) return LoginFault::network;
  return login.account.suspended ? LoginFault::suspended : LoginFault::none;
}

std::vector<ScramSecrets> secrets_at(const Login& login, Instant now) {
  std::vector<ScramSecrets> secrets;
  const store::SmtpCredential& credential = login.credential;
  if (auto current = ScramSecrets::parse(credential.secret)) secrets.push_back(*current);
  if (credential.previous_until && now < *credential.previous_until) {
    if (auto before = ScramSecrets::parse(credential.previous_secret)) secrets.push_back(*before);
  }
  return secrets;
}

bool still_opens(const Login& login, const Sha256& stored_key, Instant now) {
  const auto is_it = [&](const ScramSecrets& each) { return each.stored_key == stored_key; };
  return std::ranges::any_of(secrets_at(login, now), is_it);
}

Task<Result<LoginPtr>> Logins::find(std::string name) {
  const SteadyInstant now = clock_.steady_now();
  std::uint64_t forgotten = 0;
  {
    const std::lock_guard lock(mutex_);
    forgotten = forgotten_;
    const auto found = known_.find(name);
    if (found != known_.end() && now < found->second.until) co_return found->second.login;
  }
  auto login = co_await store_.read([this, name](store::ReadTransaction& reader) {
    return login_of(reader, reader.smtp_credential(name), closed_account_);
  });
  if (!login) co_return login;
  const std::lock_guard lock(mutex_);
  if (forgotten != forgotten_) co_return *login;
  // Nobody is remembered as well: else the time that an answer takes would tell which names exist.
  if (known_.size() >= kNamesMax) known_.clear();
  known_[std::move(name)] = {*login, now + kRememberedFor};
  co_return *login;
}

Task<Result<LoginPtr>> Logins::device_of(std::string account) {
  if (!closed_account_.empty() && account == closed_account_) co_return LoginPtr();
  co_return co_await store_.read([account](store::ReadTransaction& reader) -> Result<LoginPtr> {
    auto found = reader.account_by_name(account);
    if (!found && found.error().kind == ErrorKind::not_found) return LoginPtr();
    if (!found) return fail(std::move(found.error()));
    auto login = std::make_shared<Login>();
    login->credential.account = found->key;
    login->account = std::move(*found);
    return LoginPtr(std::move(login));
  });
}

Task<Result<LoginPtr>> Logins::user_of(std::uint32_t uid) {
  auto login = co_await store_.read([this, uid](store::ReadTransaction& reader) {
    return login_of(reader, reader.smtp_credential_of_uid(uid), closed_account_);
  });
  if (!login || *login == nullptr) co_return login;
  auto from_anywhere = std::make_shared<Login>(**login);
  from_anywhere->networks.clear();
  co_return LoginPtr(std::move(from_anywhere));
}

void Logins::forget() {
  passwords_.forget();
  const std::lock_guard lock(mutex_);
  known_.clear();
  ++forgotten_;
}

}  // namespace todoku::relay
