// SPDX-License-Identifier: Apache-2.0
#include "explain/next_step.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/printable.h"
#include "explain/advice_book.h"
#include "explain/own_words.h"
#include "explain/pace_words.h"
#include "explain/stage_words.h"
#include "explain/time_text.h"
#include "feedback/classify/meaning.h"

namespace todoku::explain {
namespace {

using delivery::policy::PaceReason;

bool has_plan_to_come(const Way& way) {
  return way.pace && way.pace->reason == PaceReason::not_begun;
}

bool is_warming_up(const Way& way) {
  return way.pace && way.pace->reason == PaceReason::warming_up;
}

bool is_suspended(const Way& way) {
  return way.pace && way.pace->reason == PaceReason::suspended;
}

// "0.5", "20"
std::string shown_pace(double messages_per_second) {
  return messages_per_second < 10 ? fmt::format("{:.1f}", messages_per_second)
                                  : fmt::format("{:.0f}", messages_per_second);
}

// Says what comes, of one mail.
class NextStep {
 public:
  NextStep(const store::Story& story, const StoryOptions& options)
      : story_(story), options_(options) {
    if (options.way_of && options.engine_running) way_ = options.way_of(story);
  }

  [[nodiscard]] std::string of_open() const {
    if (way_ && way_->at_hand) return of_one_at_hand(*way_) + or_given_up_after(*way_->at_hand);
    if (story_.set_aside) return of_set_aside();
    if (story_.on_its_way) return of_one_on_its_way();
    if (has_begun()) {
      const std::string ends = whose_life_is_over();
      if (!ends.empty()) return ends;
      if (story_.account_suspended) return of_suspended() + or_given_up();
      if (story_.delivery_paused) return of_paused() + or_given_up();
      if (const RateHold* const there = held_there()) return of_held_there(*there) + or_given_up();
      if (!story_.credential_held.empty()) return of_held() + or_given_up();
      const std::string quiet = of_quiet_hours();
      if (!quiet.empty()) return quiet + or_given_up();
      if (options_.drains_until) return of_draining() + or_given_up();
      if (options_.engine_running && !options_.missing_roles.empty()) {
        return of_missing_roles() + or_given_up();
      }
    }
    // Whatever time it is reserved for, that comes to nothing as long as it is held.
    const bool is_committed = story_.delivery_status == DeliveryStatus::reserve ||
                              story_.delivery_status == DeliveryStatus::wait;
    const bool is_held = !story_.credential_held.empty() && !story_.account_suspended;
    if (is_committed && is_held) {
      return of_held() + of_reservation();
    }
    return story_.state == RecipientState::deferred ? of_deferred() : of_pending();
  }

  [[nodiscard]] bool waits_for_a_person() const {
    if ((way_ && way_->at_hand) || story_.on_its_way) return false;
    const bool goes_out = options_.engine_running && story_.in_hand;
    return story_.set_aside || (story_.account_suspended && !goes_out) || story_.delivery_paused ||
           !story_.credential_held.empty() || held_there() != nullptr;
  }

  // Of one that is not this process's to tell about: where to ask.
  [[nodiscard]] std::string of_elsewhere() const {
    if (options_.elsewhere.empty()) return {};
    if (story_.in_hand) {
      return words(
          {" The engine of node {} has it in hand: only there it is known how far it has come; ask "
           "there, with `todoku explain`.",
           "このメールはノード {} のエンジンが扱っています。進み具合はそちらにしか分から"
           "ないため、そちらで `todoku explain` を実行してください。"},
          options_.elsewhere);
    }
    return words({" The engine runs as node {}, which is not asked here; it may know more: ask "
                  "there, with `todoku explain`.",
                  "エンジンはノード {} として動作中で、ここからは確かめられません。詳しくは、"
                  "そちらで `todoku explain` を実行してください。"},
                 options_.elsewhere);
  }

  // Of one whose engine ended without a word, as far as next_step() has not said so.
  [[nodiscard]] std::string of_interrupted() const {
    if (options_.engine_running || !story_.in_hand || story_.at_most_once) return {};
    return words(
        {" The engine had it in hand when it ended: if it was just being sent, it goes a second "
         "time.",
         "エンジンは、このメールを扱っている途中で終了しました。送信の途中だったときは、二重に届く"
         "こ"
         "とがあります。"});
  }

