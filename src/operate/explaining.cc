// SPDX-License-Identifier: Apache-2.0
// Stories of an address, or of a delivery by its number.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "explain/reader_text.h"
#include "explain/story_text.h"
#include "mail/address.h"
#include "mime/insert_code.h"
#include "operate/operations.h"
#include "store/opens.h"
#include "store/rate_holds.h"
#include "store/walks.h"

namespace todoku::operate {
namespace {

// Among so many accounts a number is looked for; each has its own 42.
constexpr std::int64_t kAccountsAsked = 1'000;

// For people: "3f9c2a1b (api,scheduler,courier on mail1.example.jp)".
std::string names_of(const std::vector<store::Node>& nodes) {
  std::vector<std::string> names;
  names.reserve(nodes.size());
  for (const store::Node& node : nodes) {
    names.push_back(fmt::format("{} ({})", node.name, node.roles));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

// What keeps a mail from being sent.
std::vector<std::string> needed_to_send(std::vector<std::string> roles) {
  std::erase(roles, "events");
  return roles;
}

struct StoriesOfDelivery {
  std::vector<store::Story> stories;
  std::int64_t of_all = 0;  // recipients
  bool found = false;
};

std::optional<store::PublicId> number_in(std::string_view text) {
  store::PublicId number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < 1) return std::nullopt;
  return number;
}

// The subject as the recipient has it.
void fill_in_subject(store::Story& story, const std::vector<InsertCode>& codes) {
  mime::InsertKeys keys;
  const mime::CompiledText subject(
      story.subject, keys,
      story.from_template ? mime::KeyForms::with_braces : mime::KeyForms::contract);
  if (subject.is_literal()) return;
  std::vector<mime::InsertCodeView> views;
  mime::InsertValues values;
  values.resolve(keys, mime::view_codes(codes, views));
  std::string text;
  subject.expand(
      values,
      [&](std::size_t begin, std::size_t end) {
        text += std::string_view(subject.text()).substr(begin, end - begin);
      },
      [&](const mime::InsertValue& value) { text += value.header; });
  story.subject = std::move(text);
}

bool may_have_codes(const store::Story& story) {
  return story.subject.contains("__") || story.subject.contains("%%") ||
         (story.from_template && story.subject.contains("{{"));
}

// Whoever has complained of a mail did it after all that its attempts tell.
Result<void> add_what_readers_did(store::ReadTransaction& reader,
                                  std::vector<store::Story>& stories) {
  std::map<std::string, store::AccountKey> owners;
  for (store::Story& story : stories) {
    if (!story.started) continue;
    auto owner = owners.find(story.account);
    if (owner == owners.end()) {
      const auto account = reader.account_by_name(story.account);
      if (!account && account.error().kind == ErrorKind::not_found) continue;
      if (!account) return fail(account.error());
      owner = owners.emplace(story.account, account->key).first;
    }
    auto added = store::add_opens(reader, owner->second, std::span(&story, 1));
    if (!added) return added;
  }
  return {};
}

Result<void> fill_in_subjects(store::ReadTransaction& reader, std::vector<store::Story>& stories) {
  for (store::Story& story : stories) {
    if (!may_have_codes(story)) continue;
    const auto owner = reader.account_by_name(story.account);
    if (!owner && owner.error().kind == ErrorKind::not_found) continue;
    if (!owner) return fail(owner.error());
    const auto recipient = reader.recipient(owner->key, story.email_id);
    if (!recipient && recipient.error().kind == ErrorKind::not_found) continue;
    if (!recipient) return fail(recipient.error());
    fill_in_subject(story, recipient->insert_codes);
  }
  return {};
}

Result<void> add_stories(store::ReadTransaction& reader, const store::Delivery& delivery,
                         std::int64_t limit, StoriesOfDelivery& all) {
  all.found = true;
  all.of_all += delivery.counts.total;
  const auto ranges = reader.log_ranges(delivery.key);
  if (!ranges) return fail(ranges.error());
  for (const store::LogRange& range : *ranges) {
    for (store::PublicId id = range.end; id-- > range.first;) {
      if (static_cast<std::int64_t>(all.stories.size()) >= limit) return {};
      const auto recipient = reader.recipient(delivery.account, id);
      if (!recipient && recipient.error().kind == ErrorKind::not_found) continue;
      if (!recipient) return fail(recipient.error());
      auto story = reader.story(recipient->key);
      if (!story) return fail(std::move(story.error()));
      fill_in_subject(*story, recipient->insert_codes);
      all.stories.push_back(std::move(*story));
    }
  }
  return {};
}

Result<StoriesOfDelivery> read_delivery(store::ReadTransaction& reader,
                                        std::optional<store::AccountKey> owner, store::PublicId id,
                                        std::int64_t limit) {
  std::vector<store::AccountKey> asked;
  if (owner) {
    asked.push_back(*owner);
  } else {
    const auto accounts = reader.accounts({}, kAccountsAsked + 1);
    if (!accounts) return fail(accounts.error());
    if (static_cast<std::int64_t>(accounts->size()) > kAccountsAsked) {
      return fail(ErrorKind::invalid_input, "there are many accounts: say whose delivery it is");
    }
    for (const store::Account& each : *accounts) asked.push_back(each.key);
  }
  StoriesOfDelivery all;
  for (const store::AccountKey account : asked) {
    const auto delivery = reader.delivery_head(account, id);
    if (!delivery && delivery.error().kind == ErrorKind::not_found) continue;
    if (!delivery) return fail(delivery.error());
    if (auto added = add_stories(reader, *delivery, limit, all); !added) return fail(added.error());
  }
  if (!all.found) return fail(ErrorKind::not_found, fmt::format("there is no delivery {}", id));
  return all;
}

}  // namespace

// Without what is said of them.
struct Operations::FoundStories {
  Explanation explanation;
  std::int64_t of_all = 0;  // of a delivery: its recipients
};

Task<Result<Operations::FoundStories>> Operations::find_stories(ExplainRequest request) {
  FoundStories all;
  Explanation& found = all.explanation;
  std::optional<store::AccountKey> owner;
  if (!request.account.empty()) {
    auto known = co_await account(request.account);
    if (!known) co_return fail(std::move(known.error()));
    owner = known->key;
  }
  if (const auto id = number_in(trim(request.address))) {
    auto told = co_await store_.read(
        [owner, id = *id, limit = request.limit](store::ReadTransaction& reader) {
          auto read = read_delivery(reader, owner, id, limit);
          if (!read) return read;
          if (auto added = add_what_readers_did(reader, read->stories); !added) {
            return Result<StoriesOfDelivery>(fail(std::move(added.error())));
          }
          return read;
        });
    if (!told) co_return fail(std::move(told.error()));
    found.address = fmt::format("{}", *id);
    found.stories = std::move(told->stories);
    found.more = told->of_all > static_cast<std::int64_t>(found.stories.size());
    all.of_all = told->of_all;
    co_return all;
  }
  if (trim(request.address).empty()) {
    co_return fail(ErrorKind::invalid_input, "the address to explain is empty");
  }
  const auto address = parse_address(trim(request.address));
  if (!address) {
    co_return fail(
        ErrorKind::invalid_input,
        fmt::format("{}: {}", printable_briefly(request.address), address.error().detail));
  }
  found.address = address->to_string();
  store::StorySearch search(found.address, owner, request.limit + 1);
  const auto searched = co_await store::walk(store_, search);
  if (!searched) co_return fail(searched.error());
  found.stories = search.take();
  found.more = static_cast<std::int64_t>(found.stories.size()) > request.limit;
  if (found.more) found.stories.resize(static_cast<std::size_t>(request.limit));
  auto filled = co_await store_.read(
      [&stories = found.stories](store::ReadTransaction& reader) -> Result<void> {
        if (auto added = add_what_readers_did(reader, stories); !added) return added;
        return fill_in_subjects(reader, stories);
      });
  if (!filled) co_return fail(std::move(filled.error()));
  co_return all;
}

namespace {

std::vector<std::string> held_in(const std::vector<store::Story>& stories) {
  std::vector<std::string> names;
  for (const store::Story& story : stories) {
    const std::string& name = story.credential_held;
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

// Of which something waits, and may be held back for its rates.
std::vector<store::DeliveryKey> bulk_in(const std::vector<store::Story>& stories) {
  std::vector<store::DeliveryKey> keys;
  for (const store::Story& story : stories) {
    const bool waits = story.type == DeliveryType::bulk && !is_terminal(story.state) &&
                       story.delivery_status == DeliveryStatus::sending;
    if (waits) keys.push_back(story.key.delivery);
  }
  std::ranges::sort(keys);
  keys.erase(std::ranges::unique(keys).begin(), keys.end());
  return keys;
}

}  // namespace

Task<Result<std::map<std::string, explain::CredentialHold>>> Operations::holds_of(
    std::vector<std::string> names) {
  co_return co_await store_.read([names](store::ReadTransaction& reader)
                                     -> Result<std::map<std::string, explain::CredentialHold>> {
    std::map<std::string, explain::CredentialHold> holds;
    for (const std::string& name : names) {
      auto credential = reader.smtp_credential(name);
      if (!credential && credential.error().kind == ErrorKind::not_found) continue;
      if (!credential) return fail(std::move(credential.error()));
      if (!credential->held) continue;
      holds[name] = {.since = *credential->held, .because = std::move(credential->held_because)};
    }
    return holds;
  });
}

Task<Result<Operations::RateHolds>> Operations::rate_holds_of(
    std::vector<store::DeliveryKey> deliveries) {
  co_return co_await store_.read([deliveries, now = store_.clock().now()](
                                     store::ReadTransaction& reader) -> Result<RateHolds> {
    RateHolds holds;
    for (const store::DeliveryKey key : deliveries) {
      const auto head = reader.delivery_head(key);
      if (!head) continue;  // deleted meanwhile
      auto found = store::rate_holds(reader, key, now);
      if (!found) return fail(std::move(found.error()));
      for (store::RateState& state : *found) {
        const bool there = state.subject.scope == store::RateScope::delivery_at_receiver;
        holds.rates[key].push_back({.site = there ? std::move(state.subject.name) : std::string(),
                                    .because = std::move(state.because)});
      }
      const auto until = canary_until(reader, *head, now);
      if (!until) return fail(until.error());
      if (*until) holds.canaries[key] = **until;
    }
    return holds;
  });
}

Task<Result<Explanation>> Operations::explain(ExplainRequest request) {
  auto found = co_await find_stories(request);
  if (!found) co_return fail(std::move(found.error()));
  Explanation& explanation = found->explanation;
  auto holds = co_await holds_of(held_in(explanation.stories));
  if (!holds) co_return fail(std::move(holds.error()));
  auto rate_holds = co_await rate_holds_of(bulk_in(explanation.stories));
  if (!rate_holds) co_return fail(std::move(rate_holds.error()));
  EngineStatus engine;
  if (options_.describe_engine) options_.describe_engine(engine);
  const auto elsewhere = engines_elsewhere();
  if (!elsewhere) co_return fail(elsewhere.error());
  const auto nodes =
      co_await store_.read([](store::ReadTransaction& transaction) { return transaction.nodes(); });
  if (!nodes) co_return fail(nodes.error());
  const explain::StoryOptions options{
      .language = request.language,
      .now = clock_.now(),
      .offset = std::chrono::minutes(request.utc_offset_minutes),
      .engine_running = options_.describe_engine != nullptr || !elsewhere->empty(),
      .elsewhere = names_of(*elsewhere),
      .drains_until = engine.drains_until,
      .missing_roles = needed_to_send(roles_nobody_has(*nodes)),
      .transactional_expiry = options_.transactional_expiry,
      .bulk_expiry = options_.bulk_expiry,
      .way_of = options_.way_of,
      .holds = std::move(*holds),
      .rate_holds = std::move(rate_holds->rates),
      .canaries = std::move(rate_holds->canaries),
      .more = explanation.more,
      .of_all = found->of_all,
  };
  constexpr Sentence kDelivery{"delivery ", "配信 "};
  const std::string of_what =
      found->of_all == 0 ? explanation.address
                         : std::string(kDelivery.in(request.language)) + explanation.address;
  explanation.text = explain::tell_stories(of_what, explanation.stories, options);
  for (const store::Story& story : explanation.stories) {
    explanation.next.push_back(explain::next_step(story, options));
    explanation.for_recipient.push_back(explain::reader_text(story, options));
  }
  co_return std::move(explanation);
}

}  // namespace todoku::operate
