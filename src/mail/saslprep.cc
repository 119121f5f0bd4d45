// SPDX-License-Identifier: Apache-2.0
#include "mail/saslprep.h"

#include <algorithm>

#include <unicode/usprep.h>
#include <unicode/ustring.h>

#include "base/bytes.h"
#include "base/wipe.h"

namespace todoku {
namespace {

std::unexpected<Error> fail_to_prepare(std::string reason) {
  return fail(ErrorKind::invalid_input, std::move(reason));
}

// UTF-16 that may hold a password.
struct Units {
  std::u16string text;

  explicit Units(std::size_t size) : text(size, u'\0') {}
  Units(const Units&) = delete;
  Units& operator=(const Units&) = delete;
  ~Units() { wipe({reinterpret_cast<char*>(text.data()), text.size() * sizeof(char16_t)}); }
};

// Loaded once; it is never changed and is fit for all threads.
const UStringPrepProfile* saslprep_profile() {
  static const UStringPrepProfile* const profile = [] {
    UErrorCode status = U_ZERO_ERROR;
    const UStringPrepProfile* const opened = usprep_openByType(USPREP_RFC4013_SASLPREP, &status);
    return U_SUCCESS(status) ? opened : nullptr;
  }();
  return profile;
}

std::unexpected<Error> refusal(UErrorCode status) {
  switch (status) {
    case U_STRINGPREP_PROHIBITED_ERROR:
      return fail_to_prepare("it has a character that SASLprep (RFC 4013) forbids");
    case U_STRINGPREP_UNASSIGNED_ERROR:
      return fail_to_prepare("it has a character that Unicode 3.2 does not know (RFC 4013)");
    case U_STRINGPREP_CHECK_BIDI_ERROR:
      return fail_to_prepare("it mixes left-to-right and right-to-left text (RFC 4013)");
    default:
      return fail_to_prepare("it cannot be prepared by SASLprep (RFC 4013)");
  }
}

}  // namespace

Result<std::string> saslprep(std::string_view text, SaslprepOf of) {
  if (text.size() > kSaslprepOctetsMax) return fail_to_prepare("it is too long");
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  if (plain) return std::string(text);
  if (!is_utf8(text)) return fail_to_prepare("it is not UTF-8");
  const UStringPrepProfile* const profile = saslprep_profile();
  if (profile == nullptr) return fail(ErrorKind::unavailable, "ICU has no data for SASLprep");

  UErrorCode status = U_ZERO_ERROR;
  std::int32_t size = 0;
  Units given(text.size());
  u_strFromUTF8(given.text.data(), static_cast<std::int32_t>(given.text.size()), &size, text.data(),
                static_cast<std::int32_t>(text.size()), &status);
  if (U_FAILURE(status)) return refusal(status);
  // NFKC makes at most 18 units of one.
  Units prepared(text.size() * 18);
  const std::int32_t options = of == SaslprepOf::query ? USPREP_ALLOW_UNASSIGNED : USPREP_DEFAULT;
  size = usprep_prepare(profile, given.text.data(), size, prepared.text.data(),
                        static_cast<std::int32_t>(prepared.text.size()), options, nullptr, &status);
  if (U_FAILURE(status)) return refusal(status);
  std::string out(static_cast<std::size_t>(size) * 3, '\0');
  std::int32_t octets = 0;
  u_strToUTF8(out.data(), static_cast<std::int32_t>(out.size()), &octets, prepared.text.data(),
              size, &status);
  if (U_FAILURE(status)) return refusal(status);
  out.resize(static_cast<std::size_t>(octets));
  return out;
}

}  // namespace todoku
