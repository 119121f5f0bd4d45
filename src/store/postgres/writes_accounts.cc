// SPDX-License-Identifier: Apache-2.0
// Changes of settings, accounts and keys.
#include <fmt/format.h>

#include "store/api_keys.h"
#include "store/last_use.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kPutSetting{"accounts: put setting",
                      "INSERT INTO settings VALUES($1, $2)"
                      " ON CONFLICT(name) DO UPDATE SET value = $2"};
// Holds the topic until the commit, so that numbers become visible in their order: last in what a
// function does, or others wait for the rest of it.
const Sql kChanged{"accounts: changed",
                   "INSERT INTO changes VALUES($1, 1)"
                   " ON CONFLICT(topic) DO UPDATE SET number = changes.number + 1"};
// Of several at once one puts it: the others wait for it and find it there.
const Sql kPutSettingOnce{"accounts: put setting once",
                          "INSERT INTO settings VALUES($1, $2) ON CONFLICT(name) DO NOTHING"};
// Of several writers at once one has the name: the others wait for it and find it taken.
const Sql kCreateAccount{"accounts: create",
                         "INSERT INTO accounts(key, name, weight, suspended, text_from_html,"
                         " created, next_delivery_id, next_email_id, next_job_id, sandbox)"
                         " VALUES($1, $2, 1, 0, 1, $3, 1, 1, 1, $4) ON CONFLICT DO NOTHING"};

const Sql kChangeAccount{"accounts: change",
                         "UPDATE accounts SET weight = $2, suspended = $3, text_from_html = $4,"
                         " requests_per_minute = $5, mails_per_minute = $6, mails_per_day = $7,"
                         " mails_per_month = $8, open_tracking = $9, preflight = $10,"
                         " allowed_recipients = $11"
                         " WHERE key = $1"};
// Of an account that is there; the row says so with its lock.
const Sql kHoldAccount{"accounts: hold", "SELECT key FROM accounts WHERE key = $1 FOR KEY SHARE"};
const Sql kAddApiKey{"accounts: add API key",
                     "INSERT INTO api_keys(id, account, label, token, created, scopes, networks,"
                     " expires, life, made_by) VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                     " ON CONFLICT DO NOTHING"};
const Sql kRevokeApiKey{"accounts: revoke API key",
                        "UPDATE api_keys SET revoked = coalesce(revoked, $3)"
                        " WHERE account = $1 AND id = $2"};
const Sql kExpireApiKey{"accounts: expire API key",
                        "UPDATE api_keys SET expires = least(expires, $3)"
                        " WHERE account = $1 AND id = $2 AND revoked IS NULL"};
// Who changes one has it locked, and its use is told within the hour.
const Sql kUseApiKeys{"accounts: use API keys",
                      "UPDATE api_keys SET used = $2 WHERE id = ANY(ARRAY(SELECT id FROM api_keys"
                      " WHERE id = ANY($1) AND (used IS NULL OR used < $2)"
                      " FOR NO KEY UPDATE SKIP LOCKED))"};
const Sql kKeyIsThere{"accounts: is there an API key",
                      "SELECT 1 FROM api_keys WHERE account = $1 AND id = $2"};
const Sql kPutDkimKey{"accounts: put DKIM key",
                      "INSERT INTO dkim_keys(account, domain, selector, algorithm, sealed,"
                      " dns_record, created) VALUES($1, $2, $3, $4, $5, $6, $7)"
                      " ON CONFLICT DO NOTHING"};
const Sql kRemoveDkimKey{"accounts: remove DKIM key",
                         "DELETE FROM dkim_keys WHERE account = $1 AND domain = $2"
                         " AND selector = $3"};

std::unexpected<Error> no_such_account() {
  return fail(ErrorKind::not_found, "there is no such account");
}

}  // namespace

Result<void> Changes::put_setting(std::string_view name, std::string_view value) {
  const auto done = session_.ask(kPutSetting, Params() << name << Octets{value});
  if (!done) return fail(done.error());
  return {};
}

Result<std::string> Changes::put_setting_once(std::string_view name, std::string_view value) {
  const auto put = session_.ask(kPutSettingOnce, Params() << name << Octets{value});
  if (!put) return fail(put.error());
  if (put->changes() == 1) return std::string(value);
  auto there = questions_.setting(name);
  if (!there) return fail(std::move(there.error()));
  if (!*there) return fail(ErrorKind::unavailable, "a setting went while it was put");
  return std::move(**there);
}

Result<void> Changes::changed(Topic topic) {
  if (topic == Topic::held) {
    held_changed_ = true;
    return {};
  }
  const auto done = session_.ask(kChanged, Params() << topic);
  if (!done) return fail(done.error());
  return {};
}

void Changes::add_topics() {
  if (held_changed_) session_.add(kChanged, Params() << Topic::held);
}

