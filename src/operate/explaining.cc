// SPDX-License-Identifier: Apache-2.0
// Stories of an address, of a delivery or mail by its number, of a reference or a Message-ID.
#include <algorithm>
#include <charconv>
#include <functional>
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
      all.stories.push_back(std::move(*story));
    }
  }
  return {};
}

// Of what means something else in each account.
Result<std::vector<store::AccountKey>> accounts_to_ask(store::ReadTransaction& reader,
                                                       std::optional<store::AccountKey> owner,
                                                       std::string_view what) {
  if (owner) return std::vector{*owner};
  const auto accounts = reader.accounts({}, kAccountsAsked + 1);
  if (!accounts) return fail(accounts.error());
  if (static_cast<std::int64_t>(accounts->size()) > kAccountsAsked) {
    return fail(ErrorKind::invalid_input,
                fmt::format("there are many accounts: say whose {} it is", what));
  }
  std::vector<store::AccountKey> asked;
  for (const store::Account& each : *accounts) asked.push_back(each.key);
  return asked;
}

Result<StoriesOfDelivery> read_delivery(store::ReadTransaction& reader,
                                        std::optional<store::AccountKey> owner, store::PublicId id,
                                        std::int64_t limit) {
  const auto asked = accounts_to_ask(reader, owner, "delivery");
  if (!asked) return fail(asked.error());
  StoriesOfDelivery all;
  for (const store::AccountKey account : *asked) {
    const auto delivery = reader.delivery_head(account, id);
    if (!delivery && delivery.error().kind == ErrorKind::not_found) continue;
    if (!delivery) return fail(delivery.error());
    if (auto added = add_stories(reader, *delivery, limit, all); !added) return fail(added.error());
  }
  if (!all.found) return fail(ErrorKind::not_found, fmt::format("there is no delivery {}", id));
  return all;
}

Result<std::vector<store::Story>> read_mail(store::ReadTransaction& reader,
                                            std::optional<store::AccountKey> owner,
                                            store::PublicId id) {
  const auto asked = accounts_to_ask(reader, owner, "mail");
  if (!asked) return fail(asked.error());
  std::vector<store::Story> stories;
  for (const store::AccountKey account : *asked) {
    const auto recipient = reader.recipient(account, id);
    if (!recipient && recipient.error().kind == ErrorKind::not_found) continue;
    if (!recipient) return fail(recipient.error());
    auto story = reader.story(recipient->key);
    if (!story) return fail(std::move(story.error()));
    stories.push_back(std::move(*story));
  }
  return stories;
}

// The mails of which one is said to be a copy. nullopt: there is none, or it is another account's.
Result<std::optional<StoriesOfDelivery>> read_copy(store::ReadTransaction& reader,
                                                   std::optional<store::AccountKey> owner,
                                                   const store::RecipientKey& copy,
                                                   std::int64_t limit) {
  const auto head = reader.delivery_head(copy.delivery);
  if (!head && head.error().kind == ErrorKind::not_found) return std::nullopt;
  if (!head) return fail(head.error());
  if (owner && head->account != *owner) return std::nullopt;
  StoriesOfDelivery all;
  if (head->type == DeliveryType::transaction) {
    if (auto added = add_stories(reader, *head, limit, all); !added) return fail(added.error());
    return all;
  }
  auto story = reader.story(copy);
  if (!story && story.error().kind == ErrorKind::not_found) return std::nullopt;
  if (!story) return fail(std::move(story.error()));
  all.of_all = 1;
  all.stories.push_back(std::move(*story));
  return all;
}

// What stands in the angle brackets, or all if there are none. One id and nothing beside it: what
// follows another's mail is not left out of the question (RFC 5322 section 3.6.4).
Result<std::string> one_message_id(std::string_view given) {
  const std::string_view written = trim(given);
  std::string_view id = written;
  const bool is_bracketed = id.starts_with('<') && id.ends_with('>') && id.size() > 1;
  if (is_bracketed) id = id.substr(1, id.size() - 2);
  if (id.empty()) return fail(ErrorKind::invalid_input, "the Message-ID is empty");
  // Of some relayed messages the id has a space in it.
  const bool is_one = std::ranges::all_of(id, [is_bracketed](char c) {
    return c >= ' ' && c <= '~' && c != '<' && c != '>' && (is_bracketed || c != ' ');
  });
  if (is_one) return std::string(id);
  return fail(
      ErrorKind::invalid_input,
      fmt::format("{} is not one Message-ID, such as <id@example.jp>, and nothing beside it",
                  printable_briefly(written)));
}

}  // namespace