 private:
  template <class... Parts>
  [[nodiscard]] std::string words(const Sentence& sentence, const Parts&... parts) const {
    return fmt::vformat(sentence.in(options_.language), fmt::make_format_args(parts...));
  }
  [[nodiscard]] std::string at(Instant when) const { return time_text(when, options_.offset); }
  [[nodiscard]] std::string in(Instant when) const {
    return duration_text(when - options_.now, options_.language);
  }
  [[nodiscard]] bool comes(const std::optional<Instant>& when) const {
    return when && *when > options_.now;
  }

  [[nodiscard]] bool has_begun() const {
    return story_.delivery_status == DeliveryStatus::sending ||
           story_.delivery_status == DeliveryStatus::sent;
  }

  // Only mail that is sent at most once is known to be on its way (store/work.h).
  [[nodiscard]] std::string of_one_on_its_way() const {
    if (options_.engine_running) {
      return words(
          {"it is on its way just now: what the receiver says to it is recorded next. If "
           "that is never known, it becomes unknown and is not sent again.",
           "送信中で、結果はこのあと記録します。結果が分からなければ「不明」になり、再送し"
           "ません。"});
    }
    return words(
        {"it was on its way when the engine ended: it may have arrived. It becomes "
         "unknown as soon as an engine runs, and is not sent again.",
         "送信の途中でエンジンが終了しました。届いている可能性があります。エンジンが動くと"
         "「不明」になり、再送しません。"});
  }

  // Empty: it is not.
  [[nodiscard]] std::string whose_life_is_over() const {
    const auto end = given_up_at();
    if (!end || *end > options_.now) return {};
    return words({"its time ran out at {}: it is given up as soon as the engine comes to it.",
                  "{} に期限が過ぎました。エンジンが処理しだい打ち切ります。"},
                 at(*end));
  }

  [[nodiscard]] std::string of_suspended() const {
    if (options_.engine_running && story_.in_hand) {
      return words(
          {"its account is suspended, but the engine has it in hand already: what is in "
           "hand still goes out.",
           "アカウントは停止中ですが、すでにエンジンが取り出しているため、このあと送信しま"
           "す。"});
    }
    return words({"nothing as long as the account is suspended; resume it with `todoku account "
                  "resume {}`.",
                  "アカウントが停止中のため送信しません。`todoku account resume {}` "
                  "で停止を解除してください。"},
                 story_.account);
  }

  // nullptr: no rate holds it back, at `site` or (empty) as a whole.
  [[nodiscard]] const RateHold* rate_hold(std::string_view site) const {
    const auto known = options_.rate_holds.find(story_.key.delivery);
    if (known == options_.rate_holds.end()) return nullptr;
    const auto found = std::ranges::find(known->second, site, &RateHold::site);
    return found == known->second.end() ? nullptr : &*found;
  }
  // Where nobody knows its way, it goes where the rules say that its address goes.
  [[nodiscard]] const RateHold* held_there() const {
    const std::string_view site = way_ ? std::string_view(way_->site)
                                       : advice_in_force().site_of({.address = story_.address});
    return site.empty() ? nullptr : rate_hold(site);
  }

  [[nodiscard]] std::string of_held_there(const RateHold& hold) const {
    return words(
        {"nothing as long as delivery {0} is held back at {1}, before that receiver blocks "
         "its sender ({2}); take out the addresses that do not exist, then it goes on with "
         "`todoku bulk resume {0}`.",
         "受信側 {1} にブロックされる前に、配信 {0} の {1} 宛を止めています（{2}）。存在しな"
         "いアドレスを除いてから、`todoku bulk resume {0}` で再開します。"},
        story_.delivery_id, hold.site, own_words(printable(hold.because), options_.language));
  }

