// SPDX-License-Identifier: Apache-2.0
// What every export job (store/exports.h) that has begun (intake/exports.h) has in common for its
// caller: its status and its file (contract sections 2.14 and 2.16).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/api.h"
#include "api/idempotency.h"
#include "intake/exports.h"
#include "intake/fingerprint.h"
#include "store/exports.h"

namespace todoku::api {

struct ExportPlace {
  store::ExportKind kind{};
  std::string_view url_member;  // of the status: where the file is, once there is one
  std::string_view path;        // below /api/v1, with {} for the job
  std::string_view file_name;   // of the archive, before the job's id
};

// Begins a job of this kind, once for an Idempotency-Key: `make(NewExport, Repeatable)` does it, a
// Task<Answer<PublicId>>. 201 with its job_id, or the refusal.
template <class Make>
[[nodiscard]] Task<http::Response> begin_export_job(Api& api, Call& call,
                                                    std::optional<store::IdempotencyKey> key,
                                                    store::ExportKind kind, std::string parameters,
                                                    Make make) {
  const store::NewExport wanted{.account = call.account.key,
                                .kind = kind,
                                .parameters = std::move(parameters),
                                .language = call.language};
  intake::Repeatable repeatable;
  if (key) repeatable = {.key = *key, .fingerprint = intake::fingerprint_of(wanted)};
  const auto made = co_await api.intake().repeats().once(
      repeatable, [&](intake::Repeatable its) { return make(wanted, its); });
  co_return made_response(call, made, 201, "job_id");
}

// Begins a job about a delivery of the account, unless `refuses` (a const Delivery&) says why not.
template <class Refuses>
[[nodiscard]] Task<intake::Answer<store::PublicId>> begin_export_of(Api& api,
                                                                    store::PublicId delivery,
                                                                    store::NewExport wanted,
                                                                    intake::Repeatable repeatable,
                                                                    Refuses refuses) {
  const auto head = co_await api.store().read(
      [account = wanted.account, delivery](store::ReadTransaction& reader) {
        return reader.delivery_head(account, delivery);
      });
  if (!head) co_return std::unexpected(intake::refusal_of(head.error()));
  if (std::optional<intake::Refusal> refusal = refuses(*head)) {
    co_return std::unexpected(std::move(*refusal));
  }
  co_return co_await intake::begin_export(api.store(), std::move(wanted), repeatable);
}

// percentage, status, total_count and, once there is one, where the file is. Of the {job_id} in the
// path.
[[nodiscard]] Task<http::Response> export_status(Api& api, Call& call, const ExportPlace& place);
[[nodiscard]] Task<http::Response> export_download(Api& api, Call& call, const ExportPlace& place);

}  // namespace todoku::api
