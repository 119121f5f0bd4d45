// SPDX-License-Identifier: Apache-2.0
// What a request asks for, as 32 octets (docs/adr/0019): those of two requests are the same if and
// only if their fields are, once they are read, however they were written. Attachments count by
// name, type and SHA-256, uploads by SHA-256.
//
// What has no value is left out, so that a field which a later version knows does not change the
// fingerprints of requests without it.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/digest.h"
#include "intake/request.h"
#include "intake/suppression_lists.h"
#include "store/exports.h"
#include "store/imports.h"
#include "store/keys.h"

namespace todoku::intake {

// Of the data of each, with pauses for others.
[[nodiscard]] Task<std::vector<Sha256>> digests_of(const std::vector<Attachment>& attachments);

// `attachments`: digests_of() those of the request. Before the request is checked, which puts some
// of its fields right.
[[nodiscard]] Sha256 fingerprint_of(const TransactionRequest& request,
                                    std::span<const Sha256> attachments);
[[nodiscard]] Sha256 fingerprint_of_resend(store::PublicId email,
                                           const std::optional<std::string>& to);
[[nodiscard]] Sha256 fingerprint_of(const BulkRequest& request,
                                    std::span<const Sha256> attachments);
// Those of requests whose path names a delivery.
// `inline_parts`: digests_of() those of the request.
[[nodiscard]] Sha256 fingerprint_of(store::PublicId delivery, const UpdateRequest& request,
                                    std::span<const Sha256> inline_parts = {});
[[nodiscard]] Sha256 fingerprint_of(store::PublicId delivery, const RecipientRequest& request);
[[nodiscard]] Sha256 fingerprint_of(store::PublicId delivery, std::optional<Instant> reservation,
                                    const store::SteeringChange& steering = {});
[[nodiscard]] Sha256 fingerprint_of(store::PublicId delivery, const store::NewImport& import,
                                    const Sha256& upload);
[[nodiscard]] Sha256 fingerprint_of(const store::NewExport& wanted);
[[nodiscard]] Sha256 fingerprint_of(const SuppressionRequest& request);

}  // namespace todoku::intake