  // Of one that is pending and may be of the rest; empty: its delivery has no canary.
  [[nodiscard]] std::string of_canary() const {
    const auto known = options_.canaries.find(story_.key.delivery);
    if (known == options_.canaries.end() || !comes(known->second)) return {};
    return words({"delivery {} goes to a few recipients at each receiver first; the others follow "
                  "at {}, in {}, if all goes well with these.",
                  "配信 {} は、まず受信側ごとに一部の宛先にだけ送っています。問題がなければ、残り"
                  "は {} から送ります（{}後）。"},
                 story_.delivery_id, at(known->second), in(known->second));
  }

  // Empty: it is none of its delivery's now.
  [[nodiscard]] std::string of_quiet_hours() const {
    const auto known = options_.steered.find(story_.key.delivery);
    if (known == options_.steered.end() || !comes(known->second.quiet_until)) return {};
    const Instant until = *known->second.quiet_until;
    return words({"nothing in the quiet hours of delivery {0}; it goes on at {1}, in {2}; to send "
                  "now all the same: `todoku bulk quiet-hours {0} none`.",
                  "配信 {0} は静音時間帯のため送信しません。{1} に再開します（{2}後）。すぐに送る"
                  "には `todoku bulk quiet-hours {0} none` を実行してください。"},
                 story_.delivery_id, at(until), in(until));
  }

  // Empty: its delivery goes as fast as it can.
  [[nodiscard]] std::string of_pace() const {
    const auto known = options_.steered.find(story_.key.delivery);
    if (known == options_.steered.end() || known->second.pace.empty()) return {};
    return words(
               {"it goes out when it is its turn: delivery {0} goes at {1} at most, as its sender "
                "wants it; to change that: `todoku bulk pace {0}`.",
                "順番が来たら送信します。送信者の指定により、配信 {0} の送信は最大 {1} "
                "です。変更するには `todoku bulk pace {0}` を実行してください。"},
               story_.delivery_id, known->second.pace) +
           too_slow(known->second, options_.language, options_.offset);
  }

  [[nodiscard]] std::string of_paused() const {
    if (const RateHold* const hold = rate_hold({})) {
      return words({"nothing: delivery {0} was paused to protect its sender ({1}); find out where "
                    "such addresses come from, then it goes on with `todoku bulk resume {0}`.",
                    "送信者を保護するため、配信 {0} を一時停止しています（{1}）。アドレスの入手元を"
                    "確かめてから、`todoku bulk resume {0}` で再開します。"},
                   story_.delivery_id, own_words(printable(hold->because), options_.language));
    }
    return words({"nothing as long as delivery {0} is paused; it goes on with `todoku bulk "
                  "resume {0}`.",
                  "配信 {0} が一時停止中のため送信しません。`todoku bulk resume {0}` "
                  "で再開します。"},
                 story_.delivery_id);
  }

  [[nodiscard]] std::string of_held() const {
    return words({"nothing as long as the SMTP credential {0} is held{2}; it goes on with `todoku "
                  "smtp-credential release {1} {0}`.",
                  "SMTP 認証情報 {0} が保留中{2}のため送信しません。`todoku smtp-credential "
                  "release {1} {0}` で再開します。"},
                 story_.credential_held, story_.account, why_held());
  }

  // Since when, and why.
  [[nodiscard]] std::string why_held() const {
    const auto known = options_.holds.find(story_.credential_held);
    if (known == options_.holds.end()) return {};
    return words({" (since {}: {})", "（{} から。理由: {}）"}, at(known->second.since),
                 printable(known->second.because));
  }

  [[nodiscard]] std::string of_reservation() const {
    if (!story_.reservation) return {};
    return words({" It is reserved for {}.", "予約日時: {}。"}, at(*story_.reservation));
  }

  [[nodiscard]] std::string of_draining() const {
    if (story_.state == RecipientState::deferred && comes(story_.due)) {
      return words({"the engine is draining and stops: attempt {} goes on at {}, or after the next "
                    "start if that is later.",
                    "エンジンは停止の準備中です。{} 回目の試行は、{} "
                    "か、次の起動のあとのどちらか遅いほうに行います。"},
                   next_number(), at(*story_.due));
    }
    return words(
        {"the engine is draining and begins nothing more: it goes on after the next "
         "start.",
         "エンジンは停止の準備中で、新たな送信を始めません。次の起動のあとに送信します。"});
  }

