// SPDX-License-Identifier: Apache-2.0
// Operations on the user names and passwords of the SMTP relay.
#include <algorithm>
#include <array>
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

namespace todoku::operate {
namespace {

using store::SmtpCredential;
using store::SubmissionOption;

constexpr std::size_t kPasswordOctets = 24;  // 192 random bits
constexpr std::size_t kOwnPasswordMin = 12;
constexpr std::int64_t kPerMinuteMax = 10'000'000;

struct OptionWord {
  std::string_view word;
  SubmissionOption option;
};
constexpr std::array<OptionWord, 6> kOptionWords{{
    {"tag", SubmissionOption::tag},
    {"purpose", SubmissionOption::purpose},
    {"send-at", SubmissionOption::send_at},
    {"expires-in", SubmissionOption::expires_in},
    {"list-id", SubmissionOption::list_id},
    {"idempotency-key", SubmissionOption::idempotency_key},
}};

Result<store::SubmissionOptionBits> read_options(std::string_view text) {
  store::SubmissionOptionBits bits = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view word = trim(text.substr(0, end));
    const auto known = std::ranges::find(kOptionWords, word, &OptionWord::word);
    if (known == kOptionWords.end()) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("options has \"{}\", but they are tag, purpose, send-at, expires-in, "
                              "list-id and idempotency-key",
                              printable(word.substr(0, 100))));
    }
    bits |= static_cast<store::SubmissionOptionBits>(known->option);
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

Result<void> read_limit(std::string_view name, std::optional<std::int64_t> given,
                        std::int64_t& limit) {
  if (!given) return {};
  if (*given < 0 || *given > kPerMinuteMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("{} is {}, but must be from 0 to {}", name, *given, kPerMinuteMax));
  }
  limit = *given;
  return {};
}

// What is not given stays as it is.
Result<void> apply(const SmtpTerms& terms, Instant now, store::SmtpCredentialSettings& settings) {
  Result<void> done;
  if (terms.traffic) done = read_traffic(*terms.traffic, settings);
  if (done && terms.purpose) done = read_purpose(*terms.purpose, settings);
  if (done)
    done =
        read_limit("messages_per_minute", terms.messages_per_minute, settings.messages_per_minute);
  if (done)
    done = read_limit("recipients_per_minute", terms.recipients_per_minute,
                      settings.recipients_per_minute);
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
  if (terms.days) settings.expires = now + std::chrono::days(*terms.days);
  if (terms.show_client) settings.show_client = *terms.show_client;
  if (terms.bounces) settings.bounces = *terms.bounces;
  return {};
}

Result<ScramSecrets> secrets_of(std::string_view password, const std::string& salt) {
  return ScramSecrets::from_password(password, salt);
}

std::string new_password() {
  std::string password = to_base64(random_octets(kPasswordOctets));
  std::ranges::replace(password, '+', '-');
  std::ranges::replace(password, '/', '_');
  return password;
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
  for (const OptionWord& each : kOptionWords) {
    if ((credential.settings.options & static_cast<std::uint32_t>(each.option)) != 0) {
      view.options.emplace_back(each.word);
    }
  }
  view.credential = std::move(credential);
  return view;
}

// Of this account and this name.
Result<SmtpCredential> owned(store::ReadTransaction& reader, store::AccountKey account,
                             const std::string& name) {
  auto found = reader.smtp_credential(name);
  if (found && found->account == account) return found;
  if (!found && found.error().kind != ErrorKind::not_found) return found;
  return fail(ErrorKind::not_found,
              fmt::format("the account has no SMTP credential {}", printable(name)));
}

using Change = std::function<Result<void>(SmtpCredential&)>;

Result<SmtpCredentialView> change_owned(store::WriteTransaction& writer,
                                        const store::Account& account, const std::string& name,
                                        Instant now, const Change& change) {
  auto found = owned(writer.read(), account.key, name);
  if (!found) return fail(std::move(found.error()));
  if (found->revoked) {
    return fail(ErrorKind::conflict, fmt::format("the SMTP credential {} is revoked", name));
  }
  if (auto done = change(*found); !done) return fail(std::move(done.error()));
  if (auto done = writer.change_smtp_credential(*found); !done)
    return fail(std::move(done.error()));
  AccountNames names;
  return view_in(writer.read(), names, std::move(*found), now);
}

}  // namespace

