// SPDX-License-Identifier: Apache-2.0
#include "explain/story_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "explain/advice.h"
#include "explain/own_words.h"
#include "explain/stage_words.h"
#include "explain/time_text.h"
#include "feedback/classify/meaning.h"

namespace todoku::explain {
namespace {

Sentence type_word(DeliveryType type) {
  switch (type) {
    case DeliveryType::transaction:
      return {"transaction", "トランザクション"};
    case DeliveryType::bulk:
      return {"bulk", "一斉配信"};
    case DeliveryType::smtp:
      return {"SMTP relay", "SMTP リレー"};
  }
  return {"", ""};
}

Sentence tls_words(TlsUse tls) {
  switch (tls) {
    case TlsUse::none:
      return {"no TLS", "TLS なし"};
    case TlsUse::unverified:
      return {"TLS, certificate not verified", "TLS、証明書は未検証"};
    case TlsUse::verified:
      return {"TLS, certificate verified", "TLS、証明書は検証済み"};
  }
  return {"", ""};
}

// With a stage: its life ended in mid-dialogue, by no fault of the receiver.
bool is_out_of_time(const Outcome& outcome) {
  return !outcome.is_attempt && feedback::classify::cause_of(outcome) == Cause::out_of_time;
}

// A mail that was taken and came back (RFC 3464), which is no attempt of ours.
bool came_back(const Outcome& outcome) {
  return !outcome.is_attempt && outcome.state == RecipientState::bounced;
}

const Advice& advice_of(const store::Story& story, const store::Attempt& attempt) {
  return advice_for(attempt.outcome, !story.signing.empty(),
                    {.address = story.address, .mx_host = attempt.path.mx_host});
}

class Teller {
 public:
  explicit Teller(const StoryOptions& options) : options_(options) {}

  void heading(std::string_view address, std::size_t count) {
    if (count == 0) {
      line(0,
           options_.of_address
               ? say({"{}: no mail to this address is on record.",
                      "{}: このアドレス宛のメールの記録はありません。"})
               : say({"{}: no such mail is on record.", "{}: 該当するメールの記録はありません。"}),
           printable(address));
      line(1, say({"What the API refused was not taken and is not on record: its answer says why.",
                   "API が拒否したメールは記録されません。理由はその応答にあります。"}));
    } else {
      line(0,
           count == 1 ? say({"{}: {} mail", "{}: {} 通"})
                      : say({"{}: {} mails, newest first", "{}: {} 通（新しい順）"}),
           printable(address), count);
      if (options_.more && options_.of_all > 0) {
        line(1,
             say({"{} of {} shown; for more: --limit or --all",
                  "{1} 通のうち {0} 通を表示。続きは --limit または --all で"}),
             count, options_.of_all);
      } else if (options_.more) {
        line(1, say({"there are more: --limit or --all", "続きは --limit または --all で"}));
      }
    }
  }

  void story(std::size_t number, const store::Story& story) {
    out_ += '\n';
    line(0, say({"{}. {}: \"{}\" from {}", "{}. {}: 「{}」 差出人 {}"}), number,
         say(state_word(story.state)), printable(story.subject), printable(story.from));
    line(3,
         say({"{}, delivery {}, mail {}, account {}, registered {}",
              "{}、配信 {}、メール {}、アカウント {}、登録 {}"}),
         say(type_word(story.type)), story.delivery_id, story.email_id, story.account,
         time(story.created));
    if (!story.attached.reference.empty()) {
      line(3, say({"Reference: {}", "参照番号: {}"}), printable(story.attached.reference));
    }
    if (!story.signing.empty()) {
      line(3, say({"DKIM key: {}", "DKIM 鍵: {}"}), printable(story.signing));
    }
    once_more(story);
    const Advice* before = nullptr;
    std::size_t waits = 0;  // lines of the story that are no attempts
    auto delay = story.delays.begin();
    for (const store::Attempt& attempt : story.attempts) {
      for (; delay != story.delays.end() && delay->at < attempt.at; ++delay) tell_delay(*delay);
      const Advice& advice = advice_of(story, attempt);
      if (!attempt.outcome.is_attempt) ++waits;
      tell(attempt, attempt.number - waits);
      // Saying the same again after every attempt would hide what is new.
      if (&advice != before) line(5, "{}", say(advice.meaning));
      before = &advice;
    }
    for (; delay != story.delays.end(); ++delay) tell_delay(*delay);
    complaint_of(story);
    out_of_attempts(story);
    failed_as_a_whole(story);
    what_to_do(story);
    if (!is_terminal(story.state) && options_.way_of) {
      if (const auto way = options_.way_of(story)) {
        line(3, say({"Site: {}, from {}", "サイト: {}、送信元 {}"}), printable(way->site),
             way->source);
        if (!way->pool.empty()) {
          line(3, say({"Pool: {}", "送信元プール: {}"}), printable(way->pool));
        }
      }
    }
    line(3, say({"Next: {}", "今後: {}"}), next_step(story, options_));
  }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  [[nodiscard]] std::string_view say(const Sentence& sentence) const {
    return sentence.in(options_.language);
  }
  [[nodiscard]] std::string time(Instant instant) const {
    return time_text(instant, options_.offset);
  }

