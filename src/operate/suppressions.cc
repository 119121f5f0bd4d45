// SPDX-License-Identifier: Apache-2.0
// Suppression lists, as operators work with them (intake/suppression_lists.h): an account's, or
// without a name the installation's.
#include <fmt/format.h>

#include "intake/suppression_lists.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

constexpr std::string_view kActor = "an operator";

// A refusal as one sentence.
Error sentence_of(const intake::Refusal& refusal) {
  std::string text;
  for (const intake::Problem& problem : refusal.problems.list()) {
    if (!text.empty()) text += ", ";
    if (!problem.path.empty()) text += problem.path.front() + ": ";
    text += intake::texts::without_stop(problem.text.en);
  }
  return {refusal.kind, std::move(text)};
}

template <class T>
Result<T> in_a_sentence(intake::Answer<T> answer) {
  if (!answer) return fail(sentence_of(answer.error()));
  return std::move(*answer);
}

}  // namespace

Task<Result<store::AccountKey>> Operations::list_owner(std::string name) {
  if (name.empty()) co_return store::kInstallation;
  auto owner = co_await account(std::move(name));
  if (!owner) co_return fail(std::move(owner.error()));
  co_return owner->key;
}

Task<Result<intake::SuppressionRows>> Operations::suppressions(std::string account_name,
                                                               std::string after,
                                                               std::int64_t limit) {
  const auto owner = co_await list_owner(std::move(account_name));
  if (!owner) co_return fail(owner.error());
  intake::SuppressionLists lists(store_);
  auto page = co_await lists.page(*owner, std::move(after), limit);
  co_return in_a_sentence(std::move(page));
}

Task<Result<intake::SuppressionLook>> Operations::look_suppression(std::string account_name,
                                                                   std::string address) {
  const auto owner = co_await list_owner(std::move(account_name));
  if (!owner) co_return fail(owner.error());
  intake::SuppressionLists lists(store_);
  auto found = co_await lists.look(*owner, std::move(address));
  co_return in_a_sentence(std::move(found));
}

Task<Result<bool>> Operations::add_suppression(std::string account_name,
                                               intake::SuppressionRequest request) {
  const auto owner = co_await list_owner(std::move(account_name));
  if (!owner) co_return fail(owner.error());
  intake::SuppressionLists lists(store_);
  auto added = co_await lists.add(*owner, std::move(request));
  co_return in_a_sentence(std::move(added));
}

Task<Result<std::vector<store::Suppression>>> Operations::remove_suppression(
    std::string account_name, intake::SuppressionRemoval removal) {
  const auto owner = co_await list_owner(std::move(account_name));
  if (!owner) co_return fail(owner.error());
  intake::SuppressionLists lists(store_);
  auto removed = co_await lists.remove(*owner, std::move(removal), std::string(kActor));
  if (!removed && removed.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::not_found, "there is no such entry on this list");
  }
  co_return in_a_sentence(std::move(removed));
}

Task<Result<intake::ImportedSuppressions>> Operations::import_suppressions(std::string account_name,
                                                                           std::string csv) {
  const auto owner = co_await list_owner(std::move(account_name));
  if (!owner) co_return fail(owner.error());
  intake::SuppressionLists lists(store_);
  auto told = co_await lists.import(*owner, csv);
  co_return in_a_sentence(std::move(told));
}

}  // namespace todoku::operate
