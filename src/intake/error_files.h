// SPDX-License-Identifier: Apache-2.0
// What was wrong with imported lists, as clients fetch it: an archive with one CSV, made once, when
// its job ends. Blocks; for threads that may.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "intake/uploads.h"
#include "store/imports.h"

namespace todoku::intake {

// Keeps the CSV of a job, in pieces, under errors_name(). Errors: those of Uploads, and io.
[[nodiscard]] Result<void> keep_errors(Uploads& uploads, store::AccountKey account,
                                       store::PublicId job, std::span<const std::string> csv);

// The archive that ImportJob::errors names. Earlier versions have kept the CSV itself: it becomes
// an archive when it is first asked for. Errors: those of Uploads::open() and Uploads::create(),
// io.
[[nodiscard]] Result<std::unique_ptr<Uploads::Reader>> open_errors(Uploads& uploads,
                                                                   std::string_view errors);

// Succeeds as well when there is nothing.
void remove_errors(Uploads& uploads, std::string_view errors);

}  // namespace todoku::intake