  template <class... Parts>
  void line(std::size_t indent, std::string_view format, const Parts&... parts) {
    out_.append(indent, ' ');
    fmt::vformat_to(std::back_inserter(out_), format, fmt::make_format_args(parts...));
    out_ += '\n';
  }

  // What it says once more, and what says it once more.
  void once_more(const store::Story& story) {
    if (const auto first = options_.resend_of.find(story.key.delivery);
        first != options_.resend_of.end()) {
      line(3,
           say({"Sent once more: it says what mail {} said.",
                "再送: メール {} と同じ内容をもう一度送るものです。"}),
           first->second);
    }
    const auto later = options_.resends.find(story.key);
    if (later == options_.resends.end()) return;
    for (const store::PublicId delivery : later->second) {
      line(3,
           say({"It was sent once more, as delivery {}.",
                "このメールは、配信 {} として再送されています。"}),
           delivery);
    }
  }

  void failed_as_a_whole(const store::Story& story) {
    if (story.delivery_status != DeliveryStatus::failed || story.failure_reason.empty()) return;
    const std::string why = own_words(story.failure_reason, options_.language);
    if (story.reservation) {
      line(3,
           say({"Not sent: {} (it was to be sent at {}).", "送信していません: {}（予定: {}）。"}),
           why, time(*story.reservation));
    } else {
      line(3, say({"Not sent: {}.", "送信していません: {}。"}), why);
    }
  }

  void tell(const store::Attempt& attempt, std::size_t number) {
    const Outcome& outcome = attempt.outcome;
    const std::string at = time(attempt.at);
    // Of a look-up, and of what an engine that ended had in hand, nobody knows how long it took.
    const bool is_timed = attempt.duration > Milliseconds(0);
    const std::string duration = duration_text(attempt.duration, options_.language);
    const std::string took =
        is_timed ? std::string(say({", took ", "、所要 "})) + duration : std::string();
    if (!outcome.is_attempt && !is_terminal(outcome.state)) {
      line(3, "{}: {}", at,
           feedback::classify::cause_of(outcome) == Cause::set_aside
               ? say({"set aside by us, which is not an attempt",
                      "当方で隔離（試行には数えません）"})
               : say({"put back by us, which is not an attempt",
                      "当方の都合で待機（試行には数えません）"}));
    } else if (outcome.stage != Stage::none && is_out_of_time(outcome)) {
      line(3,
           say({"{}: broken off {} after {}, which is not an attempt",
                "{}: {}の段階で打ち切り（開始から {}。試行には数えません）"}),
           at, say(stage_words(outcome.stage)), duration);
    } else if (came_back(outcome)) {
      line(3,
           say({"{}: came back: what had been taken there could not be delivered, as a returned "
                "mail says",
                "{}: 戻ってきました: "
                "受信側がいったん受け取ったあと、配送できないと通知してきました"}),
           at);
    } else if (!outcome.is_attempt || outcome.stage == Stage::none) {
      line(3, "{}: {}", at,
           outcome.state == RecipientState::expired ? say({"given up", "打ち切り"})
                                                    : say(stage_words(outcome.stage)));
    } else if (outcome.state == RecipientState::delivered) {
      line(3, say({"Attempt {}, {}{}: accepted", "試行 {}、{}{}: 受理"}), number, at, took);
    } else {
      line(3, say({"Attempt {}, {}{}: ended {}", "試行 {}、{}{}: {}の段階で終了"}), number, at,
           took, say(stage_words(outcome.stage)));
    }
    if (!attempt.path.mx_host.empty()) line(5, "{}", path(attempt.path));
    if (outcome.charset_fell_back) {
      line(5, "{}",
           say({"sent in UTF-8: ISO-2022-JP cannot express all of its characters",
                "ISO-2022-JP で表せない文字があるため UTF-8 で送信"}));
    }
    if (outcome.reply.code != 0 || !outcome.reply.text.empty()) {
      line(5,
           outcome.reply.code != 0 ? say({"answer: {}", "応答: {}"})
                                   : say({"what happened: {}", "状況: {}"}),
           answer_text(outcome, options_.language));
    }
    went_out_with_the_commands(outcome);
  }