  [[nodiscard]] std::string of_missing_roles() const {
    return words(
        {"nothing until a process with the role {} runs (engine.roles): none works on this store "
         "now.",
         "{} の役割（engine.roles）のプロセスが動いていないため、送信しません。起動しだい再開しま"
         "す。"},
        fmt::format("{}", fmt::join(options_.missing_roles, ", ")));
  }

  // When it is given up, if that is known.
  [[nodiscard]] std::optional<Instant> given_up_at() const {
    if (story_.expires) return story_.expires;
    const auto expiry =
        story_.type == DeliveryType::bulk ? options_.bulk_expiry : options_.transactional_expiry;
    if (!expiry || !story_.started) return std::nullopt;
    return *story_.started + *expiry;
  }
  // `not_before`: nothing is tried until then.
  [[nodiscard]] std::string or_given_up(std::optional<Instant> not_before = std::nullopt) const {
    const auto end = given_up_at();
    if (!end) return {};
    if (not_before && *not_before >= *end) {
      return words({" But its life ends before that: it is given up at {}.",
                    "ただしその前に期限が来るため、{} に打ち切ります。"},
                   at(*end));
    }
    return words(
        {" If it does not get through, it is given up at {}.", "届かなければ {} に打ち切ります。"},
        at(*end));
  }

  // The answer to a mail that is out is awaited beyond the end of its life: until it comes nothing
  // is given up.
  [[nodiscard]] std::string or_given_up_after(const AtHand& at_hand) const {
    const auto end = given_up_at();
    const auto until = ends_by_itself(at_hand);
    const bool outlives = at_hand.content_is_out && until && end && *until > *end;
    if (!outlives) return or_given_up();
    return words({" If it does not get through now, it is not tried again: its life ends at {}.",
                  "今回届かなければ再送しません（期限 {}）。"},
                 at(*end));
  }

  // A draining engine waits no longer than it drains, and nobody sends content after the end of the
  // mail's life.
  [[nodiscard]] std::optional<Instant> ends_by_itself(const AtHand& at_hand) const {
    auto until = at_hand.until;
    if (!until) return until;
    if (options_.drains_until) until = std::min(*until, *options_.drains_until);
    const auto end = given_up_at();
    if (!at_hand.content_is_out && end) until = std::min(*until, *end);
    return until;
  }

  [[nodiscard]] std::string of_one_at_hand(const Way& way) const {
    std::string text = of_dialogue(way);
    if (story_.account_suspended) {
      text += words({" Its account is suspended: if it does not get through now, it waits until "
                     "`todoku account resume {}`.",
                     "アカウントは停止中です。今回届かなければ、`todoku account resume {}` "
                     "まで待機します。"},
                    story_.account);
    }
    if (!options_.drains_until) return text;
    if (!way.at_hand->content_is_out) {
      return text + words({" The engine is draining: what is not over at {} is broken off and goes "
                           "on after the next start.",
                           "エンジンは停止の準備中です。{} "
                           "までに終わらなければ打ち切り、次の起動のあとに送信します。"},
                          at(*options_.drains_until));
    }
    if (story_.at_most_once) {
      return text + words({" The engine is draining: without an answer until {} it becomes unknown "
                           "and is not sent again.",
                           "エンジンは停止の準備中です。{} "
                           "までに応答がなければ「不明」になり、再送しません。"},
                          at(*options_.drains_until));
    }
    return text + words({" The engine is draining: without an answer until {} it is sent again "
                         "after the next start, perhaps a second time.",
                         "エンジンは停止の準備中です。{} "
                         "までに応答がなければ次の起動のあとに再送するため、二重に届くことがありま"
                         "す。"},
                        at(*options_.drains_until));
  }

