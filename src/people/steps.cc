// SPDX-License-Identifier: Apache-2.0
#include "people/steps.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "access/roles.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "mail/address.h"
#include "mail/invisible.h"
#include "mail/suppression.h"

namespace todoku::people {
namespace {

constexpr std::size_t kTokenOctets = 32;
constexpr unsigned kNetworkBits4 = 24;
constexpr unsigned kNetworkBits6 = 64;

// What makes two names look alike, or one like another. Not what belongs to a name: the wide space
// between Japanese ones, variants of characters (UTS 37), joiners of Persian and Indic scripts.
bool hides_in_name(char32_t character) {
  const bool belongs = character == U' ' || character == U'\u3000' || character == U'\u200C' ||
                       character == U'\u200D' || (character >= 0xFE00 && character <= 0xFE0F) ||
                       (character >= 0xE0100 && character <= 0xE01EF);
  return !belongs && is_invisible(character);
}

bool has_hidden(std::string_view name) {
  while (!name.empty()) {
    const CodePoint point = decode_utf8(name);
    if (point.octets == 0 || hides_in_name(point.value)) return true;
    name.remove_prefix(point.octets);
  }
  return false;
}

std::unexpected<Error> signed_out() {
  return stop(ErrorKind::unauthorized, texts::kSignedOut);
}

// Of an account that is not there any more nobody is signed in.
Result<std::optional<store::Account>> account_for(store::ReadTransaction& reader,
                                                  const store::Person& person,
                                                  const store::SignIn& sign_in) {
  const bool is_operator = person.role == store::Role::operator_;
  const store::AccountKey key = is_operator ? sign_in.acting_for : person.account;
  if (key == store::AccountKey{}) {
    if (!is_operator) return signed_out();
    return std::nullopt;
  }
  auto account = reader.account(key);
  if (account) return std::optional(std::move(*account));
  if (account.error().kind != ErrorKind::not_found) return fail(std::move(account.error()));
  if (!is_operator) return signed_out();
  return std::nullopt;
}

// What of it was done, a line of the audit each.
std::vector<std::string> apply(store::Person& person, const PersonChange& change) {
  std::vector<std::string> actions;
  if (change.role && *change.role != person.role) {
    person.role = *change.role;
    actions.push_back(
        fmt::format("{} {}", about("person.role", person), access::to_string(person.role)));
  }
  if (change.suspended && *change.suspended != person.suspended) {
    person.suspended = *change.suspended;
    actions.push_back(about(person.suspended ? "person.suspend" : "person.release", person));
  }
  if (change.name && *change.name != person.name) {
    person.name = *change.name;
    actions.push_back(about("person.name", person));
  }
  return actions;
}

void drop_secrets(store::Person& person) {
  person.password_hash.clear();
  person.sealed_totp.clear();
  person.sealed_totp_offered.clear();
  person.recovery.clear();
}

}  // namespace

By By::person(const store::Person& person, const Visitor& visitor) {
  return {.actor = actor_of(person), .from = visitor.from.to_string()};
}

Result<void> note(store::WriteTransaction& transaction, const By& by, std::string_view action,
                  store::AccountKey account, std::string_view about) {
  store::AuditEntry entry;
  entry.actor = utf8_prefix(by.actor, store::kAuditTextMax);
  entry.action = utf8_prefix(action, store::kAuditTextMax);
  entry.account = account;
  entry.origin = by.from;
  return transaction.add_audit(entry, about);
}

std::string about(std::string_view action, const store::Person& person) {
  if (person.key == store::PersonKey{}) return std::string(action);
  return fmt::format("{} {}", action, static_cast<std::int64_t>(person.key));
}

Result<void> change_person(store::WriteTransaction& transaction, const By& by,
                           store::Person& person, const PersonChange& change) {
  const store::Role role = person.role;
  const bool was_suspended = person.suspended;
  const auto actions = apply(person, change);
  if (auto changed = transaction.change_person(person); !changed) return changed;
  if (role != person.role || (person.suspended && !was_suspended)) {
    auto ended = transaction.end_sign_ins(person.key, store::SignInKey{});
    if (!ended) return fail(std::move(ended.error()));
  }
  if (person.suspended) {
    if (auto gone = transaction.void_links(person.key); !gone) return gone;
  }
  for (const std::string& action : actions) {
    if (auto noted = note(transaction, by, action, person.account, person.address()); !noted) {
      return noted;
    }
  }
  return {};
}

Result<void> note_added(store::WriteTransaction& transaction, const By& by,
                        const store::Person& person) {
  return note(transaction, by,
              fmt::format("{} {}", about("person.add", person), access::to_string(person.role)),
              person.account, person.address());
}

Result<void> remove_person(store::WriteTransaction& transaction, const By& by,
                           const store::Person& person) {
  if (auto removed = transaction.remove_person(person.key); !removed) return removed;
  return note(transaction, by, about("person.remove", person), person.account, person.address());
}

net::IpAddress network_of(const net::IpAddress& from) {
  return net::Network(from, from.is_v4() ? kNetworkBits4 : kNetworkBits6).prefix();
}

access::Passwords::Owner owner_of(const net::IpAddress& from) {
  return static_cast<access::Passwords::Owner>(fnv1a64(as_text(network_of(from).octets())) >> 1U);
}

std::string new_token() {
  return to_base64url(random_octets(kTokenOctets));
}

std::string totp_context(store::PersonKey key) {
  return fmt::format("person/{}/totp", static_cast<std::int64_t>(key));
}

Result<store::SignInRules> rules_of(store::ReadTransaction& reader, store::AccountKey account) {
  auto rules = reader.sign_in_rules(account);
  if (!rules && rules.error().kind == ErrorKind::not_found) return store::SignInRules{};
  return rules;
}

std::vector<net::Network> networks_of(const store::SignInRules& rules) {
  std::vector<net::Network> networks;
  for (const std::string& text : rules.networks) {
    if (auto network = net::Network::parse(text)) networks.push_back(*network);
  }
  if (networks.empty() && !rules.networks.empty()) networks.emplace_back(net::IpAddress(), 32U);
  return networks;
}

bool is_admitted(const store::SignInRules& rules, const net::IpAddress& from) {
  return rules.networks.empty() || net::contain(networks_of(rules), from);
}

Result<SignedIn> read_signed_in(store::ReadTransaction& reader, const std::string& token_sha256) {
  auto sign_in = reader.sign_in(token_sha256);
  if (!sign_in) {
    if (sign_in.error().kind == ErrorKind::not_found) return signed_out();
    return fail(std::move(sign_in.error()));
  }
  auto person = reader.person(sign_in->person);
  if (!person) return fail(std::move(person.error()));
  if (person->suspended) return signed_out();
  const auto rules = rules_of(reader, person->account);
  if (!rules) return fail(rules.error());
  auto account = account_for(reader, *person, *sign_in);
  if (!account) return fail(std::move(account.error()));
  SignedIn who;
  who.has_second_factor = !person->sealed_totp.empty();
  who.recovery_left = person->recovery.size();
  who.second_factor_required = rules->second_factor;
  who.networks = networks_of(*rules);
  who.scopes = access::scopes_of(person->role);
  drop_secrets(*person);
  who.person = std::move(*person);
  who.sign_in = std::move(*sign_in);
  who.account = std::move(*account);
  return who;
}

Result<store::Person> hold_actor(store::WriteTransaction& transaction, const SignedIn& who) {
  auto person = transaction.hold_person(who.person.key);
  if (!person) {
    if (person.error().kind == ErrorKind::not_found) return signed_out();
    return person;
  }
  if (person->suspended || person->role != who.person.role) return signed_out();
  const auto sign_in = transaction.read().sign_in(who.sign_in.token_sha256);
  if (!sign_in) {
    if (sign_in.error().kind == ErrorKind::not_found) return signed_out();
    return fail(sign_in.error());
  }
  return person;
}

Result<store::AccountKey> looked_after(const SignedIn& who) {
  if (!store::has(who.scopes, store::Scope::admin)) {
    return stop(ErrorKind::unauthorized, texts::kMayNot);
  }
  return account_of(who);
}

Result<void> begin(store::WriteTransaction& transaction, const store::Person& person,
                   const std::string& token_sha256, const Visitor& visitor) {
  const bool is_half = !person.sealed_totp.empty();
  store::NewSignIn wanted;
  wanted.person = person.key;
  wanted.token_sha256 = token_sha256;
  wanted.half = is_half;
  wanted.idle = is_half ? kHalfLife : kIdle;
  wanted.life = is_half ? kHalfLife : kLife;
  wanted.from = visitor.from.to_string();
  wanted.agent = utf8_prefix(printable(utf8_prefix(visitor.agent, store::kSignInAgentMax)),
                             store::kSignInAgentMax);
  auto made = transaction.add_sign_in(wanted);
  if (!made) return fail(std::move(made.error()));
  return {};
}

Result<void> go_on(store::WriteTransaction& transaction, const SignedIn& who,
                   const std::string& token_sha256) {
  auto ended = transaction.end_sign_ins(who.person.key, who.sign_in.key);
  if (!ended) return fail(std::move(ended.error()));
  auto rotated = transaction.rotate_sign_in(who.sign_in.key, token_sha256, false, kIdle, kLife);
  if (!rotated) return fail(std::move(rotated.error()));
  return {};
}

Result<std::string> read_email(std::string_view text) {
  const auto address = parse_address(trim(text));
  if (!address) return stop(ErrorKind::invalid_input, texts::kBadAddress);
  return subject_of_address(address->to_string());
}

Result<std::string> read_name(std::string_view text) {
  const std::string_view name = trim(text);
  if (name.empty() || !is_utf8(name) || utf8_length(name) > store::kPersonNameMax ||
      printable(name) != name || trim_invisible(name).empty() || has_hidden(name)) {
    return stop(ErrorKind::invalid_input, texts::kBadName);
  }
  return std::string(name);
}

Result<std::string> read_language(std::string_view text) {
  if (text != "ja" && text != "en") return stop(ErrorKind::invalid_input, texts::kBadLanguage);
  return std::string(text);
}

PersonView view_of(const store::Person& person) {
  return {.key = person.key,
          .email = person.address(),
          .name = person.name,
          .role = person.role,
          .language = person.language,
          .suspended = person.suspended,
          .confirmed = person.confirmed,
          .seen = person.seen,
          .second_factor = !person.sealed_totp.empty(),
          .invited = person.password_hash.empty()};
}

}  // namespace todoku::people
