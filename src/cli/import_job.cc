// SPDX-License-Identifier: Apache-2.0
#include "cli/import_job.h"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "cli/import_errors.h"
#include "cli/progress.h"
#include "cli/sender_commands.h"

namespace todoku::cli {
namespace {

constexpr std::size_t kErrorsTold = 10;  // the file has them all

}  // namespace

int await_import(ApiSession& api, std::int64_t job, ImportEnd& end) {
  Session& session = api.session();
  Progress progress(api.host().terminal(), session.err());
  const std::string target = fmt::format("/deliveries/-/emails/import/{}", job);
  while (true) {
    const auto read = api.ask({.target = target, .answered_with = "status"});
    if (read == nullptr) return api.status();
    const std::string status = text_of(read->value, "status");
    progress.show({.label = session.words({"import", "インポート"}),
                   .done = number_of(read->value, "percentage"),
                   .total = 100,
                   .rest = {}});
    if (status == "IMPORTING") {
      if (!api.wait(kBetweenLooks)) return kInterrupted;
      continue;
    }
    progress.end();
    const std::int64_t failed = number_of(read->value, "failed_count");
    if (failed > 0 || status != "FINISHED") {
      const auto errors = import_errors(api, job, kErrorsTold);
      end.is_told = std::cmp_greater_equal(errors.size(), failed);
      const std::string file = text_of(read->value, "error_file_url");
      session.err() << session.words(
          {"Rows: {}, recipients: {}, refused rows: {}.", "行数: {}、宛先: {}、エラー行: {}。"},
          number_of(read->value, "total_count"), number_of(read->value, "success_count"), failed);
      if (!end.is_told && !file.empty()) session.err() << ' ' << file;
      session.err() << '\n';
      for (const std::string& error : errors) session.err() << "  " << error << '\n';
    }
    if (status == "FINISHED") return kDone;
    end.is_empty = true;
    return api.fail_with(
        status == "SYSTEM_ERROR" ? kTemporary : kRefused,
        session.words({"the import of {} ended as {}", "インポート {} は {} で終わりました"}, job,
                      status));
  }
}

}  // namespace todoku::cli