  [[nodiscard]] std::string of_dialogue(const Way& way) const {
    const AtHand& at_hand = *way.at_hand;
    const auto until = ends_by_itself(at_hand);
    std::string text =
        words({"it is being sent to {} from {} just now, for {} so far.",
               "{} へ送信中です（送信元 {}、開始から {}）。"},
              way.site, way.source, duration_text(options_.now - at_hand.since, options_.language));
    if (!comes(until)) return text;
    if (at_hand.stage == Stage::connect) {
      return text + words({" A host of the receiver is being connected to, until {}, in {}, at "
                           "most.",
                           "受信側のホストへの接続を最長で {} まで待ちます（あと {}）。"},
                          at(*until), in(*until));
    }
    if (at_hand.content_is_out && at_hand.stage == Stage::data) {
      return text +
             words({" The whole mail is out, and the receiver's answer to it is awaited "
                    "until {}, in {}, at most; it may have taken the mail already.",
                    "メールは送り終え、それに対する受信側の応答を最長で {} まで待ちます（あと "
                    "{}）。すでに受け取られている可能性もあります。"},
                   at(*until), in(*until));
    }
    const std::string stage(stage_words(at_hand.stage).in(options_.language));
    text += words({" The receiver's answer {} is awaited until {}, in {}, at most.",
                   "{}の段階で、受信側の応答を最長で {} まで待ちます（あと {}）。"},
                  stage, at(*until), in(*until));
    // A small mail by BDAT goes out together with the commands (RFC 3030 section 2, RFC 2920).
    if (at_hand.content_is_out) {
      text += words({" The whole mail went out with the commands; it may have taken it already.",
                     "メールの内容もコマンドと一緒に送り終えているため、すでに受け取られている可能"
                     "性もあります。"});
    }
    return text;
  }

  [[nodiscard]] std::string of_set_aside() const {
    std::string text = words(
        {"nothing until an operator releases it.", "管理者が隔離を解除するまで送信しません。"});
    if (const auto end = given_up_at()) {
      text +=
          words({" If nobody does, it is given up at {}.", "解除しなければ {} に打ち切ります。"},
                at(*end));
    }
    return text;
  }

  [[nodiscard]] std::string of_pending() const {
    const auto approval = options_.approvals.find(story_.key.delivery);
    if (approval != options_.approvals.end()) {
      return words({"nothing until somebody else approves it; if nobody has by {}, it fails.",
                    "別の利用者が承認するまで送信しません。{} "
                    "までに承認されなければ、この配信は失敗になります。"},
                   at(approval->second));
    }
    switch (story_.delivery_status) {
      case DeliveryStatus::edit:
      case DeliveryStatus::importing:
        return words({"nothing until the delivery is committed.",
                      "配信が確定（コミット）されるまで送信しません。"});
      case DeliveryStatus::reserve:
        if (comes(story_.reservation)) {
          const std::string starts =
              words({"it starts at {}, in {}.", "{} に送信を始めます（{}後）。"},
                    at(*story_.reservation), in(*story_.reservation));
          if (!story_.account_suspended && options_.drains_until) {
            return starts + words({" But the engine is draining: not unless it runs again by then.",
                                   "ただしエンジンは停止の準備中です。それまでに再び起動しなければ"
                                   "始めません。"});
          }
          if (!story_.account_suspended) return starts;
          return starts +
                 words({" But the account is suspended: not unless it is resumed by then with "
                        "`todoku account resume {}`.",
                        "ただしアカウントは停止中です。それまでに `todoku account resume {}` "
                        "で停止を解除しなければ始めません。"},
                       story_.account);
        }
        [[fallthrough]];
      case DeliveryStatus::wait:
        if (story_.account_suspended) {
          return words({"nothing as long as the account is suspended; resume it with `todoku "
                        "account resume {}`.",
                        "アカウントが停止中のため送信を始めません。`todoku account resume {}` "
                        "で停止を解除してください。"},
                       story_.account);
        }
        if (options_.drains_until) return of_draining();
        return words({"it is about to start.", "まもなく送信を始めます。"});
      case DeliveryStatus::sending:
      case DeliveryStatus::sent: {
        const std::string waits = why_it_waits();
        if (!waits.empty()) return waits + or_given_up(waits_until());
        const std::string pace = of_pace();
        if (!pace.empty()) return pace + or_given_up();
        const std::string canary = of_canary();
        if (!canary.empty()) return canary + or_given_up();
        return words({"it goes out as soon as it is its turn and the receiver's limits allow.",
                      "順番が来しだい、受信側の制限の範囲で送信します。"}) +
               or_given_up();
      }
      case DeliveryStatus::failed:
        return words({"nothing: the delivery as a whole was given up.",
                      "配信全体が中止されたため、送信しません。"});
    }
    return {};
  }

