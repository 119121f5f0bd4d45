// SPDX-License-Identifier: Apache-2.0
// Whether receivers believe who a message is by: the very octets that would be sent are verified
// (DKIM), the addresses that they would come from looked up (SPF), and both held against From
// (DMARC), with what is in the DNS now.
//
// Each step is pure and asks `facts`; while something is wanted there its value means nothing. The
// first three ask for different things and can be played at the same time; judge_author() needs
// what they found.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "doctor/finding.h"
#include "doctor/source_identity.h"
#include "mailauth/dkim/verifier.h"
#include "mailauth/dmarc/evaluation.h"
#include "mailauth/facts/dns_facts.h"
#include "mailauth/spf/check_host.h"

namespace todoku::doctor {

// A recipient's copy as it would be sent.
struct SampleMail {
  std::string recipient;
  std::string octets;     // whole, its signatures included
  std::string mail_from;  // the return path; empty: the null path
};

// -- DKIM
struct CheckedSignature {
  mailauth::dkim::SignatureResult result;
  std::vector<std::string> signed_names;  // h=, lower case
};
// Of each sample its signatures. Verifies once, when all keys are known: it costs a pass over the
// body.
[[nodiscard]] std::vector<std::vector<CheckedSignature>> check_signatures(
    std::span<const SampleMail> samples, Instant now, mailauth::DnsFacts& facts);

// -- SPF
struct SpfOfSource {
  std::string source;
  std::string address;  // empty: none that receivers see is known, and nothing was evaluated
  mailauth::spf::Verdict of_return_path;
  std::optional<mailauth::spf::Verdict> of_from;  // where it was asked for
};
struct SpfWish {
  std::string mail_from;
  std::string from_domain;  // empty: SPF of it is not asked for
  std::span<const SourceIdentity> sources;
  Instant now{};
};
[[nodiscard]] std::vector<SpfOfSource> check_sources(const SpfWish& wish,
                                                     mailauth::DnsFacts& facts);

// -- the From domain: whether it has an MX or an address. null_mx: it says that it takes no mail.
enum class HostState : std::uint8_t { there, nowhere, null_mx, open };
struct FromHost {
  HostState state = HostState::open;
  std::string reason;  // open: why
};
[[nodiscard]] FromHost check_from_host(const std::string& domain, mailauth::DnsFacts& facts);

// -- DMARC
struct AuthorWish {
  std::vector<std::string> author_domains;
  std::span<const std::vector<CheckedSignature>> signatures;  // of the samples
  std::span<const SpfOfSource> sources;
  mailauth::dmarc::RegisteredDomain registered_domain = nullptr;
};
// The worst verdict of any sample from any source.
[[nodiscard]] mailauth::dmarc::Verdict judge_author(const AuthorWish& wish,
                                                    mailauth::DnsFacts& facts);

// -- in words
struct Authentication {
  std::vector<std::string> author_domains;
  std::vector<std::vector<CheckedSignature>> signatures;
  std::vector<SpfOfSource> sources;
  FromHost from_host;
  mailauth::dmarc::Verdict dmarc;
  bool goes_to_docomo = false;
};
[[nodiscard]] std::vector<Finding> authentication_findings(std::span<const SampleMail> samples,
                                                           const Authentication& checked);

}  // namespace todoku::doctor
