// SPDX-License-Identifier: Apache-2.0
// What is not written yet.
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

std::unexpected<Error> not_yet() {
  return fail(ErrorKind::unsupported, "not on PostgreSQL yet");
}

}  // namespace

Result<std::vector<Account>> Questions::accounts(AccountKey, std::int64_t) {
  return not_yet();
}

Result<std::map<AccountKey, std::int64_t>> Questions::active_keys(AccountKey, AccountKey) {
  return not_yet();
}

Result<Account> Questions::account_by_token(std::string_view) {
  return not_yet();
}

Result<std::vector<ApiKey>> Questions::api_keys(AccountKey) {
  return not_yet();
}

Result<std::vector<DkimKey>> Questions::dkim_keys(const DkimPlace&, std::int64_t) {
  return not_yet();
}

Result<Delivery> Questions::delivery(AccountKey, PublicId) {
  return not_yet();
}

Result<Delivery> Questions::delivery(DeliveryKey) {
  return not_yet();
}

Result<Delivery> Questions::delivery_head(AccountKey, PublicId) {
  return not_yet();
}

Result<Delivery> Questions::delivery_head(DeliveryKey) {
  return not_yet();
}

Result<std::vector<Delivery>> Questions::delivery_heads(std::span<const DeliveryKey>) {
  return not_yet();
}

Result<DeliveryStretch> Questions::match_deliveries(const DeliveryFilter&, DeliveryOrder,
                                                    std::optional<DeliveryPlace>, std::int64_t) {
  return not_yet();
}

Result<Content> Questions::content(DeliveryKey) {
  return not_yet();
}

Result<std::string> Questions::attachment_part(DeliveryKey, std::size_t, std::uint64_t,
                                               std::size_t) {
  return not_yet();
}

Result<std::int64_t> Questions::count_drafts(AccountKey, DeliveryType, std::int64_t) {
  return not_yet();
}

Result<std::vector<StartingDelivery>> Questions::deliveries_to_start(std::int64_t) {
  return not_yet();
}

Result<std::optional<Milliseconds>> Questions::next_reservation() {
  return not_yet();
}

Result<std::vector<SendingDelivery>> Questions::sending_bulk() {
  return not_yet();
}

Result<Recipient> Questions::recipient(AccountKey, PublicId) {
  return not_yet();
}

Result<StoryPage> Questions::stories(std::string_view, std::optional<AccountKey>, std::int64_t,
                                     std::optional<std::int64_t>) {
  return not_yet();
}

Result<Story> Questions::story(const RecipientKey&) {
  return not_yet();
}

Result<ImportJob> Questions::import_job(AccountKey, PublicId) {
  return not_yet();
}

Result<std::vector<ImportJob>> Questions::running_imports(NodeKey) {
  return not_yet();
}

Result<std::vector<std::string>> Questions::import_errors(DeliveryKey) {
  return not_yet();
}

Result<std::vector<QueueFigures>> Questions::queue_figures() {
  return not_yet();
}

Result<std::vector<SetAside>> Questions::set_aside(std::int64_t) {
  return not_yet();
}

Result<void> Changes::change_account(const Account&) {
  return not_yet();
}

Result<ApiKey> Changes::add_api_key(AccountKey, std::string_view, std::string_view) {
  return not_yet();
}

Result<void> Changes::revoke_api_key(AccountKey, std::int64_t) {
  return not_yet();
}

Result<void> Changes::put_dkim_key(const DkimKey&) {
  return not_yet();
}

Result<void> Changes::remove_dkim_key(AccountKey, std::string_view, std::string_view) {
  return not_yet();
}

Result<Delivery> Changes::create_draft(const NewDelivery&, std::int64_t) {
  return not_yet();
}

Result<void> Changes::change_draft(DeliveryKey, const DraftChange&) {
  return not_yet();
}

Result<std::vector<PublicId>> Changes::append_recipients(DeliveryKey,
                                                         std::span<const NewRecipient>) {
  return not_yet();
}

Result<void> Changes::clear_recipients(DeliveryKey) {
  return not_yet();
}

Result<void> Changes::change_recipient(const RecipientKey&, const NewRecipient&) {
  return not_yet();
}

Result<void> Changes::remove_recipient(const RecipientKey&) {
  return not_yet();
}

Result<void> Changes::commit_draft(DeliveryKey, std::optional<Instant>) {
  return not_yet();
}

Result<void> Changes::cancel_reservation(DeliveryKey) {
  return not_yet();
}

Result<void> Changes::start_delivery(DeliveryKey, std::string_view, Milliseconds) {
  return not_yet();
}

Result<void> Changes::fail_delivery(DeliveryKey, std::string_view) {
  return not_yet();
}

Result<void> Changes::delete_delivery(DeliveryKey) {
  return not_yet();
}

Result<bool> Changes::purge_deleted(std::int64_t) {
  return not_yet();
}

Result<ImportJob> Changes::create_import(DeliveryKey, const NewImport&, NodeKey) {
  return not_yet();
}

Result<void> Changes::end_import(PublicId, AccountKey, const ImportEnd&, NodeKey) {
  return not_yet();
}

Result<void> Changes::restart_import(PublicId, AccountKey, NodeKey) {
  return not_yet();
}

}  // namespace todoku::store::postgres
