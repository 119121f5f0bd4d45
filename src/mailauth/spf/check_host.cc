// SPDX-License-Identifier: Apache-2.0
#include "mailauth/spf/check_host.h"

#include "mailauth/spf/evaluation.h"

namespace todoku::mailauth::spf {

std::string_view to_string(SpfResult result) {
  switch (result) {
    case SpfResult::none:
      return "none";
    case SpfResult::neutral:
      return "neutral";
    case SpfResult::pass:
      return "pass";
    case SpfResult::fail:
      return "fail";
    case SpfResult::softfail:
      return "softfail";
    case SpfResult::temperror:
      return "temperror";
    case SpfResult::permerror:
      return "permerror";
  }
  return "";
}

Verdict check_host(const Query& query, DnsFacts& facts, const Options& options) {
  return Evaluation(query, facts, options).run();
}

}  // namespace todoku::mailauth::spf
