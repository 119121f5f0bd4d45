// SPDX-License-Identifier: Apache-2.0
// Operations on the user names and passwords of the SMTP relay.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/printable.h"
#include "mail/address.h"
#include "mail/scram_secrets.h"
#include "operate/account_names.h"
#include "operate/networks.h"
#include "operate/operations.h"
#include "store/credential_holds.h"

namespace todoku::operate {
namespace {

using store::SmtpCredential;

constexpr std::size_t kPasswordOctets = 16;  // 128 random bits
constexpr std::size_t kOwnPasswordMin = 12;
constexpr std::int64_t kPerMinuteMax = 10'000'000;
constexpr std::int64_t kBytesPerMinuteMax = 1'000'000'000'000;
constexpr std::int64_t kConnectionsMax = 100'000;
// (uid_t)-1 is nobody's: setreuid(2) and chown(2) mean by it that nothing changes.
constexpr std::int64_t kUidMax = 4'294'967'294;

Result<SubmissionOptionBits> read_options(std::string_view text) {
  SubmissionOptionBits bits = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view word = trim(text.substr(0, end));
    const SubmissionOptionName* const known = find_submission_option(word);
    if (known == nullptr) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("options has \"{}\", but they are {}", printable(word.substr(0, 100)),
                              submission_option_words()));
    }
    bits |= static_cast<SubmissionOptionBits>(known->option);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return bits;
}

Result<void> read_traffic(const std::string& word, store::SmtpCredentialSettings& settings) {
  if (word == "automatic") {
    settings.traffic.reset();
  } else if (word == "transactional") {
    settings.traffic = TrafficClass::transactional;
  } else if (word == "bulk") {
    settings.traffic = TrafficClass::bulk;
  } else {
    return fail(ErrorKind::invalid_input,
                fmt::format("traffic is \"{}\", but must be automatic, transactional or bulk",
                            printable(word.substr(0, 100))));
  }
  return {};
}

Result<void> read_purpose(const std::string& word, store::SmtpCredentialSettings& settings) {
  if (word == "automatic") {
    settings.purpose = Purpose::by_type;
    return {};
  }
  const auto purpose = parse_purpose(word);
  if (!purpose || *purpose == Purpose::by_type) {
    return fail(ErrorKind::invalid_input,
                fmt::format("purpose is \"{}\", but must be automatic, advertisement, notice or "
                            "transactional",
                            printable(word.substr(0, 100))));
  }
  settings.purpose = *purpose;
  return {};
}

struct Limit {
  std::string_view name;
  std::int64_t most = 0;
};

Result<void> read_limit(const Limit& limit, std::optional<std::int64_t> given,
                        std::int64_t& value) {
  if (!given) return {};
  if (*given < 0 || *given > limit.most) {
    return fail(ErrorKind::invalid_input,
                fmt::format("{} is {}, but must be from 0 to {}", limit.name, *given, limit.most));
  }
  value = *given;
  return {};
}

Result<void> read_limits(const SmtpTerms& terms, store::SmtpCredentialSettings& settings) {
  auto done = read_limit({"messages_per_minute", kPerMinuteMax}, terms.messages_per_minute,
                         settings.messages_per_minute);
  if (done) {
    done = read_limit({"recipients_per_minute", kPerMinuteMax}, terms.recipients_per_minute,
                      settings.recipients_per_minute);
  }
  if (done) {
    done = read_limit({"bytes_per_minute", kBytesPerMinuteMax}, terms.bytes_per_minute,
                      settings.octets_per_minute);
  }
  if (done) {
    done = read_limit({"connections_max", kConnectionsMax}, terms.connections_max,
                      settings.connections_max);
  }
  return done;
}

Result<void> read_uid(std::int64_t given, store::SmtpCredentialSettings& settings) {
  if (given < -1 || given > kUidMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("uid is {}, but must be from 0 to {}, or -1 for none", given, kUidMax));
  }
  settings.uid.reset();
  if (given >= 0) settings.uid = static_cast<std::uint32_t>(given);
  return {};
}

// What is not given stays as it is.
Result<void> apply(const SmtpTerms& terms, Instant now, store::SmtpCredentialSettings& settings) {
  Result<void> done;
  if (terms.traffic) done = read_traffic(*terms.traffic, settings);
  if (done && terms.purpose) done = read_purpose(*terms.purpose, settings);
  if (done) done = read_limits(terms, settings);
  if (done && terms.uid) done = read_uid(*terms.uid, settings);
  if (!done) return done;
  if (terms.options) {
    const auto bits = read_options(*terms.options);
    if (!bits) return fail(bits.error());
    settings.options = *bits;
  }
  if (terms.networks) {
    auto networks = read_networks(*terms.networks);
    if (!networks) return fail(std::move(networks.error()));
    settings.networks = std::move(*networks);
  }
  if (terms.from_address) {
    if (const auto address = parse_address(*terms.from_address);
        !address && !terms.from_address->empty()) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("from is not an address: it {}", address.error().detail));
    }
    settings.from_address = *terms.from_address;
  }
  if (terms.days) {
    settings.expires.reset();
    if (*terms.days > 0) settings.expires = now + std::chrono::days(*terms.days);
  }
  if (terms.show_client) settings.show_client = *terms.show_client;
  if (terms.bounces) settings.bounces = *terms.bounces;
  return {};
}

