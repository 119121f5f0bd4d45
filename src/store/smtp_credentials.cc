// SPDX-License-Identifier: Apache-2.0
#include "store/smtp_credentials.h"

#include <algorithm>

#include "store/codec.h"
#include "store/texts.h"

namespace todoku::store {
namespace {

constexpr std::uint64_t kShowClient = 1;
constexpr std::uint64_t kBounces = 2;
constexpr std::uint64_t kTrafficMax = 1 + static_cast<std::uint64_t>(TrafficClass::bulk);
constexpr auto kPurposeMax = static_cast<std::uint64_t>(Purpose::transactional);
constexpr std::uint64_t kCredentialForm = 2;  // of what is packed; later ones add at the end
constexpr std::uint64_t kFormWithOctets = 2;

}  // namespace

bool is_smtp_credential_name(std::string_view name) {
  constexpr std::string_view kOthers = "._@+-";
  return !name.empty() && name.size() <= kSmtpCredentialNameMax &&
         std::ranges::all_of(name, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kOthers.contains(c);
         });
}

std::unexpected<Error> too_many_smtp_credentials() {
  return fail(
      ErrorKind::limit_exceeded,
      "an account has at most " + std::to_string(kSmtpCredentialsMax) + " SMTP credentials");
}

std::unexpected<Error> smtp_credential_name_taken() {
  return fail(ErrorKind::conflict,
              "this user name is taken; it may be another account's, or one that was revoked");
}

std::unexpected<Error> smtp_credential_uid_taken() {
  return fail(ErrorKind::conflict, "another SMTP credential is this user's; revoke it first");
}

Result<void> check_sound(const SmtpCredential& credential) {
  if (!is_smtp_credential_name(credential.name)) {
    return fail(ErrorKind::invalid_input, "this cannot be the user name of an SMTP credential");
  }
  const SmtpCredentialSettings& settings = credential.settings;
  if (settings.messages_per_minute < 0 || settings.recipients_per_minute < 0 ||
      settings.octets_per_minute < 0 || settings.connections_max < 0) {
    return fail(ErrorKind::invalid_input, "a limit of an SMTP credential is below 0");
  }
  auto sound = check_text("From of an SMTP credential", settings.from_address);
  if (sound) sound = check_text("secret of an SMTP credential", credential.secret);
  if (sound) sound = check_text("secret of an SMTP credential", credential.previous_secret);
  if (sound) sound = check_text("reason of a hold", credential.held_because);
  return sound;
}

std::string pack_smtp_settings(const SmtpCredentialSettings& settings) {
  std::string packed;
  put_varint(packed, kCredentialForm);
  put_varint(packed, settings.traffic ? 1 + static_cast<std::uint64_t>(*settings.traffic) : 0);
  put_varint(packed, static_cast<std::uint64_t>(settings.purpose));
  put_varint(packed, settings.options);
  put_varint(packed, (settings.show_client ? kShowClient : 0) | (settings.bounces ? kBounces : 0));
  put_varint(packed,
             settings.expires ? static_cast<std::uint64_t>(to_epoch_ms(*settings.expires)) : 0);
  put_varint(packed, static_cast<std::uint64_t>(settings.messages_per_minute));
  put_varint(packed, static_cast<std::uint64_t>(settings.recipients_per_minute));
  put_text(packed, settings.from_address);
  put_varint(packed, settings.networks.size());
  for (const std::string& network : settings.networks) put_text(packed, network);
  put_varint(packed, static_cast<std::uint64_t>(settings.connections_max));
  put_varint(packed, static_cast<std::uint64_t>(settings.octets_per_minute));
  return packed;
}

Result<SmtpCredentialSettings> unpack_smtp_settings(std::string_view packed) {
  BlobReader in(packed);
  SmtpCredentialSettings settings;
  const std::uint64_t form = in.varint();
  const std::uint64_t traffic = in.varint();
  if (traffic > 0) settings.traffic = static_cast<TrafficClass>(traffic - 1);
  const std::uint64_t purpose = in.varint();
  settings.purpose = static_cast<Purpose>(purpose);
  settings.options = static_cast<SubmissionOptionBits>(in.varint());
  const std::uint64_t flags = in.varint();
  settings.show_client = (flags & kShowClient) != 0;
  settings.bounces = (flags & kBounces) != 0;
  const auto expires = static_cast<std::int64_t>(in.varint());
  if (expires > 0) settings.expires = from_epoch_ms(expires);
  settings.messages_per_minute = static_cast<std::int64_t>(in.varint());
  settings.recipients_per_minute = static_cast<std::int64_t>(in.varint());
  settings.from_address = in.text();
  for (std::uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    settings.networks.emplace_back(in.text());
  }
  settings.connections_max = static_cast<std::int64_t>(in.varint());
  if (form >= kFormWithOctets) settings.octets_per_minute = static_cast<std::int64_t>(in.varint());
  if (in.failed() || traffic > kTrafficMax || purpose > kPurposeMax) {
    return fail(ErrorKind::corrupt, "damaged settings of an SMTP credential in the store");
  }
  return settings;
}

}  // namespace todoku::store
