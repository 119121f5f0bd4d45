// SPDX-License-Identifier: Apache-2.0
#include "intake/exports.h"

#include <fmt/format.h>

#include "intake/changes.h"

namespace todoku::intake {
namespace {

Refusal too_many_exports() {
  auto refusal =
      Refusal::of(ErrorKind::limit_exceeded,
                  {fmt::format("{} exports are not done yet; come again when they are.",
                               store::kExportsOfAccountMax),
                   fmt::format("作成中のファイルが{}件あります。終わってからお試しください。",
                               store::kExportsOfAccountMax)});
  refusal.retry_after = std::chrono::minutes(1);
  refusal.limit = "exports";
  return refusal;
}

}  // namespace

Task<Answer<store::PublicId>> begin_export(store::Store& store, store::NewExport wanted,
                                           Repeatable repeatable) {
  co_return co_await change<store::PublicId>(
      store, store::WritePriority::accept,
      [wanted = std::move(wanted),
       repeatable](store::WriteTransaction& writer) -> Answer<store::PublicId> {
        const auto job = writer.create_export(wanted);
        if (!job && job.error().kind == ErrorKind::limit_exceeded) {
          return refuse(too_many_exports());
        }
        if (!job) return refuse(refusal_of(job.error()));
        auto kept = keep_answer(writer, repeatable, job->id);
        if (!kept) return refuse(std::move(kept.error()));
        return job->id;
      });
}

}  // namespace todoku::intake
