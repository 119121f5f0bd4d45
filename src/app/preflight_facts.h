// SPDX-License-Identifier: Apache-2.0
// Asks the DNS what a preflight judges (doctor/preflight.h): about the messages and about the
// domains of the list, all at once, bounded in number and in time.
//
// A few dead name servers cost a second and make their own domains `open`. If our own resolver does
// not pass a check that began after the last answer (dns/resolver_check.h), nothing was learnt.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "dns/resolver.h"
#include "dns/resolver_health.h"
#include "doctor/preflight.h"
#include "doctor/source_identity.h"

namespace todoku::app {

// Domains that are asked about at the same time, and how long one may take of it.
inline constexpr std::size_t kDomainsTogether = 128;
inline constexpr Milliseconds kDomainLongest{1'000};

struct PreflightQuestions {
  std::vector<doctor::SampleMail> samples;
  std::vector<std::string> author_domains;
  std::vector<doctor::SourceIdentity> sources;
  std::vector<doctor::AudienceDomain> domains;  // their states are filled in
  bool goes_to_docomo = false;
  Instant now{};
  Milliseconds within{};     // 0: nobody is asked
  bool asks_anyway = false;  // also a resolver that is known to be no good
  bool asks_nobody = false;  // of a sandbox
};
struct PreflightAnswers {
  doctor::Authentication authentication;
  std::vector<doctor::SampleMail> samples;
  std::vector<doctor::AudienceDomain> domains;
};
struct PreflightWorld {
  dns::Resolver& resolver;
  std::function<Task<dns::CheckFinding>()> check_resolver;
  // A check that did not pass was lately: whoever asks now would wait for nothing.
  std::function<bool()> is_doubted = [] { return false; };
};
// Takes `questions.within` at most, the last part of it for the check. The resolver may be asked
// for longer: it outlives that (UnboundResolver::stop()).
[[nodiscard]] Task<PreflightAnswers> answer_preflight(PreflightWorld world,
                                                      PreflightQuestions questions);

}  // namespace todoku::app