Result<Account> Changes::create_account(std::string_view name, bool sandbox) {
  if (name.empty()) return fail(ErrorKind::invalid_input, "the name of an account is empty");
  if (sandbox) {
    if (auto known = questions_.all_know(Novelty::sandboxes); !known) {
      return fail(std::move(known.error()));
    }
  }
  const auto key = session_.take_numbers(1);
  if (!key) return fail(key.error());
  const auto made =
      session_.ask(kCreateAccount, Params() << *key << name << session_.now() << sandbox);
  if (!made) return fail(made.error());
  if (made->changes() == 0) {
    return fail(ErrorKind::conflict, fmt::format("an account {} is there already", name));
  }
  if (auto told = changed(Topic::accounts); !told) return fail(std::move(told.error()));
  Account account;
  account.key = AccountKey{*key};
  account.name = name;
  account.created = session_.now();
  account.sandbox = sandbox;
  return account;
}

Result<void> Changes::change_account(const Account& account) {
  if (account.weight < 1 || account.weight > 1000) {
    return fail(ErrorKind::invalid_input,
                fmt::format("weight {} is not in the range 1 to 1000", account.weight));
  }
  if (!account.allowed_recipients.empty()) {
    const auto before = questions_.account(account.key);
    if (!before) return fail(before.error());
    auto known = before->allowed_recipients == account.allowed_recipients
                     ? Result<void>()
                     : questions_.all_know(Novelty::allowed_recipients);
    if (!known) return fail(std::move(known.error()));
  }
  const auto done =
      session_.ask(kChangeAccount,
                   Params() << account.key << account.weight << account.suspended
                            << account.text_from_html << account.limits.requests_per_minute
                            << account.limits.mails_per_minute << account.limits.mails_per_day
                            << account.limits.mails_per_month << account.open_tracking
                            << account.preflight << std::string_view(account.allowed_recipients));
  if (!done) return fail(done.error());
  if (done->changes() == 0) return no_such_account();
  return changed(Topic::accounts);
}

Result<ApiKey> Changes::add_api_key(AccountKey account, const NewApiKey& key) {
  const auto id = session_.take_numbers(1);
  if (!id) return fail(id.error());
  const auto owner = session_.ask(kHoldAccount, Params() << account);
  if (!owner) return fail(owner.error());
  if (owner->empty()) return no_such_account();
  ApiKey made = made_of(key, *id, session_.now());
  const std::string networks = pack_networks(made.networks);
  const auto added =
      session_.ask(kAddApiKey, Params() << *id << account << std::string_view(made.label)
                                        << std::string_view(key.token_sha256) << made.created
                                        << made.scopes << std::string_view(networks) << made.expires
                                        << life_ms(made) << made.made_by);
  if (!added) return fail(added.error());
  if (added->changes() == 0) return fail(ErrorKind::conflict, "this token is in use already");
  if (auto told = changed(Topic::api_keys); !told) return fail(std::move(told.error()));
  return made;
}

Result<void> Changes::revoke_api_key(AccountKey account, std::int64_t id) {
  const auto done = session_.ask(kRevokeApiKey, Params() << account << id << session_.now());
  if (!done) return fail(done.error());
  if (done->changes() == 0) return fail(ErrorKind::not_found, "there is no such API key");
  return changed(Topic::api_keys);
}

Result<void> Changes::expire_api_key(AccountKey account, std::int64_t id, Milliseconds in) {
  const auto done = session_.ask(kExpireApiKey, Params() << account << id << session_.now() + in);
  if (!done) return fail(done.error());
  if (done->changes() == 0) {
    const auto there = session_.ask(kKeyIsThere, Params() << account << id);
    if (!there) return fail(there.error());
    if (there->empty()) return fail(ErrorKind::not_found, "there is no such API key");
    return fail(ErrorKind::conflict, "this API key is revoked");
  }
  return changed(Topic::api_keys);
}

// No change that anybody has to read anew (changes.h).
Result<void> Changes::use_api_keys(std::span<const std::int64_t> ids) {
  if (ids.empty()) return {};
  Column keys(kInt8);
  for (const std::int64_t id : ids) keys.add(id);
  const auto done = session_.ask(kUseApiKeys, Params() << keys << hour_of_use(session_.now()));
  if (!done) return fail(done.error());
  return {};
}

Result<void> Changes::put_dkim_key(const DkimKey& key) {
  const auto owner = session_.ask(kHoldAccount, Params() << key.account);
  if (!owner) return fail(owner.error());
  if (owner->empty()) return no_such_account();
  const auto done = session_.ask(
      kPutDkimKey, Params() << key.account << std::string_view(key.domain)
                            << std::string_view(key.selector) << std::string_view(key.algorithm)
                            << Octets{key.sealed_private_key} << std::string_view(key.dns_record)
                            << session_.now());
  if (!done) return fail(done.error());
  if (done->changes() == 0) {
    return fail(ErrorKind::conflict,
                fmt::format("there is a DKIM key {} of {} already", key.selector, key.domain));
  }
  return changed(Topic::dkim_keys);
}

Result<void> Changes::remove_dkim_key(AccountKey account, std::string_view domain,
                                      std::string_view selector) {
  const auto done = session_.ask(kRemoveDkimKey, Params() << account << domain << selector);
  if (!done) return fail(done.error());
  if (done->changes() == 0) return fail(ErrorKind::not_found, "there is no such DKIM key");
  return changed(Topic::dkim_keys);
}

}  // namespace todoku::store::postgres