// Without what is said of them.
struct Operations::FoundStories {
  Explanation explanation;
  std::int64_t of_all = 0;  // of a delivery: its recipients
  bool of_address = true;
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
  if (request.email != 0) co_return co_await find_mail(std::move(request), owner);
  if (!request.message_id.empty()) co_return co_await find_message(std::move(request), owner);
  if (!request.reference.empty()) co_return co_await find_reference(std::move(request), owner);
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
    co_return fail(ErrorKind::invalid_input,
                   "what to explain is empty: an address, a delivery, a reference or a Message-ID");
  }
  const auto address = parse_address(trim(request.address));
  if (!address) {
    co_return fail(
        ErrorKind::invalid_input,
        fmt::format("{}: {}", printable_briefly(request.address), address.error().detail));
  }
  found.address = address->to_string();
  store::StorySearch search(found.address, owner, request.limit + 1);
  co_return co_await found_by(std::move(search), std::move(all), request.limit);
}

// Of a search that asks for one story more than the limit.
Task<Result<Operations::FoundStories>> Operations::found_by(store::StorySearch search,
                                                            FoundStories all, std::int64_t limit) {
  const auto searched = co_await store::walk(store_, search);
  if (!searched) co_return fail(searched.error());
  all.explanation.stories = search.take();
  co_return co_await filled_in(std::move(all), limit);
}

Task<Result<Operations::FoundStories>> Operations::filled_in(FoundStories all, std::int64_t limit) {
  Explanation& found = all.explanation;
  if (static_cast<std::int64_t>(found.stories.size()) > limit) {
    found.more = true;
    found.stories.resize(static_cast<std::size_t>(limit));
  }
  auto filled = co_await store_.read(
      [&stories = found.stories](store::ReadTransaction& reader) -> Result<void> {
        return add_what_readers_did(reader, stories);
      });
  if (!filled) co_return fail(std::move(filled.error()));
  co_return all;
}

Task<Result<Operations::FoundStories>> Operations::find_mail(
    ExplainRequest request, std::optional<store::AccountKey> owner) {
  FoundStories all{.of_address = false};
  all.explanation.address = fmt::format("{}", request.email);
  auto stories = co_await store_.read([owner, id = request.email](store::ReadTransaction& reader) {
    return read_mail(reader, owner, id);
  });
  if (!stories) co_return fail(std::move(stories.error()));
  all.explanation.stories = std::move(*stories);
  co_return co_await filled_in(std::move(all), request.limit);
}

// What is ours says itself which mail it is; what is not, and what was ours under another secret,
// may be that of a relayed message.
Task<Result<Operations::FoundStories>> Operations::find_message(
    ExplainRequest request, std::optional<store::AccountKey> owner) {
  FoundStories all{.of_address = false};
  const auto id = one_message_id(request.message_id);
  if (!id) co_return fail(id.error());
  const std::string& wanted = *id;
  all.explanation.address = wanted;
  if (wanted.size() > kRelayedMessageIdOctetsMax) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("the Message-ID has {} octets, but may have {} at most",
                               wanted.size(), kRelayedMessageIdOctetsMax));
  }
  if (options_.copy_of) {
    if (const auto copy = options_.copy_of(wanted)) {
      auto told = co_await store_.read(
          [owner, copy = *copy, limit = request.limit + 1](store::ReadTransaction& reader) {
            return read_copy(reader, owner, copy, limit);
          });
      if (!told) co_return fail(std::move(told.error()));
      if (*told) {
        all.explanation.stories = std::move((*told)->stories);
        co_return co_await filled_in(std::move(all), request.limit);
      }
    }
  }
  store::StorySearch search(store::Mark{store::MarkKind::message_id, wanted}, owner,
                            request.limit + 1);
  co_return co_await found_by(std::move(search), std::move(all), request.limit);
}

Task<Result<Operations::FoundStories>> Operations::find_reference(
    ExplainRequest request, std::optional<store::AccountKey> owner) {
  FoundStories all{.of_address = false};
  all.explanation.address = request.reference;
  if (request.reference.empty()) co_return fail(ErrorKind::invalid_input, "the reference is empty");
  if (request.reference.size() > kReferenceOctetsMax) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("the reference has {} octets, but may have {} at most",
                               request.reference.size(), kReferenceOctetsMax));
  }
  const auto asked = co_await store_.read([owner](store::ReadTransaction& reader) {
    return accounts_to_ask(reader, owner, "reference");
  });
  if (!asked) co_return fail(asked.error());
  for (const store::AccountKey account : *asked) {
    store::StorySearch search(store::Mark{store::MarkKind::reference, request.reference, account},
                              account, request.limit + 1);
    const auto searched = co_await store::walk(store_, search);
    if (!searched) co_return fail(searched.error());
    for (store::Story& story : search.take()) all.explanation.stories.push_back(std::move(story));
  }
  if (asked->size() > 1) {
    std::ranges::sort(all.explanation.stories, std::greater(), &store::Story::created);
  }
  co_return co_await filled_in(std::move(all), request.limit);
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