// Digits and letters alone: a sign that a command line takes for an option, or a shell or a URL for
// its own, would make a password that works in one client and not in the next. 32 of them, because
// devices have short fields.
std::string new_password() {
  return to_hex(random_octets(kPasswordOctets));
}

Result<std::string> chosen_password(const SecretText& given) {
  if (given.view().empty()) return new_password();
  if (given.view().size() < kOwnPasswordMin) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the password has at least {} characters", kOwnPasswordMin));
  }
  return std::string(given.view());
}

Result<SmtpCredentialView> view_in(store::ReadTransaction& reader, AccountNames& names,
                                   SmtpCredential credential, Instant now) {
  auto name = names.of(reader, credential.account);
  if (!name) return fail(std::move(name.error()));
  SmtpCredentialView view;
  view.account = name->value_or(std::string());
  view.expired = credential.settings.expires && *credential.settings.expires <= now;
  for (const SubmissionOptionName& each : kSubmissionOptions) {
    if (has_option(credential.settings.options, each.option)) {
      view.options.push_back(to_ascii_lower(each.name));
    }
  }
  view.credential = std::move(credential);
  return view;
}

// What was asked for by name, if it is of this account.
Result<SmtpCredential> owned(Result<SmtpCredential> found, store::AccountKey account,
                             const std::string& name) {
  if (found && found->account == account) return found;
  if (!found && found.error().kind != ErrorKind::not_found) return found;
  return fail(ErrorKind::not_found,
              fmt::format("the account has no SMTP credential {}", printable(name)));
}

std::unexpected<Error> is_revoked(const std::string& name) {
  return fail(ErrorKind::conflict, fmt::format("the SMTP credential {} is revoked", name));
}

Result<SmtpCredentialView> change_owned(store::WriteTransaction& writer,
                                        const store::Account& account, const std::string& name,
                                        Instant now, const auto& change) {
  auto found = owned(writer.hold_smtp_credential(name), account.key, name);
  if (!found) return fail(std::move(found.error()));
  const auto is_to_be_written = change(writer, *found);
  if (!is_to_be_written) return fail(is_to_be_written.error());
  if (*is_to_be_written) {
    auto done = writer.change_smtp_credential(*found);
    if (!done) return fail(std::move(done.error()));
  }
  AccountNames names;
  return view_in(writer.read(), names, std::move(*found), now);
}

// Those of the account are read only where somebody may not make as many as they like.
Result<SmtpCredential> grant_credential(store::WriteTransaction& writer,
                                        const SmtpCredential& credential, const MaybeGranter& by,
                                        Instant now) {
  if (!by) return writer.add_smtp_credential(credential);
  const auto may = check_held(by, static_cast<store::Scopes>(store::Scope::send));
  if (!may) return fail(may.error());
  const auto there = writer.read().smtp_credentials(credential.account, "", kGrantedEverMax);
  if (!there) return fail(there.error());
  const auto in_force = std::ranges::count_if(*there, [now](const SmtpCredential& each) {
    return !each.revoked && (!each.settings.expires || *each.settings.expires > now);
  });
  if (auto room = check_count(by, in_force, std::ssize(*there)); !room) return fail(room.error());
  auto added = writer.add_smtp_credential(credential);
  if (!added) return added;
  auto noted =
      note_by(writer, by, fmt::format("smtp_credential.add: {}", added->name), added->account);
  if (!noted) return fail(std::move(noted.error()));
  return added;
}

struct OwnDomains {
  bool is_one_proven = false;
  std::string unproven;  // where none is, one that is claimed; empty: none is
};

Result<OwnDomains> own_domains(store::ReadTransaction& reader, store::AccountKey account) {
  const store::DomainPlace before{.account = account, .domain = {}};
  const auto proven = reader.proven_domains(before, 1);
  if (!proven) return fail(proven.error());
  if (!proven->empty() && proven->front().account == account) return OwnDomains{true, {}};
  const auto claimed = reader.domains(before, 1);
  if (!claimed) return fail(claimed.error());
  if (claimed->empty() || claimed->front().account != account) return OwnDomains{};
  return OwnDomains{false, claimed->front().domain};
}

Result<bool> written(Result<void> made) {
  if (!made) return fail(std::move(made.error()));
  return true;
}

