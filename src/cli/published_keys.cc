// SPDX-License-Identifier: Apache-2.0
#include "cli/published_keys.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "async/run_blocking.h"

namespace todoku::cli {

std::vector<doctor::Finding> judge_keys(const KeysToJudge& given, CheckResolver& names) {
  doctor::DomainWish about;
  about.domain = given.domain;
  about.keys = given.keys;
  ProbedDomain probed = async::run_blocking(
      names.executor(), probe_domain(std::move(about), given.servers, given.port, names));
  std::erase_if(probed.findings, [](const doctor::Finding& finding) {
    // A resolver is asked for other records as well.
    if (finding.code == "negative_cached" || finding.code == "lookup_undetermined") {
      return finding.subject.find("._domainkey.") == std::string::npos;
    }
    return !finding.code.starts_with("dkim_") && !finding.code.starts_with("server") &&
           !finding.code.starts_with("zone_");
  });
  if (!given.servers.empty() && !given.anyway) {
    auto left_out =
        async::run_blocking(names.executor(), servers_left_out(given.domain, given.servers, names));
    std::ranges::move(left_out, std::back_inserter(probed.findings));
  }
  return std::move(probed.findings);
}

bool is_published(const std::vector<doctor::Finding>& findings, bool anyway) {
  return !findings.empty() && std::ranges::all_of(findings, [&](const doctor::Finding& finding) {
    return finding.outcome == doctor::Outcome::pass ||
           (anyway && finding.code == "lookup_undetermined");
  });
}

}  // namespace todoku::cli