  // Nothing of ours: a server behind the one that took it tells that it goes on trying.
  void tell_delay(const store::Attempt& delay) {
    line(
        3,
        say({"{}: a returned mail tells that it is late: a server behind the one that had taken it "
             "still tries to deliver it",
             "{}: 遅延の通知が届きました: "
             "受け取ったサーバーより先で配送が遅れていて、そのサーバーが再送を続けています"}),
        time(delay.at));
    const Reply& reply = delay.outcome.reply;
    if (reply.code != 0 || !reply.text.empty()) {
      line(5, say({"answer: {}", "応答: {}"}), answer_text(delay.outcome, options_.language));
    }
    line(
        5, "{}",
        say({"There is nothing to do: it arrives later, or comes back, and then the story says so. "
             "Sending it anew now could make it arrive twice.",
             "対応は不要です。あとで届くか、届かずに戻ってくれば、その旨がここに加わります。いま送"
             "り直すと二重に届くことがあります。"}));
  }

  // A small mail is written together with its commands (RFC 2920, RFC 3030 section 2), so that it
  // may have arrived although not even the first of them was answered.
  void went_out_with_the_commands(const Outcome& outcome) {
    const Cause cause = feedback::classify::cause_of(outcome);
    if (cause != Cause::in_doubt && cause != Cause::garbled_in_doubt) return;
    if (outcome.stage == Stage::none || outcome.stage >= Stage::data) return;
    line(5, "{}",
         say({"All commands and the whole mail had been sent at once, before any of them was "
              "answered; the receiver may have read all of it. What is named above is only the "
              "first command whose answer did not come.",
              "コマンドとメール全体を、応答を待たずにまとめて送り終えていました。受信側はすべて読ん"
              "でいる可能性があります。上に示したのは、応答が来なかった最初のコマンドです。"}));
    // It ends whatever the connection did before (RFC 5321 section 4.1.1.5).
    if (outcome.reply.text.contains("RSET")) {
      line(5, "{}",
           say({"(RSET is the first command of a mail on a connection that was used before.)",
                "（RSET は、使用済みの接続で次のメールを送るときの最初のコマンドです。）"}));
    }
  }

  [[nodiscard]] std::string what_comes(const Advice& advice) const {
    const std::string_view comes = say(advice.comes);
    if (comes.empty()) return {};
    return (options_.language == Language::english ? " " : "") + std::string(comes);
  }

  [[nodiscard]] std::string path(const Path& path) const {
    std::string text = fmt::format("-> {}", printable(path.mx_host));
    if (!path.remote_ip.empty()) text += fmt::format(" [{}]", printable(path.remote_ip));
    if (!path.egress_source.empty()) {
      text += fmt::vformat(say({", from {}", "、送信元 {}"}),
                           fmt::make_format_args(path.egress_source));
    }
    text += say({", ", "、"});
    text += say(tls_words(path.tls));
    if (!path.tls_detail.empty()) {
      text += fmt::format(" ({})", own_words(printable(path.tls_detail), options_.language));
    }
    return text;
  }

  // As the provider of its reader told it (RFC 5965).
  void complaint_of(const store::Story& story) {
    if (!story.complained) return;
    line(3,
         say({"{}: its reader calls it spam: the provider has told of a complaint",
              "{}: 受信者が迷惑メールとして申告しました（受信側事業者からの通知）"}),
         time(*story.complained));
    line(
        5, "{}",
        say({"It had arrived, and may lie in the spam folder since. Advertisements to this address "
             "are stopped (suppression list, reason complaint).",
             "メールは届いていて、以後は迷惑メールフォルダーにあると考えられます。このアドレスへの"
             "広告宣伝メールは停止しました（配信停止リスト、理由は complaint）。"}));
  }