// The password before goes on for a time, if it is to. Two cannot: the one that would be dropped
// is promised to somebody.
Result<void> rotate(SmtpCredential& credential, const std::string& secret, Instant now,
                    Milliseconds overlap) {
  const bool goes_on = overlap.count() > 0;
  if (goes_on && credential.previous_until && *credential.previous_until > now) {
    return fail(ErrorKind::conflict,
                "the password before the last rotation still works; an overlap of 0 ends it and "
                "the one that is to be replaced");
  }
  credential.previous_secret = goes_on ? credential.secret : std::string();
  credential.previous_until.reset();
  if (goes_on) credential.previous_until = now + overlap;
  credential.secret = secret;
  return {};
}

}  // namespace

Task<Result<IssuedSmtpCredential>> Operations::add_smtp_credential(std::string account_name,
                                                                   std::string name,
                                                                   SmtpTerms terms,
                                                                   SecretText password,
                                                                   MaybeGranter by) {
  // "." and ".." go elsewhere in paths (RFC 3986 section 5.2.4).
  if (!store::is_smtp_credential_name(name) || name == "." || name == "..") {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("the user name has 1 to {} letters, digits and . _ @ + -, and is "
                               "not . or ..",
                               store::kSmtpCredentialNameMax));
  }
  auto found = co_await account_for_credentials(account_name);
  if (!found) co_return fail(std::move(found.error()));
  SmtpCredential credential{.account = found->key, .name = name};
  if (auto fit = apply(terms, store_.clock().now(), credential.settings); !fit) {
    co_return fail(std::move(fit.error()));
  }
  auto chosen = chosen_password(password);
  if (!chosen) co_return fail(std::move(chosen.error()));
  auto secrets = ScramSecrets::from_password(*chosen, random_octets(kScramSaltOctets));
  if (!secrets) co_return fail(std::move(secrets.error()));
  credential.secret = secrets->to_string();
  const auto domains = co_await store_.read(
      [key = found->key](store::ReadTransaction& reader) { return own_domains(reader, key); });
  if (!domains) co_return fail(domains.error());
  auto made =
      co_await store_.write(store::WritePriority::accept,
                            [credential, by, now = store_.clock().now()](
                                store::WriteTransaction& writer) -> Result<SmtpCredentialView> {
                              auto added = grant_credential(writer, credential, by, now);
                              if (!added) return fail(std::move(added.error()));
                              AccountNames names;
                              return view_in(writer.read(), names, std::move(*added), now);
                            });
  if (!made) co_return fail(std::move(made.error()));
  log::info("SMTP credential added", {{"account", account_name}, {"credential", name}});
  (void)co_await changed();
  IssuedSmtpCredential issued{.view = std::move(*made),
                              .password = {},
                              .has_domain = domains->is_one_proven,
                              .unproven_domain = domains->unproven};
  if (password.view().empty()) issued.password = std::move(*chosen);
  wipe(*chosen);
  co_return issued;
}

Task<Result<Page<SmtpCredentialView>>> Operations::smtp_credentials(std::string account_name,
                                                                    std::string after,
                                                                    std::int64_t limit) {
  std::optional<store::AccountKey> only;
  if (!account_name.empty()) {
    auto found = co_await account(account_name);
    if (!found) co_return fail(std::move(found.error()));
    only = found->key;
  }
  co_return co_await store_.read(
      [only, after, limit, now = store_.clock().now()](
          store::ReadTransaction& reader) -> Result<Page<SmtpCredentialView>> {
        auto credentials = reader.smtp_credentials(only, after, limit);
        if (!credentials) return fail(std::move(credentials.error()));
        Page<SmtpCredentialView> page;
        if (static_cast<std::int64_t>(credentials->size()) == limit) {
          page.next = credentials->back().name;
        }
        AccountNames names;
        for (SmtpCredential& each : *credentials) {
          auto view = view_in(reader, names, std::move(each), now);
          if (!view) return fail(std::move(view.error()));
          page.views.push_back(std::move(*view));
        }
        return page;
      });
}

Task<Result<SmtpCredentialView>> Operations::smtp_credential(std::string account_name,
                                                             std::string name) {
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  co_return co_await store_.read([key = found->key, name, now = store_.clock().now()](
                                     store::ReadTransaction& reader) -> Result<SmtpCredentialView> {
    auto credential = owned(reader.smtp_credential(name), key, name);
    if (!credential) return fail(std::move(credential.error()));
    AccountNames names;
    return view_in(reader, names, std::move(*credential), now);
  });
}

Task<Result<SmtpCredentialView>> Operations::change_smtp_credential(std::string account_name,
                                                                    std::string name,
                                                                    SmtpTerms terms) {
  const Instant now = store_.clock().now();
  SmtpChange change{
      .event = "SMTP credential changed",
      .work = [terms = std::move(terms), name, now](store::WriteTransaction&,
                                                    SmtpCredential& credential) -> Result<bool> {
        if (credential.revoked) return is_revoked(name);
        return written(apply(terms, now, credential.settings));
      }};
  co_return co_await alter_smtp_credential(account_name, name, std::move(change));
}

