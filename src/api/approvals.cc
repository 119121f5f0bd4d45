// SPDX-License-Identifier: Apache-2.0
// What waits for a second person's word: told to whoever may read, decided by people who are signed
// in. Not in the contract.
#include "api/approvals.h"

#include <charconv>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "api/answers.h"
#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/members.h"
#include "base/bytes.h"
#include "base/date_time.h"
#include "http/json.h"

namespace todoku::api {
namespace {

constexpr std::int64_t kTold = 100;

struct AskedFor {
  store::Approval approval;
  store::Delivery head;
};

std::string_view reason_word(store::MayNotDecide why) {
  switch (why) {
    case store::MayNotDecide::not_signed_in:
      return "not_signed_in";
    case store::MayNotDecide::no_right:
      return "no_right";
    case store::MayNotDecide::own:
      return "own";
    case store::MayNotDecide::own_key:
      return "own_key";
    case store::MayNotDecide::unknown_maker:
      return "unknown_maker";
  }
  return "no_right";
}

intake::Text sentence_of(store::MayNotDecide why) {
  switch (why) {
    case store::MayNotDecide::not_signed_in:
      return {"people approve, signed in at the console; keys do not.",
              "承認・差し戻しは、コンソールにログインした利用者だけが行えます。APIキーではできませ"
              "ん。"};
    case store::MayNotDecide::no_right:
      return {"your role does not send, so it does not approve either.",
              "このロールには送信権限がないため、承認・差し戻しはできません。"};
    case store::MayNotDecide::own:
      return {"you committed or changed it last: somebody else has to approve it.",
              "最後に確定または変更したのはご自身です。別の方の承認が必要です。"};
    case store::MayNotDecide::own_key:
      return {"a key that you made committed or changed it: somebody else has to approve it.",
              "ご自身が作成したAPIキーで確定または変更されています。別の方の承認が必要です。"};
    case store::MayNotDecide::unknown_maker:
      return {"nobody knows whose key committed it: owners and operators alone approve it.",
              "確定に使われたAPIキーの作成者が不明です。オーナーまたは運用者だけが承認できます。"};
  }
  return {"not yours to decide.", "承認・差し戻しはできません。"};
}

// Keys decide nothing, whoever made them.
store::Approver approver_of(const Call& call) {
  store::Approver approver{.who = call.asked_by(),
                           .may_send = has(call.scopes, store::Scope::send),
                           .in_charge = call.in_charge};
  if (call.usher == nullptr) approver.who.person = store::PersonKey{};
  return approver;
}

// "api key 7" is a key with the name 7, "person 3 (sato@example.jp)" that person.
void who_member(http::JsonWriter& json, std::string_view name, std::string_view actor) {
  constexpr std::string_view kKey = "api key ";
  std::string_view kind = "command";
  std::string_view who = actor;
  if (actor.starts_with(kKey)) {
    kind = "key";
    who = actor.substr(kKey.size());
  } else if (actor.starts_with("person ") && actor.ends_with(')')) {
    kind = "person";
    const std::size_t open = actor.find('(');
    if (open != std::string_view::npos) who = actor.substr(open + 1, actor.size() - open - 2);
  }
  json.key(name);
  json.begin_object();
  json.member("kind", kind);
  json.member("name", who);
  json.end_object();
}

void write_approval(http::JsonWriter& json, const AskedFor& asked, const Call& call) {
  const store::Approval& approval = asked.approval;
  const bool is_waiting = approval.state == store::ApprovalState::waiting;
  const auto why_not = store::may_not_decide(approval, approver_of(call));
  json.begin_object();
  json.member("delivery_id", asked.head.id);
  json.member("subject", asked.head.content.subject);
  json.member("recipients", asked.head.counts.total);
  json.member("state", word_of(approval.state));
  json.member("revision", approval.revision);
  who_member(json, "asked_by", approval.asked_by.actor);
  date_or_null(json, "asked_at", approval.asked);
  date_or_null(json, "lapses_at", approval.lapses);
  date_or_null(json, "reservation_time", asked.head.reservation);
  if (approval.decided && !approval.decided_by.actor.empty()) {
    who_member(json, "decided_by", approval.decided_by.actor);
  } else {
    json.null_member("decided_by");
  }
  date_or_null(json, "decided_at", approval.decided);
  json.member("reason", approval.reason);
  json.member("may_approve", is_waiting && !why_not);
  json.member("why_not", why_not ? reason_word(*why_not) : std::string_view());
  json.end_object();
}

Task<Result<AskedFor>> find(Api& api, const Call& call, store::PublicId id) {
  return api.store().read(
      [account = call.account.key, id](store::ReadTransaction& reader) -> Result<AskedFor> {
        auto head = reader.delivery_head(account, id);
        if (!head) return fail(std::move(head.error()));
        auto approval = reader.approval(head->key);
        if (!approval) return fail(std::move(approval.error()));
        if (!*approval) return fail(ErrorKind::not_found, "nobody asked for an approval of it");
        return AskedFor{.approval = std::move(**approval), .head = std::move(*head)};
      });
}

http::Response told(const AskedFor& asked, const Call& call) {
  http::JsonWriter json;
  write_approval(json, asked, call);
  return http::Response::json(200, json.take());
}

Task<http::Response> show(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto asked = co_await find(api, call, *id);
  if (!asked) co_return refused(intake::refusal_of(asked.error()), call.language);
  co_return told(*asked, call);
}

Task<http::Response> list_waiting(Api& api, Call& call) {
  using All = std::vector<AskedFor>;
  const auto all = co_await api.store().read(
      [account = call.account.key](store::ReadTransaction& reader) -> Result<All> {
        auto waiting = reader.approvals_waiting(account, kTold + 1);
        if (!waiting) return fail(std::move(waiting.error()));
        All found;
        for (store::Approval& approval : *waiting) {
          auto head = reader.delivery_head(approval.delivery);
          // Deleted since, in a store that answers of another moment.
          if (!head && head.error().kind == ErrorKind::not_found) continue;
          if (!head) return fail(std::move(head.error()));
          found.push_back({.approval = std::move(approval), .head = std::move(*head)});
        }
        return found;
      });
  if (!all) co_return refused(intake::refusal_of(all.error()), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.key("approvals");
  json.begin_array();
  std::int64_t number = 0;
  for (const AskedFor& asked : *all) {
    if (++number <= kTold) write_approval(json, asked, call);
  }
  json.end_array();
  json.member("more", number > kTold);
  json.end_object();
  co_return http::Response::json(200, json.take());
}

// What is said with a decision.
struct Word {
  std::int64_t revision = 0;
  std::string reason;
};

Word read_word(const Fields& fields, bool approves) {
  Word word;
  const std::string digits = fields.scalar("revision").value_or("");
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), word.revision);
  const bool is_number = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  if (!fields.is_given("revision")) {
    fields.problems().add(fields.path_to("revision"), intake::texts::required());
  } else if (!is_number || word.revision < 1) {
    fields.problems().add(fields.path_to("revision"), intake::texts::invalid_format(digits));
  }
  if (approves) return word;
  word.reason = fields.text("reason").value_or("");
  if (word.reason.empty()) {
    fields.problems().add(fields.path_to("reason"), intake::texts::required());
  } else if (utf8_length(word.reason) > store::kApprovalReasonMax) {
    fields.problems().add(fields.path_to("reason"),
                          intake::texts::length(1, store::kApprovalReasonMax));
  }
  return word;
}

Task<http::Response> decide(Api& api, Call& call, bool approves) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  Form form;
  if (auto bad = co_await read_form(api, call, false, form); bad) co_return std::move(*bad);
  const std::span<const Member> known = approves ? std::span<const Member>(members::kApprove)
                                                 : std::span<const Member>(members::kSendBack);
  call.unknown = unknown_members(form.object(), known);
  intake::Problems problems;
  Word word = read_word(Fields(form.object(), {}, problems), approves);
  refuse_lost_members(form.object(), known, problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  const auto asked = co_await find(api, call, *id);
  if (!asked) co_return refused(intake::refusal_of(asked.error()), call.language);
  const store::Approver approver = approver_of(call);
  if (const auto why_not = store::may_not_decide(asked->approval, approver)) {
    co_return refused(403, sentence_of(*why_not), call.language);
  }
  intake::Deciding who{.approver = approver, .origin = call.from.to_string()};
  const auto done =
      approves ? co_await api.intake().approve(call.account, std::move(who), *id, word.revision)
               : co_await api.intake().send_back(call.account, std::move(who), *id, word.revision,
                                                 std::move(word.reason));
  if (!done && done.error().kind == ErrorKind::conflict) {
    co_return refused(409, intake::texts::not_as_it_waits(), call.language);
  }
  if (!done) co_return refused(done.error(), call.language);
  co_return co_await show(api, call);
}

Task<http::Response> approve(Api& api, Call& call) {
  return decide(api, call, true);
}
Task<http::Response> send_back(Api& api, Call& call) {
  return decide(api, call, false);
}

}  // namespace

std::string_view word_of(store::ApprovalState state) {
  switch (state) {
    case store::ApprovalState::waiting:
      return "waiting";
    case store::ApprovalState::approved:
      return "approved";
    case store::ApprovalState::sent_back:
      return "sent_back";
    case store::ApprovalState::lapsed:
      return "lapsed";
    case store::ApprovalState::over:
      return "void";
  }
  return "void";
}

Task<void> warn_of_approval(Api& api, Call& call, store::PublicId id) {
  const auto asked = co_await find(api, call, id);
  // What was asked for is done, whatever can be read now.
  if (asked && asked->approval.state == store::ApprovalState::waiting) {
    add_warning(call, kWaitsForApproval);
  }
}

void add_approval_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/deliveries/approvals", kRead, &list_waiting);
  api.add(router, get, "/deliveries/{delivery_id}/approval", kRead, &show);
  api.add(router, post, "/deliveries/{delivery_id}/approval/approve", kSend, &approve);
  api.add(router, post, "/deliveries/{delivery_id}/approval/send_back", kSend, &send_back);
}

}  // namespace todoku::api
