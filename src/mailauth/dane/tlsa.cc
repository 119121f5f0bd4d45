// SPDX-License-Identifier: Apache-2.0
#include "mailauth/dane/tlsa.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include "base/bytes.h"

namespace todoku::mailauth::dane {
namespace {

constexpr std::uint8_t kAuthority = 2;  // DANE-TA
constexpr std::uint8_t kHost = 3;       // DANE-EE
constexpr std::uint8_t kCertificate = 0;
constexpr std::uint8_t kPublicKey = 1;
constexpr std::uint8_t kItself = 0;
constexpr std::uint8_t kSha256 = 1;
constexpr std::uint8_t kSha512 = 2;

constexpr std::size_t kSha256Octets = 32;
constexpr std::size_t kSha512Octets = 64;

// Whether `data` is the DER form of one, and nothing else.
bool is_certificate(const std::string& data) {
  const auto* octets = reinterpret_cast<const unsigned char*>(data.data());
  const unsigned char* end = octets;
  const std::unique_ptr<X509, void (*)(X509*)> read(
      d2i_X509(nullptr, &end, static_cast<long>(data.size())), &X509_free);
  ERR_clear_error();
  return read != nullptr && end == octets + data.size();
}

bool is_public_key(const std::string& data) {
  const auto* octets = reinterpret_cast<const unsigned char*>(data.data());
  const unsigned char* end = octets;
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> read(
      d2i_PUBKEY(nullptr, &end, static_cast<long>(data.size())), &EVP_PKEY_free);
  ERR_clear_error();
  return read != nullptr && end == octets + data.size();
}

std::string why_data_unusable(const TlsaRecord& record) {
  const auto digest = [&](std::size_t octets) {
    if (record.data.size() == octets) return std::string();
    return fmt::format("its digest has {} octets instead of {}", record.data.size(), octets);
  };
  switch (record.matching) {
    case kSha256:
      return digest(kSha256Octets);
    case kSha512:
      return digest(kSha512Octets);
    case kItself:
      break;
    default:
      return fmt::format("matching type {} is not known", record.matching);
  }
  if (record.data.size() > kDataMax) {
    return fmt::format("its data has {} octets, more than {}", record.data.size(), kDataMax);
  }
  const bool reads =
      record.selector == kCertificate ? is_certificate(record.data) : is_public_key(record.data);
  if (reads) return "";
  return record.selector == kCertificate ? "its data is no certificate"
                                         : "its data is no public key";
}

// Its digests are weaker than others for the same usage and selector.
bool is_outdone(const TlsaRecord& record, const std::vector<TlsaRecord>& all) {
  return record.matching == kSha256 && std::ranges::any_of(all, [&](const TlsaRecord& other) {
           return other.matching == kSha512 && other.usage == record.usage &&
                  other.selector == record.selector;
         });
}

}  // namespace

Result<TlsaRecord> parse_tlsa(std::span<const std::uint8_t> rdata) {
  if (rdata.size() < 4) return fail(ErrorKind::corrupt, "the TLSA record is cut off");
  return TlsaRecord{.usage = rdata[0],
                    .selector = rdata[1],
                    .matching = rdata[2],
                    .data = std::string(as_text(rdata.subspan(3)))};
}

std::string why_unusable(const TlsaRecord& record) {
  // RFC 7672 section 3.1.3: no agreed list of authorities, so these prove nothing to a mail server.
  if (record.usage < kAuthority) {
    return fmt::format("usage {} is not used in SMTP", record.usage);
  }
  if (record.usage > kHost) return fmt::format("usage {} is not known", record.usage);
  if (record.selector > kPublicKey) return fmt::format("selector {} is not known", record.selector);
  return why_data_unusable(record);
}

Demand demand_of(std::vector<TlsaRecord> records) {
  if (records.empty()) return {};
  std::erase_if(records, [](const TlsaRecord& record) { return !why_unusable(record).empty(); });
  std::ranges::sort(records);
  const auto again = std::ranges::unique(records);
  records.erase(again.begin(), again.end());
  std::vector<TlsaRecord> kept;
  for (const TlsaRecord& record : records) {
    if (kept.size() < kRecordsMax && !is_outdone(record, records)) kept.push_back(record);
  }
  if (kept.empty()) return {.demand = DaneDemand::encryption, .records = {}};
  return {.demand = DaneDemand::proof, .records = std::move(kept)};
}

bool wants_name(std::span<const TlsaRecord> records) {
  return std::ranges::any_of(records,
                             [](const TlsaRecord& record) { return record.usage == kAuthority; });
}

}  // namespace todoku::mailauth::dane