Task<Result<IssuedSmtpCredential>> Operations::rotate_smtp_credential(std::string account_name,
                                                                      std::string name,
                                                                      std::int64_t overlap_hours,
                                                                      SecretText password,
                                                                      MaybeGranter by) {
  const auto may = check_held(by, static_cast<store::Scopes>(store::Scope::send));
  if (!may) co_return fail(may.error());
  const auto open = co_await account_for_credentials(account_name);
  if (!open) co_return fail(open.error());
  auto chosen = chosen_password(password);
  if (!chosen) co_return fail(std::move(chosen.error()));
  const auto now_there = co_await smtp_credential(account_name, name);
  if (!now_there) co_return fail(now_there.error());
  // An exchange by SCRAM names one salt, which both have (mail/scram_secrets.h); a credential's
  // stays the same. The work of a password is none for the writer of the store.
  const auto before = ScramSecrets::parse(now_there->credential.secret);
  if (!before) co_return fail(before.error());
  const auto secrets = ScramSecrets::from_password(*chosen, before->salt, before->iterations);
  if (!secrets) co_return fail(secrets.error());
  SmtpChange change{
      .event = "SMTP credential rotated",
      .work = [secret = secrets->to_string(), name, now = store_.clock().now(),
               overlap = std::chrono::hours(overlap_hours)](
                  store::WriteTransaction&, SmtpCredential& credential) -> Result<bool> {
        if (credential.revoked) return is_revoked(name);
        return written(rotate(credential, secret, now, overlap));
      },
      .action = "smtp_credential.rotate",
      .by = std::move(by)};
  auto changed_one = co_await alter_smtp_credential(account_name, name, std::move(change));
  if (!changed_one) co_return fail(std::move(changed_one.error()));
  IssuedSmtpCredential issued{.view = std::move(*changed_one), .password = {}};
  if (password.view().empty()) issued.password = std::move(*chosen);
  wipe(*chosen);
  co_return issued;
}

Task<Result<SmtpCredentialView>> Operations::revoke_smtp_credential(std::string account_name,
                                                                    std::string name,
                                                                    MaybeGranter by) {
  SmtpChange change{
      .event = "SMTP credential revoked",
      .work = [now = store_.clock().now()](store::WriteTransaction&,
                                           SmtpCredential& credential) -> Result<bool> {
        if (!credential.revoked) credential.revoked = now;
        return true;
      },
      .action = "smtp_credential.end",
      .by = std::move(by)};
  co_return co_await alter_smtp_credential(account_name, name, std::move(change));
}

Task<Result<SmtpCredentialView>> Operations::hold_smtp_credential(std::string account_name,
                                                                  std::string name,
                                                                  std::string because) {
  if (because.empty()) because = "it was held by hand";
  SmtpChange change{
      .event = "SMTP credential held",
      .work = [because = std::move(because), now = store_.clock().now()](
                  store::WriteTransaction& writer, SmtpCredential& credential) -> Result<bool> {
        const auto held = store::hold_credential(writer, credential, because, now);
        if (!held) return fail(held.error());
        return false;
      }};
  co_return co_await alter_smtp_credential(account_name, name, std::move(change));
}

Task<Result<SmtpCredentialView>> Operations::release_smtp_credential(std::string account_name,
                                                                     std::string name,
                                                                     MaybeGranter by) {
  SmtpChange change{
      .event = "SMTP credential released",
      .work = [now = store_.clock().now()](store::WriteTransaction& writer,
                                           SmtpCredential& credential) -> Result<bool> {
        const auto released = store::release_credential(writer, credential, now);
        if (!released) return fail(released.error());
        return false;
      },
      .action = "smtp_credential.release",
      .by = std::move(by)};
  co_return co_await alter_smtp_credential(account_name, name, std::move(change));
}

Task<Result<SmtpCredentialView>> Operations::alter_smtp_credential(std::string account_name,
                                                                   std::string name,
                                                                   SmtpChange change) {
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  auto done = co_await store_.write(
      store::WritePriority::accept,
      [account = *found, name, now = store_.clock().now(),
       change](store::WriteTransaction& writer) -> Result<SmtpCredentialView> {
        auto view = change_owned(writer, account, name, now, change.work);
        if (!view) return view;
        auto noted =
            note_by(writer, change.by, fmt::format("{}: {}", change.action, name), account.key);
        if (!noted) return fail(std::move(noted.error()));
        return view;
      });
  if (!done) co_return done;
  log::info(change.event, {{"account", account_name}, {"credential", name}});
  (void)co_await changed();
  co_return done;
}

}  // namespace todoku::operate
