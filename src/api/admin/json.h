// SPDX-License-Identifier: Apache-2.0
// The answers of the operations as JSON. Times are RFC 3339 in UTC.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "operate/operations.h"

namespace todoku::api::admin {

[[nodiscard]] std::string accounts_json(const operate::Page<operate::AccountView>& accounts);
[[nodiscard]] std::string work_json(const store::AccountWork& work);
[[nodiscard]] std::string changed_account_json(const operate::ChangedAccount& changed);
[[nodiscard]] std::string account_json(const operate::AddedAccount& added);
[[nodiscard]] std::string account_json(const operate::AccountView& view);
[[nodiscard]] std::string keys_json(const std::vector<operate::KeyView>& keys);
[[nodiscard]] std::string issued_key_json(const operate::IssuedKey& issued);
[[nodiscard]] std::string rotated_key_json(const operate::RotatedKey& rotated);
[[nodiscard]] std::string dkim_keys_json(const operate::Page<operate::DkimView>& keys);
[[nodiscard]] std::string smtp_credentials_json(
    const operate::Page<operate::SmtpCredentialView>& credentials);
[[nodiscard]] std::string smtp_credential_json(const operate::SmtpCredentialView& credential);
[[nodiscard]] std::string dropped_json(const operate::Cancelled& dropped);
[[nodiscard]] std::string lockouts_json(const std::vector<operate::Lockout>& lockouts);
[[nodiscard]] std::string issued_smtp_json(const operate::IssuedSmtpCredential& issued);
[[nodiscard]] std::string domains_json(const operate::Page<operate::DomainView>& domains);
[[nodiscard]] std::string domain_json(const operate::DomainView& domain);
[[nodiscard]] std::string verified_domain_json(const operate::VerifiedDomain& verified);
[[nodiscard]] std::string dkim_key_json(const operate::DkimView& key);
[[nodiscard]] std::string retired_dkim_json(const operate::RetiredDkim& retired);
// Meanings and actions in `language`; the text is in it already.
[[nodiscard]] std::string explanation_json(const operate::Explanation& explanation,
                                           todoku::Language language);
// With the times for people as well, so far east of UTC.
[[nodiscard]] std::string stuck_json(const operate::StuckMails& stuck, std::chrono::minutes offset);
[[nodiscard]] std::string suppressions_json(const intake::SuppressionRows& rows);
[[nodiscard]] std::string suppression_look_json(const intake::SuppressionLook& look);
[[nodiscard]] std::string suppression_csv_json(const intake::SuppressionRows& rows);
[[nodiscard]] std::string imported_suppressions_json(const intake::ImportedSuppressions& told);
[[nodiscard]] std::string nodes_json(const std::vector<operate::NodeView>& nodes,
                                     std::chrono::minutes offset);
[[nodiscard]] std::string folded_json(const events::journal::Folded& folded);
[[nodiscard]] std::string cluster_json(const operate::ClusterView& cluster);
[[nodiscard]] std::string status_json(const operate::EngineStatus& status);

}  // namespace todoku::api::admin
