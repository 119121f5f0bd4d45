// SPDX-License-Identifier: Apache-2.0
// todoku bounce classify: what a returned mail, or a reply, means. Local: no engine is asked.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"

namespace todoku::cli {

struct BounceClassify {
  std::vector<std::string> files;  // "-" is standard input
  std::string reply;               // "550 5.1.1 User unknown", instead of files
  bool batch = false;              // cases on standard input (cli/case_lines.h)
};

// The exit status: 0 whatever the verdict, 2 for what cannot be read.
int bounce_classify(Session& session, const BounceClassify& wish);

}  // namespace todoku::cli