  // Of the next attempt.
  [[nodiscard]] std::int64_t next_number() const {
    const auto others = std::ranges::count_if(
        story_.attempts, [](const store::Attempt& line) { return !line.outcome.is_attempt; });
    return 1 + (story_.attempts.empty() ? 0 : story_.attempts.back().number - others);
  }

  // Nothing is tried before, whatever it waits for.
  [[nodiscard]] std::optional<Instant> waits_until() const {
    std::optional<Instant> until = story_.not_before;
    if (way_) until = std::max({until, way_->rests_until, way_->opens_none_until});
    return until;
  }

  [[nodiscard]] std::string of_deferred() const {
    const std::int64_t number = next_number();
    if (!comes(story_.due)) {
      std::string waits = why_it_waits();
      if (waits.empty()) waits = for_want_of_ours();
      if (waits.empty()) {
        return words({"attempt {} is due and starts as soon as a connection is free.",
                      "{} 回目の試行の時刻になりました。接続が空きしだい行います。"},
                     number) +
               or_given_up();
      }
      return words({"attempt {} is due, but ", "{} 回目の試行の時刻を過ぎていますが、"}, number) +
             waits + or_given_up(waits_until());
    }
    const std::string condition = condition_of_ours();
    std::string text = options_.language == Language::japanese
                           ? fmt::format("{}{} 回目の試行を {} に行います（{}後）。", condition,
                                         number, at(*story_.due), in(*story_.due))
                           : fmt::format("attempt {} at {}, in {}{}.", number, at(*story_.due),
                                         in(*story_.due), condition);
    if (way_ && way_->rests_until && *way_->rests_until > *story_.due) {
      text += words({" But {} rests until {}, {}: not before.",
                     "ただし {} への送信は {} まで休止中のため、それより後になります（{}）。"},
                    way_->site, at(*way_->rests_until), why_it_rests());
      return text + or_given_up(way_->rests_until);
    }
    return text + or_given_up(story_.due);
  }

  // What must be mended here first, if the last line of the story says so.
  [[nodiscard]] Cause missing() const {
    if (story_.attempts.empty() || story_.attempts.back().outcome.is_attempt) return Cause::none;
    return feedback::classify::cause_of(story_.attempts.back().outcome);
  }
  [[nodiscard]] std::string condition_of_ours() const {
    switch (missing()) {
      case Cause::key_missing:
        return words({", if the signing key is there then", "署名鍵が戻っていれば、"});
      case Cause::content_unreadable:
        return words({", if the content can be read then", "内容を読めるようになっていれば、"});
      case Cause::cannot_compose:
        return words({", if the mail can be made then", "メールを作れるようになっていれば、"});
      case Cause::resolver_doubted:
        return words(
            {", if our resolver can be believed then", "当方の DNS リゾルバーが直っていれば、"});
      case Cause::own_shortage:
        return words({", if this machine has what a connection takes then",
                      "接続に必要な資源がこのマシンにそろっていれば、"});
      default:
        return {};
    }
  }
  [[nodiscard]] std::string for_want_of_ours() const {
    switch (missing()) {
      case Cause::key_missing:
        return words({"it waits for the signing key.", "署名鍵が戻るのを待っています。"});
      case Cause::content_unreadable:
        return words({"it waits for its content to be readable.",
                      "内容を読めるようになるのを待っています。"});
      case Cause::cannot_compose:
        return words(
            {"it waits until it can be made.", "メールを作れるようになるのを待っています。"});
      case Cause::resolver_doubted:
        return words({"it waits for our resolver (dns.servers).",
                      "当方の DNS リゾルバー（dns.servers）が直るのを待っています。"});
      case Cause::own_shortage:
        return words({"it waits for what this machine lacks for a connection.",
                      "接続に必要な資源がこのマシンで空くのを待っています。"});
      default:
        return {};
    }
  }