Task<Result<IssuedSmtpCredential>> Operations::add_smtp_credential(std::string account_name,
                                                                   std::string name,
                                                                   SmtpTerms terms,
                                                                   SecretText password) {
  if (!store::is_smtp_credential_name(name)) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("the user name has 1 to {} letters, digits and . _ @ + -",
                               store::kSmtpCredentialNameMax));
  }
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  SmtpCredential credential{.account = found->key, .name = name};
  if (auto fit = apply(terms, clock_.now(), credential.settings); !fit) {
    co_return fail(std::move(fit.error()));
  }
  auto chosen = chosen_password(password);
  if (!chosen) co_return fail(std::move(chosen.error()));
  auto secrets = secrets_of(*chosen, random_octets(kScramSaltOctets));
  if (!secrets) co_return fail(std::move(secrets.error()));
  credential.secret = secrets->to_string();
  auto made =
      co_await store_.write(store::WritePriority::accept,
                            [credential, now = clock_.now()](
                                store::WriteTransaction& writer) -> Result<SmtpCredentialView> {
                              auto added = writer.add_smtp_credential(credential);
                              if (!added) return fail(std::move(added.error()));
                              AccountNames names;
                              return view_in(writer.read(), names, std::move(*added), now);
                            });
  if (!made) co_return fail(std::move(made.error()));
  log::info("SMTP credential added", {{"account", account_name}, {"credential", name}});
  (void)co_await changed();
  IssuedSmtpCredential issued{.view = std::move(*made), .password = {}};
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
      [only, after, limit,
       now = clock_.now()](store::ReadTransaction& reader) -> Result<Page<SmtpCredentialView>> {
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

Task<Result<SmtpCredentialView>> Operations::change_smtp_credential(std::string account_name,
                                                                    std::string name,
                                                                    SmtpTerms terms) {
  const Instant now = clock_.now();
  co_return co_await alter_smtp_credential(
      account_name, name, "SMTP credential changed",
      [terms = std::move(terms), now](SmtpCredential& credential) {
        return apply(terms, now, credential.settings);
      });
}

Task<Result<IssuedSmtpCredential>> Operations::rotate_smtp_credential(std::string account_name,
                                                                      std::string name,
                                                                      std::int64_t overlap_hours,
                                                                      SecretText password) {
  auto chosen = chosen_password(password);
  if (!chosen) co_return fail(std::move(chosen.error()));
  const Instant until = clock_.now() + std::chrono::hours(overlap_hours);
  auto changed_one = co_await alter_smtp_credential(
      account_name, name, "SMTP credential rotated",
      [word = *chosen, until, overlap_hours](SmtpCredential& credential) -> Result<void> {
        const auto before = ScramSecrets::parse(credential.secret);
        if (!before) return fail(before.error());
        // An exchange by SCRAM names one salt, which both have (mail/scram_secrets.h).
        const auto secrets = secrets_of(word, before->salt);
        if (!secrets) return fail(secrets.error());
        credential.previous_secret = overlap_hours > 0 ? credential.secret : std::string();
        credential.previous_until =
            overlap_hours > 0 ? std::optional(until) : std::optional<Instant>();
        credential.secret = secrets->to_string();
        return {};
      });
  if (!changed_one) co_return fail(std::move(changed_one.error()));
  IssuedSmtpCredential issued{.view = std::move(*changed_one), .password = {}};
  if (password.view().empty()) issued.password = *chosen;
  wipe(*chosen);
  co_return issued;
}

Task<Result<SmtpCredentialView>> Operations::revoke_smtp_credential(std::string account_name,
                                                                    std::string name) {
  co_return co_await alter_smtp_credential(
      account_name, name, "SMTP credential revoked",
      [now = clock_.now()](SmtpCredential& credential) -> Result<void> {
        credential.revoked = now;
        return {};
      });
}

Task<Result<SmtpCredentialView>> Operations::alter_smtp_credential(
    std::string account_name, std::string name, std::string_view event,
    std::function<Result<void>(store::SmtpCredential&)> change) {
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  auto done = co_await store_.write(store::WritePriority::accept,
                                    [account = *found, name, now = clock_.now(),
                                     change = std::move(change)](store::WriteTransaction& writer) {
                                      return change_owned(writer, account, name, now, change);
                                    });
  if (!done) co_return done;
  log::info(event, {{"account", account_name}, {"credential", name}});
  (void)co_await changed();
  co_return done;
}

}  // namespace todoku::operate
