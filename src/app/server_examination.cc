// SPDX-License-Identifier: Apache-2.0
#include "app/server_examination.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/timex.h>

#include "app/open_files.h"
#include "net/tls.h"
#include "net/tls_certificate.h"

namespace todoku::app {
namespace {

doctor::CertificateFact certificate_fact(std::string_view key, const std::string& chain_file,
                                         const std::string& key_file) {
  doctor::CertificateFact fact{
      .key = std::string(key), .problem = "", .valid_from = {}, .valid_until = {}};
  const auto identity = net::read_identity(chain_file, key_file);
  if (!identity) {
    fact.problem = identity.error().detail;
    return fact;
  }
  const auto certificate = net::TlsCertificate::parse(*identity);
  if (!certificate) {
    fact.problem = certificate.error().detail;
    return fact;
  }
  fact.valid_from = (*certificate)->valid_from();
  fact.valid_until = (*certificate)->valid_until();
  return fact;
}

// adjtimex(2): who only reads needs no privilege. TIME_ERROR is the kernel's word for "nobody has
// synchronised it".
doctor::ClockFact clock_fact() {
  timex state{};
  const int said = ::adjtimex(&state);
  if (said < 0) return {};
  return {.is_synchronised = said != TIME_ERROR && (state.status & STA_UNSYNC) == 0};
}

doctor::DiskFact disk_fact(const std::string& folder) {
  // Before the first start there is no folder yet: the disk is its parent's.
  std::error_code error;
  std::filesystem::path place = folder;
  while (!place.empty() && !std::filesystem::exists(place, error) && place.has_relative_path()) {
    place = place.parent_path();
  }
  doctor::DiskFact fact{.folder = folder, .problem = "", .octets = 0, .octets_free = 0};
  const auto space = std::filesystem::space(place, error);
  if (error) {
    fact.problem = error.message();
    return fact;
  }
  fact.octets = space.capacity;
  fact.octets_free = space.available;
  return fact;
}

}  // namespace

doctor::ServerFacts server_facts(const config::Config& config) {
  doctor::ServerFacts facts;
  if (!config.api.tls_certificate_file.empty()) {
    facts.certificates.push_back(certificate_fact("api.tls_certificate_file",
                                                  config.api.tls_certificate_file,
                                                  config.api.tls_private_key_file));
  }
  if (!config.console.tls_certificate_file.empty()) {
    facts.certificates.push_back(certificate_fact("console.tls_certificate_file",
                                                  config.console.tls_certificate_file,
                                                  config.console.tls_private_key_file));
  }
  for (const config::Config::SmtpInCertificate& pair : config.smtp_in_certificates) {
    facts.certificates.push_back(
        certificate_fact(fmt::format("smtp_in.certificate {}", pair.certificate_file),
                         pair.certificate_file, pair.private_key_file));
  }
  facts.clock = clock_fact();
  facts.disk = disk_fact(config.data.directory);
  facts.files.limit = files_limit().highest;
  const auto division = files_division(facts.files.limit, files_wanted(config));
  if (!division) facts.files.problem = division.error().detail;
  return facts;
}

Task<doctor::DnssecFact> dnssec_fact(dns::Resolver& resolver, bool has_anchor, std::string zone) {
  doctor::DnssecFact fact{.has_anchor = has_anchor, .zone = zone, .is_validated = std::nullopt};
  if (!has_anchor) co_return fact;
  const auto answer = co_await resolver.txt(std::move(zone));
  if (answer) fact.is_validated = answer->secure;
  co_return fact;
}

doctor::ResolverFact resolver_fact(const dns::CheckFinding& check) {
  using State = doctor::ResolverFact::State;
  switch (check.result) {
    case dns::CheckFinding::Result::passed:
      return {.state = State::honest, .problem = ""};
    case dns::CheckFinding::Result::failed:
      return {.state = State::lies, .problem = check.problem};
    case dns::CheckFinding::Result::no_answer:
      break;
  }
  return {.state = State::silent, .problem = check.problem};
}

}  // namespace todoku::app