  // "after 3 failures in a row, the last: 421 4.3.2 come back later"
  [[nodiscard]] std::string why_it_rests() const {
    const std::string last = reply_text(way_->failure, options_.language);
    return way_->failures == 1
               ? words({"after a failure: {}", "直前の失敗: {}"}, last)
               : words({"after {} failures in a row, the last: {}", "連続 {} 回失敗、直近: {}"},
                       way_->failures, last);
  }

  // Of a mail that is due; empty: nobody knows of a reason.
  [[nodiscard]] std::string why_it_waits() const {
    if (way_) {
      const std::string waits = why_its_lane_waits(*way_);
      if (!waits.empty()) return waits;
    }
    if (comes(story_.not_before)) {
      // What is missing here is known better than that it was given back.
      const std::string ours = for_want_of_ours();
      if (!ours.empty()) {
        return ours +
               words({" It is looked at again at {}, in {}.", "次は {} に確かめます（{}後）。"},
                     at(*story_.not_before), in(*story_.not_before));
      }
      // Mails that are ahead of their delivery's pace are given back until it has come to them.
      const std::string pace = of_pace();
      if (!pace.empty()) return pace;
      return words(
          {"it waits until {}, in {}: it was given back then because its receiver, or "
           "something of ours, could not take it.",
           "受信側または当方の都合でいったん戻されたため、{} まで待機しています（あと {}）。"},
          at(*story_.not_before), in(*story_.not_before));
    }
    if (way_ && way_->waiting > 0 && !story_.in_hand) {
      return words(
          {"it waits behind {} other mails to {}.", "{1} への順番待ちが、ほかに {0} 通あります。"},
          way_->waiting, way_->site);
    }
    return {};
  }

