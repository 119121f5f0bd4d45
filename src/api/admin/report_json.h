// SPDX-License-Identifier: Apache-2.0
// Reports of domains in JSON, for the admin socket and the REST API.
#pragma once

#include <string>

#include "operate/domain_reports.h"
#include "operate/report_overview.h"

namespace todoku::api::admin {

[[nodiscard]] std::string imported_reports_json(const operate::ImportedReports& told);
[[nodiscard]] std::string report_overview_json(const operate::ReportOverview& overview);

}  // namespace todoku::api::admin