  // An attempt was the last one, whether or not there was time left; or there was none at all.
  void out_of_attempts(const store::Story& story) {
    if (story.state != RecipientState::expired) return;
    const bool never = std::ranges::all_of(story.attempts, [](const store::Attempt& attempt) {
      return attempt.outcome.stage == Stage::none && is_out_of_time(attempt.outcome);
    });
    if (never) {
      line(3,
           say({"It was never tried: until its time ran out it waited for its turn (a connection, "
                "the pace or a rest of the receiver, a running engine, or its account to be "
                "resumed).",
                "一度も試していません。期限まで順番待ちのままでした（接続の空き、受信側の速度制限や"
                "休止、エンジンの停止、アカウントの停止のいずれか）。"}));
      return;
    }
    const store::Attempt& last = story.attempts.back();
    if (!last.outcome.is_attempt) return;
    if (!story.expires || last.at + last.duration >= *story.expires) {
      line(3, say({"Given up: its time ran out with that attempt.",
                   "打ち切り: この試行で期限が過ぎました。"}));
      return;
    }
    line(3,
         say({"Given up: its next attempt would have come after the end of its life at {}.",
              "打ち切り: 次の試行が期限の {} より後になるため、再送しません。"}),
         time(*story.expires));
  }

  void what_to_do(const store::Story& story) {
    if (story.set_aside) {
      line(3,
           say({"To do: report it to the maintainers with the log and the core of the process that "
                "died; once it is mended: todoku stuck release {} {}",
                "対応: "
                "異常終了したプロセスのログとコアダンプを添えて開発元に知らせ、直ったら次を実行して"
                "ください: todoku stuck release {} {}"}),
           story.account, story.email_id);
      return;
    }
    if (story.state == RecipientState::pending) return;
    if (story.complained && story.state == RecipientState::delivered) {
      line(3, "{}",
           say({"To do: send this reader no advertisements; ask how the address came to the list, "
                "and let the way out of it be easy to find.",
                "対応: この受信者に広告宣伝メールを送らないでください。アドレスを登録した経緯を確か"
                "め、配信停止の方法を見つけやすくしてください。"}));
      return;
    }
    std::string action;
    const auto in_doubt = std::ranges::find_if(story.attempts, [](const store::Attempt& attempt) {
      const Cause cause = feedback::classify::cause_of(attempt.outcome);
      return cause == Cause::in_doubt || cause == Cause::garbled_in_doubt;
    });
    if (story.state == RecipientState::expired && in_doubt != story.attempts.end()) {
      action = say({"It may have arrived all the same: ask the recipient before sending it anew.",
                    "届いている可能性もあります。受信者に確かめてから送り直してください。"});
    } else if (story.state == RecipientState::expired) {
      action = say({"Once the cause is solved, send the mail again.",
                    "原因が解消したら、送り直してください。"});
    } else if (!story.attempts.empty()) {
      const Outcome& last = story.attempts.back().outcome;
      const Advice& advice = advice_of(story, story.attempts.back());
      action = say(advice.action);
      const bool waits_for_key =
          !is_terminal(story.state) && feedback::classify::cause_of(last) == Cause::key_missing;
      if (!is_terminal(story.state)) action += what_comes(advice);
      if (waits_for_key) action += key_command(story);
      const bool failed = story.state == RecipientState::bounced ||
                          story.state == RecipientState::dropped ||
                          story.state == RecipientState::cancelled;
      if (failed && in_doubt != story.attempts.end()) {
        action +=
            say({" An earlier attempt may have arrived all the same: ask the recipient before "
                 "sending it anew.",
                 "以前の試行で届いている可能性もあります。受信者に確かめてから送り直してくださ"
                 "い。"});
      }
    } else {
      const Outcome outcome{.state = story.state, .stage = Stage::none, .reply = {}};
      action = say(advice_for(outcome, !story.signing.empty()).action);
    }
    line(3, say({"To do: {}", "対応: {}"}), action);
  }

  // What a mail is signed with is stored as "example.jp:s1,s2" (app/key_ring.h).
  [[nodiscard]] std::string key_command(const store::Story& story) const {
    const std::string_view signing = story.signing;
    const std::size_t colon = signing.find(':');
    if (colon == signing.npos) return {};
    const std::string_view selectors = signing.substr(colon + 1);
    return fmt::format("{}todoku dkim import --account {} --domain {} --selector {} --pem FILE",
                       say({" The command: ", "コマンド: "}), story.account,
                       printable(signing.substr(0, colon)),
                       printable(selectors.substr(0, selectors.find(','))));
  }

  const StoryOptions& options_;
  std::string out_;
};

}  // namespace

std::string tell_stories(std::string_view address, std::span<const store::Story> stories,
                         const StoryOptions& options) {
  Teller teller(options);
  teller.heading(address, stories.size());
  std::size_t number = 0;
  for (const store::Story& story : stories) teller.story(++number, story);
  return teller.take();
}

}  // namespace todoku::explain
