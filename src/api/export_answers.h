// SPDX-License-Identifier: Apache-2.0
// What every export job (store/exports.h) that has begun (intake/exports.h) has in common for its
// caller: its status and its file (contract sections 2.14 and 2.16).
#pragma once

#include <string_view>

#include "api/api.h"
#include "store/exports.h"

namespace todoku::api {

struct ExportPlace {
  store::ExportKind kind{};
  std::string_view url_member;  // of the status: where the file is, once there is one
  std::string_view path;        // below /api/v1, with {} for the job
  std::string_view file_name;   // of the archive, before the job's id
};

// percentage, status, total_count and, once there is one, where the file is. Of the {job_id} in the
// path.
[[nodiscard]] Task<http::Response> export_status(Api& api, Call& call, const ExportPlace& place);
[[nodiscard]] Task<http::Response> export_download(Api& api, Call& call, const ExportPlace& place);

}  // namespace todoku::api
