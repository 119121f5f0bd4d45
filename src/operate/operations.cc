// SPDX-License-Identifier: Apache-2.0
// Operations on stories and on the engine itself.
#include "operate/operations.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "explain/story_text.h"
#include "mail/address.h"
#include "store/walks.h"

namespace todoku::operate {

Operations::Operations(store::Store& store, const Clock& clock, Options options)
    : store_(store), clock_(clock), options_(std::move(options)) {}

Task<Result<Explanation>> Operations::explain(ExplainRequest request) {
  const auto address = parse_address(trim(request.address));
  if (!address) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("{}: {}", request.address, address.error().detail));
  }
  std::optional<store::AccountKey> owner;
  if (!request.account.empty()) {
    auto found = co_await account(request.account);
    if (!found) co_return fail(std::move(found.error()));
    owner = found->key;
  }
  Explanation explanation{.address = address->to_string(), .stories = {}, .next = {}, .text = {}};
  store::StorySearch search(explanation.address, owner, request.limit);
  const auto searched = co_await store::walk(store_, search);
  if (!searched) co_return fail(searched.error());
  explanation.stories = search.take();
  const explain::StoryOptions options{
      .language = request.language,
      .now = clock_.now(),
      .offset = std::chrono::minutes(request.utc_offset_minutes),
      .engine_running = options_.describe_engine != nullptr,
      .transactional_expiry = options_.transactional_expiry,
      .bulk_expiry = options_.bulk_expiry,
      .way_of = options_.way_of,
  };
  explanation.text = explain::tell_stories(explanation.address, explanation.stories, options);
  for (const store::Story& story : explanation.stories) {
    explanation.next.push_back(explain::next_step(story, options));
  }
  co_return explanation;
}

Task<Result<EngineStatus>> Operations::status() {
  EngineStatus status;
  status.version = options_.version;
  status.data_directory = options_.data_directory;
  if (options_.describe_engine) {
    status.running = true;
    options_.describe_engine(status);
  }
  auto queues = co_await store_.read(
      [](store::ReadTransaction& transaction) { return transaction.queue_figures(); });
  status.asked = clock_.now();
  if (!queues) co_return fail(std::move(queues.error()));
  status.queues = std::move(*queues);
  co_return status;
}

Result<void> Operations::drain() {
  if (!options_.drain) return fail(ErrorKind::unsupported, "the engine is not running");
  options_.drain();
  return {};
}

}  // namespace todoku::operate