  [[nodiscard]] std::string why_its_lane_waits(const Way& way) const {
    if (comes(way.opens_none_until) && way.wants_room) {
      return words({"it waits: mails under way take all the memory in which mails are composed; "
                    "the next connection from {} is begun at {}, in {}.",
                    "送信中のメールがメール作成用のメモリーを使い切っているため待機しています。送信"
                    "元 {} からの次の接続は {} に始めます（{}後）。"},
                   way.source, at(*way.opens_none_until), in(*way.opens_none_until));
    }
    if (comes(way.opens_none_until)) {
      return words(
          {"it waits: this machine lacks what a connection from {} takes (a file, a "
           "port, memory, the address, or its proxy does not serve it: the log says "
           "which); the next one is begun at {}, in {}.",
           "送信元 {} "
           "からの接続に必要な資源（ファイル、ポート、メモリー、アドレス）がこのマシンで足"
           "りないか、プロキシが応じないため待機しています（詳細はログ）。次は {} に試します"
           "（{}後）。"},
          way.source, at(*way.opens_none_until), in(*way.opens_none_until));
    }
    if (comes(way.rests_until) && has_plan_to_come(way)) {
      const Instant begins = way.pace->until.value_or(*way.rests_until);
      return words(
          {"it waits: {} is to warm up, and its plan begins at {}, in {} (warm_up_from); waiting "
           "uses up no attempt.",
           "送信元 {} のウォームアップは {}（{}後、warm_up_from）に始まるため、待機しています。"
           "待機は試行に数えません。"},
          way.source, at(begins), in(begins));
    }
    if (comes(way.rests_until) && is_warming_up(way) && !way.overflows) {
      return words({"it waits: {} is warming up, and what its plan lets it send to {} today has "
                    "gone. It goes at {}, in {}; waiting uses up no attempt.",
                    "送信元 {0} はウォームアップ中で、{1} へ今日送れる通数に達したため待機していま"
                    "す。{2}（{3}後）に送ります。待機は試行に数えません。"},
                   way.source, way.site, at(*way.rests_until), in(*way.rests_until));
    }
    if (comes(way.rests_until) && is_warming_up(way)) {
      return words(
          {"it waits: {} is warming up, and what its plan lets it send to {} today has "
           "gone. It goes by another source of its pool, or at {}, in {}; waiting uses up "
           "no attempt.",
           "送信元 {0} はウォームアップ中で、{1} へ今日送れる通数に達したため待機しています"
           "。同じプールの別の送信元から送るか、{2}（{3}後）に送ります。待機は試行に数えま"
           "せん。"},
          way.source, way.site, at(*way.rests_until), in(*way.rests_until));
    }
    if (comes(way.rests_until) && is_suspended(way)) {
      return words({"it waits: an automation stopped what {} sends to {} until {}, in {}.",
                    "自動対応により {0} から {1} への送信を {2} まで止めているため待機しています"
                    "（あと {3}）。"},
                   way.source, way.site, at(*way.rests_until), in(*way.rests_until));
    }
    if (comes(way.rests_until)) {
      return words(
          {"it waits: {} rests until {}, in {}, for {} ({}).",
           "{} への送信を {} まで休止しているため待機しています（あと {}、送信元 {}、{}）。"},
          way.site, at(*way.rests_until), in(*way.rests_until), way.source, why_it_rests());
    }
    if (way.failures > 0) {
      return words({"it waits: {} is tried with one mail at a time until it has answered one ({}).",
                    "{} が応答するまで 1 通ずつ試しているため待機しています（{}）。"},
                   way.site, why_it_rests());
    }
    if (way.waiting == 0) return {};
    if (way.in_line && way.connections == 0) {
      return words(
          {"it waits for a connection: all that the engine may have at once "
           "(smtp_out.connections_max) are in use.",
           "エンジン全体の接続数の上限（smtp_out.connections_max）まで使用中のため、接続が空く"
           "のを待っています。"});
    }
    if (const bool full = way.pace && way.connections >= way.pace->connections_max;
        way.pace && (full || comes(way.next_permit))) {
      return words(
          {"it waits: {} other mails or more are in its lane, and {} gets {} a second over "
           "at most {} connections now: {}.",
           "{1} へは今、毎秒 {2} 通、接続 {3} 本までで送っているため待機しています（順番"
           "待ち {0} 通、理由: {4}）。"},
          way.waiting, way.site, shown_pace(way.pace->messages_per_second),
          way.pace->connections_max, pace_words(way.pace->reason).in(options_.language));
    }
    if (comes(way.next_permit)) {
      return words({"it waits: {} other mails or more are in its lane, and {} gets no more than "
                    "its messages_per_second.",
                    "{1} への送信速度を messages_per_second "
                    "で制限しているため待機しています（順番待ち {0} 通）。"},
                   way.waiting, way.site);
    }
    if (way.connections >= way.connections_max) {
      return words({"it waits: all {} connections to {} from {} are in use, and {} mails wait for "
                    "them.",
                    "{1} への接続（送信元 {2}）が上限の {0} "
                    "本とも使用中のため待機しています（順番待ち {3} 通）。"},
                   way.connections, way.site, way.source, way.waiting);
    }
    return {};
  }

  const store::Story& story_;
  const StoryOptions& options_;
  std::optional<Way> way_;
};

}  // namespace

std::string too_slow(const SteeredWay& way, Language language, std::chrono::minutes offset) {
  if (way.left_over == 0) return {};
  constexpr Sentence kTooSlow{
      " At this pace about {} of its {} mails are not begun before {}, when its life ends.",
      "この速度では、{1} 通のうち約 {0} 通が期限の {2} までに送られません。"};
  return fmt::format(fmt::runtime(kTooSlow.in(language)), way.left_over, way.of_all,
                     time_text(way.ends, offset));
}

bool waits_for_a_person(const store::Story& story, const StoryOptions& options) {
  return !is_terminal(story.state) && NextStep(story, options).waits_for_a_person();
}

std::string next_step(const store::Story& story, const StoryOptions& options) {
  if (is_terminal(story.state)) {
    return std::string(
        Sentence{"nothing more is done.", "これ以上は何も行いません。"}.in(options.language));
  }
  const NextStep next(story, options);
  std::string text = next.of_open() + next.of_interrupted() + next.of_elsewhere();
  if (!options.engine_running) {
    text += Sentence{" But the engine is not running: start it with `todoku serve`.",
                     "ただしエンジンは停止中です。`todoku serve` で起動してください。"}
                .in(options.language);
  }
  return text;
}

}  // namespace todoku::explain