// Of which something waits in one of these.
std::vector<store::DeliveryKey> bulk_in(const std::vector<store::Story>& stories,
                                        std::initializer_list<DeliveryStatus> statuses) {
  std::vector<store::DeliveryKey> keys;
  for (const store::Story& story : stories) {
    const bool waits = story.type == DeliveryType::bulk && !is_terminal(story.state) &&
                       std::ranges::find(statuses, story.delivery_status) != statuses.end();
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

Task<Result<Operations::Resends>> Operations::resends_of(const std::vector<store::Story>& stories) {
  constexpr std::int64_t kResendsTold = 5;
  constexpr std::size_t kStoriesPerRead = 100;
  Resends found;
  for (std::size_t first = 0; first < stories.size(); first += kStoriesPerRead) {
    const auto read =
        co_await store_.read([&, first](store::ReadTransaction& reader) -> Result<void> {
          const std::size_t end = std::min(first + kStoriesPerRead, stories.size());
          for (std::size_t i = first; i < end; ++i) {
            const store::Story& story = stories[i];
            const auto head = reader.delivery_head(story.key.delivery);
            if (!head) continue;  // deleted meanwhile
            const auto of = reader.resend_of(head->key);
            if (!of) return fail(of.error());
            if (*of) found.of[head->key] = **of;
            auto later = reader.resends_of(head->account, story.email_id, kResendsTold);
            if (!later) return fail(std::move(later.error()));
            if (!later->empty()) found.later[story.key] = std::move(*later);
          }
          return {};
        });
    if (!read) co_return fail(read.error());
  }
  co_return found;
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
      const auto steering = reader.steering(key);
      if (!steering) return fail(steering.error());
      explain::SteeredWay way;
      if (steering->rules.quiet) way.quiet_until = quiet_until(*steering->rules.quiet, now);
      if (steering->rules.pace) way.pace = to_string(*steering->rules.pace);
      if (steering->rules.pace && head->expires) {
        way.of_all = head->counts.total;
        way.ends = *head->expires;
        way.left_over = left_over(*steering->rules.pace, steering->rules.quiet,
                                  head->counts.total - head->counts.terminal(), now, way.ends);
      }
      if (way.quiet_until || !way.pace.empty()) holds.steered[key] = std::move(way);
    }
    return holds;
  });
}

Task<Result<std::map<store::DeliveryKey, Instant>>> Operations::approvals_of(
    std::vector<store::DeliveryKey> deliveries) {
  using Until = std::map<store::DeliveryKey, Instant>;
  if (deliveries.empty()) co_return Until{};
  co_return co_await store_.read([deliveries](store::ReadTransaction& reader) -> Result<Until> {
    Until until;
    for (const store::DeliveryKey key : deliveries) {
      const auto approval = reader.approval(key);
      if (!approval) return fail(approval.error());
      const bool waits = *approval && (*approval)->state == store::ApprovalState::waiting;
      if (waits) until[key] = (*approval)->lapses;
    }
    return until;
  });
}

Task<Result<Explanation>> Operations::explain(ExplainRequest request) {
  auto found = co_await find_stories(request);
  if (!found) co_return fail(std::move(found.error()));
  Explanation& explanation = found->explanation;
  if (request.fills_subjects) {
    auto filled =
        co_await store_.read([&stories = explanation.stories](store::ReadTransaction& reader) {
          return fill_in_subjects(reader, stories);
        });
    if (!filled) co_return fail(std::move(filled.error()));
  }
  auto holds = co_await holds_of(held_in(explanation.stories));
  if (!holds) co_return fail(std::move(holds.error()));
  using enum DeliveryStatus;
  auto rate_holds = co_await rate_holds_of(bulk_in(explanation.stories, {sending}));
  if (!rate_holds) co_return fail(std::move(rate_holds.error()));
  auto approvals = co_await approvals_of(bulk_in(explanation.stories, {reserve, wait}));
  if (!approvals) co_return fail(std::move(approvals.error()));
  auto resends = co_await resends_of(explanation.stories);
  if (!resends) co_return fail(std::move(resends.error()));
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
      .steered = std::move(rate_holds->steered),
      .approvals = std::move(*approvals),
      .resend_of = std::move(resends->of),
      .resends = std::move(resends->later),
      .more = explanation.more,
      .of_all = found->of_all,
      .of_address = found->of_address,
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
