// SPDX-License-Identifier: Apache-2.0
#include "store/people.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "mail/suppression.h"
#include "store/codec.h"
#include "store/texts.h"

namespace todoku::store {
namespace {

constexpr std::size_t kSha256HexDigits = 64;
constexpr std::size_t kNetworkOctetsMax = 50;  // an IPv6 network in full has 43
constexpr std::uint64_t kRecoveryForm = 1;     // of what is packed; later ones add at the end

bool is_sha256_hex(std::string_view text) {
  return text.size() == kSha256HexDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// What a person is known by, new or not.
Result<void> check_described(const NewPerson& person) {
  const auto subject = stop_subject(person.email);
  if (!subject || *subject != person.email || person.email.starts_with('@')) {
    return fail(ErrorKind::invalid_input, "the address of a person is not in its canonical form");
  }
  const auto real = stop_subject(person.stands_for);
  if (!person.stands_for.empty() && (!real || *real != person.stands_for)) {
    return fail(ErrorKind::invalid_input, "the address of a person is not in its canonical form");
  }
  if (auto sound = check_text("name of a person", person.name); !sound) return sound;
  if (utf8_length(person.name) > kPersonNameMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the name of a person has at most {} characters", kPersonNameMax));
  }
  if (person.language != "ja" && person.language != "en") {
    return fail(ErrorKind::invalid_input, "the language of a person is ja or en");
  }
  if (!unpack_role(static_cast<std::int64_t>(person.role))) {
    return fail(ErrorKind::invalid_input, "there is no such role");
  }
  if ((person.role == Role::operator_) != (person.account == AccountKey{})) {
    return fail(ErrorKind::invalid_input, "operators, and nobody else, belong to no account");
  }
  return {};
}

}  // namespace

Result<void> check_sound(const NewPerson& wanted) {
  return check_described(wanted);
}

Result<void> check_sound(const Person& person) {
  auto sound = check_described({.account = person.account,
                                .email = person.email,
                                .name = person.name,
                                .role = person.role,
                                .language = person.language,
                                .stands_for = person.stands_for});
  if (sound) sound = check_text("password hash", person.password_hash);
  if (!sound) return sound;
  if (person.recovery.size() > kRecoveryCodesMax ||
      !std::ranges::all_of(person.recovery, is_sha256_hex)) {
    return fail(ErrorKind::invalid_input,
                fmt::format("a person has at most {} recovery codes, of which hashes are kept",
                            kRecoveryCodesMax));
  }
  return {};
}

Result<void> check_sound(const NewSignIn& wanted) {
  auto sound = check_token(wanted.token_sha256);
  if (sound) sound = check_text("address of a client", wanted.from);
  if (sound) sound = check_text("name of a browser", wanted.agent);
  return sound;
}

Result<void> check_sound(const SignInRules& rules) {
  if (rules.networks.size() > kSignInNetworksMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("an account names at most {} networks", kSignInNetworksMax));
  }
  for (const std::string& network : rules.networks) {
    if (network.empty() || network.size() > kNetworkOctetsMax || network.contains(' ')) {
      return fail(ErrorKind::invalid_input, "this is no network");
    }
    if (auto sound = check_text("network", network); !sound) return sound;
  }
  return {};
}

Result<void> check_token(std::string_view token_sha256) {
  if (is_sha256_hex(token_sha256)) return {};
  return fail(ErrorKind::invalid_input, "of a token its SHA-256 is kept, in hexadecimal");
}

Result<void> check_kept_text(std::string_view place, std::string_view text) {
  if (place.empty() || place.size() > kKeptTextPlaceMax) {
    return fail(
        ErrorKind::invalid_input,
        fmt::format("the place of a text that is kept has 1 to {} octets", kKeptTextPlaceMax));
  }
  if (text.size() > kKeptTextOctetsMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("a text that is kept has at most {} octets", kKeptTextOctetsMax));
  }
  auto sound = check_text("place of a text", place);
  if (sound) sound = check_text("text", text);
  return sound;
}

std::string pack_recovery(const std::vector<std::string>& codes) {
  std::string packed;
  put_varint(packed, kRecoveryForm);
  put_varint(packed, codes.size());
  for (const std::string& code : codes) put_text(packed, code);
  return packed;
}

Result<std::vector<std::string>> unpack_recovery(std::string_view packed) {
  BlobReader in(packed);
  std::vector<std::string> codes;
  const std::uint64_t form = in.varint();
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    codes.emplace_back(in.text());
  }
  if (in.failed() || form == 0) {
    return fail(ErrorKind::corrupt, "damaged recovery codes of a person in the store");
  }
  return codes;
}

Result<Role> unpack_role(std::int64_t number) {
  if (number >= static_cast<std::int64_t>(Role::operator_) &&
      number <= static_cast<std::int64_t>(Role::support)) {
    return static_cast<Role>(number);
  }
  return fail(ErrorKind::corrupt, "a person in the store has a role that is not known");
}

Result<LinkPurpose> unpack_link_purpose(std::int64_t number) {
  if (number >= static_cast<std::int64_t>(LinkPurpose::first_operator) &&
      number <= static_cast<std::int64_t>(LinkPurpose::confirm)) {
    return static_cast<LinkPurpose>(number);
  }
  return fail(ErrorKind::corrupt, "a link in the store has a purpose that is not known");
}

std::unexpected<Error> no_such_person() {
  return fail(ErrorKind::not_found, "there is no such person");
}

std::unexpected<Error> no_such_sign_in() {
  return fail(ErrorKind::not_found, "nobody is signed in with it, or it is over");
}

std::unexpected<Error> no_such_link() {
  return fail(ErrorKind::not_found, "there is no such link, or it was used, or it is over");
}

std::unexpected<Error> too_many_people() {
  return fail(ErrorKind::limit_exceeded,
              fmt::format("an account, and the installation, has at most {} people", kPeopleMax));
}

std::unexpected<Error> person_email_taken() {
  return fail(ErrorKind::conflict, "another person has this address");
}

std::unexpected<Error> last_in_charge() {
  return fail(ErrorKind::conflict,
              fmt::format("{}: nobody would be left who can sign in as owner of the account, or as "
                          "operator; give somebody else the role first",
                          kLastInCharge));
}

std::unexpected<Error> sign_in_token_taken() {
  return fail(ErrorKind::conflict, "this token is in use");
}

}  // namespace todoku::store
