// SPDX-License-Identifier: Apache-2.0
#include "explain/reader_text.h"

#include <string_view>

#include <fmt/format.h>

#include "base/printable.h"
#include "explain/advice.h"
#include "feedback/classify/meaning.h"

namespace todoku::explain {
namespace {

// What happened, and what the reader can do.
struct ToReader {
  Sentence what;
  Sentence action;
};

constexpr Sentence kSentAgain{"Please tell us if you do not receive it: we will send it again.",
                              "届かない場合はご連絡ください。あらためてお送りします。"};

// Words may come from an operator's file: nothing but this one name stands for something.
std::string with_domain(std::string_view words, std::string_view domain) {
  constexpr std::string_view kDomain = "{domain}";
  std::string text(words);
  for (auto at = text.find(kDomain); at != text.npos; at = text.find(kDomain, at + domain.size())) {
    text.replace(at, kDomain.size(), domain);
  }
  return text;
}

ToReader taken_over() {
  return {{"Your mail provider accepted it.", "ご利用のメールサービスに受け取られています。"},
          {"If you do not find it, please look in the spam folder, and see whether your mail "
           "settings let mail from {domain} in.",
           "見当たらない場合は、迷惑メールフォルダーをご確認ください。あわせて、{domain} "
           "からのメールを受信できる設定になっているかをお確かめください。"}};
}

ToReader complained_of() {
  return {
      {"Your mail provider accepted it, and has told us since that it was reported as spam from "
       "your mailbox.",
       "ご利用のメールサービスに受け取られ、その後、迷惑メールとして申告されたとの連絡を受けて"
       "います。"},
      {"It may be in the spam folder. We send no more advertisements to this address; if it was "
       "reported by mistake, please tell us.",
       "迷惑メールフォルダーをご確認ください。このアドレスへのご案内の配信は停止しました。お間違"
       "えの場合はご連絡ください。"}};
}

ToReader on_its_way(Cause cause) {
  if (cause == Cause::mailbox_full) {
    return {{"It has not been delivered yet, because your mailbox is full.",
             "メールボックスの容量がいっぱいのため、まだお届けできていません。"},
            {"Please delete mail that you do not need: we try again by ourselves.",
             "不要なメールを削除してください。当方から自動で再送します。"}};
  }
  return {{"It has not been delivered yet. We are still trying.",
           "まだお届けできていません。引き続き送信しています。"},
          {"There is nothing that you need to do: we try again by ourselves.",
           "お客さまにしていただくことはありません。当方から自動で再送します。"}};
}

// Nothing goes on by itself: somebody has to let it.
ToReader waits_for_us() {
  return {{"It has not been delivered yet: its sending is stopped on our side for now.",
           "当方で送信を一時的に止めているため、まだお届けできていません。"},
          {"There is nothing that you need to do. If you need it soon, please tell us.",
           "お客さまにしていただくことはありません。お急ぎの場合はご連絡ください。"}};
}

ToReader stopped_before(RecipientState state) {
  if (state == RecipientState::dropped) {
    return {
        {"It was not sent, because mail to this address is stopped: either you asked us to, or "
         "earlier mail could not be delivered.",
         "このアドレスへの配信を停止しているため、お送りしていません（配信停止のお申し出、または"
         "以前のメールをお届けできなかったことによるものです）。"},
        {"If you wish to receive our mail again, please tell us.",
         "配信の再開をご希望の場合は、ご連絡ください。"}};
  }
  return {{"It was not sent: we withdrew it.", "当方で送信を取りやめたため、お送りしていません。"},
          {"There is nothing that you need to do.", "お客さまにしていただくことはありません。"}};
}

ToReader not_known() {
  return {{"We could not confirm whether your mail provider took it.",
           "ご利用のメールサービスに届いたかどうかを確認できませんでした。"},
          {"Please look in your inbox and in the spam folder; if it is not there, tell us, and we "
           "will send it again.",
           "受信箱と迷惑メールフォルダーをご確認ください。見当たらない場合はご連絡ください。"
           "あらためてお送りします。"}};
}

ToReader refused_address(Cause cause) {
  switch (cause) {
    case Cause::mailbox_full:
      return {{"It could not be delivered, because your mailbox is full.",
               "メールボックスの容量がいっぱいのため、お届けできませんでした。"},
              {"Please delete mail that you do not need, and tell us: we will send it again.",
               "不要なメールを削除のうえ、ご連絡ください。あらためてお送りします。"}};
    case Cause::mailbox_disabled:
      return {{"It could not be delivered, because your mailbox takes no mail at present.",
               "メールボックスが利用できない状態のため、お届けできませんでした。"},
              {"Please ask your mail provider, or give us another address.",
               "ご利用のメールサービスにお問い合わせいただくか、別のアドレスをお知らせください。"}};
    default:
      return {{"It could not be delivered, because the address was not found.",
               "アドレスが見つからないため、お届けできませんでした。"},
              {"Please see whether the address that you gave us is right, and tell us the right "
               "one.",
               "ご登録のアドレスに誤りがないかお確かめのうえ、正しいアドレスをお知らせください。"}};
  }
}

ToReader refused(Cause cause) {
  using feedback::classify::Whose;
  switch (cause) {
    case Cause::mailbox:
    case Cause::bad_address:
    case Cause::moved:
    case Cause::no_such_domain:
    case Cause::null_mx:
    case Cause::mailbox_full:
    case Cause::mailbox_disabled:
      return refused_address(cause);
    case Cause::forwarding:
      return {{"Your address took it and forwards its mail to another address, which did not take "
               "it.",
               "ご登録のアドレスには届きましたが、転送設定による転送先で受け取られませんでした。"},
              {"Please see whether the forwarding of your address is right, or give us the address "
               "where you read your mail.",
               "アドレスの転送設定をお確かめいただくか、普段お読みのアドレスをお知らせください。"}};
    case Cause::size:
    case Cause::over_size_limit:
      return {{"It could not be delivered, because it was larger than your mail provider takes.",
               "メールの容量がご利用のメールサービスの上限を超えたため、お届けできませんでした。"},
              {"We will see how to get its content to you another way.",
               "別の方法でお届けできるよう検討いたします。"}};
    case Cause::policy:
    case Cause::unclear:
    case Cause::content:
      return {
          {"Your mail provider, or a filter in your mail settings, did not let it in.",
           "ご利用のメールサービス、またはお客さまの受信設定により、お届けできませんでした。"},
          {"Please let mail from {domain} in by your mail settings, and tell us: we will send "
           "it again.",
           "{domain} からのメールを受信できるように設定のうえ、ご連絡ください。あらためてお送りし"
           "ます。"}};
    default:
      break;
  }
  switch (feedback::classify::whose(cause)) {
    case Whose::receiver:
    case Whose::network:
      return {
          {"It could not be delivered, because your mail provider could not be reached or did "
           "not take it for some time.",
           "ご利用のメールサービスに接続できない、または受け取られない状態が続いたため、お届けで"
           "きませんでした。"},
          kSentAgain};
    default:
      return {{"It could not be delivered, for a reason on our side, which we are mending.",
               "当方の都合によりお届けできませんでした。現在、対応しています。"},
              {"There is nothing that you need to do: we will send it again.",
               "お客さまにしていただくことはありません。あらためてお送りします。"}};
  }
}

// What the last attempt at a mail that ran out of time met.
Cause last_cause(const store::Story& story) {
  for (auto it = story.attempts.rbegin(); it != story.attempts.rend(); ++it) {
    const Cause cause = feedback::classify::cause_of(it->outcome);
    if (cause != Cause::out_of_time && cause != Cause::none) return cause;
  }
  return Cause::none;
}

ToReader told_by(const store::Story& story, const StoryOptions& options) {
  const Cause cause = last_cause(story);
  switch (story.state) {
    case RecipientState::delivered:
      return story.complained ? complained_of() : taken_over();
    case RecipientState::pending:
    case RecipientState::deferred:
      return waits_for_a_person(story, options) ? waits_for_us() : on_its_way(cause);
    case RecipientState::dropped:
      return cause == Cause::none || cause == Cause::suppressed ? stopped_before(story.state)
                                                                : refused(cause);
    case RecipientState::cancelled:
      return stopped_before(story.state);
    case RecipientState::unknown:
      return not_known();
    case RecipientState::bounced:
    case RecipientState::expired:
      return cause == Cause::in_doubt || cause == Cause::garbled_in_doubt ? not_known()
                                                                          : refused(cause);
  }
  return not_known();
}

// It may be changed or withdrawn still, or is to come at its hour.
bool is_unannounced(const store::Story& story) {
  return !is_terminal(story.state) && (story.delivery_status == DeliveryStatus::edit ||
                                       story.delivery_status == DeliveryStatus::importing ||
                                       story.delivery_status == DeliveryStatus::reserve);
}

}  // namespace

std::string reader_text(const store::Story& story, const StoryOptions& options) {
  if (is_unannounced(story)) return {};
  const ToReader told = told_by(story, options);
  std::string_view action = told.action.in(options.language);
  if (!story.attempts.empty() && !story.complained) {
    const store::Attempt& last = story.attempts.back();
    const Advice& advice = advice_for(last.outcome, !story.signing.empty(),
                                      {.address = story.address, .mx_host = last.path.mx_host});
    const std::string_view of_site = advice.reader.in(options.language);
    if (!of_site.empty() && is_terminal(story.state)) action = of_site;
  }
  constexpr Sentence kLetter{
      "Thank you for asking.\n\nWe looked into the mail \"{subject}\" to {address}, which we "
      "registered at {time}.\n\n{what}\n{action}\n\nWe are sorry for the trouble.\n",
      "お問い合わせありがとうございます。\n\n{address} 宛てのメール「{subject}」（{time} "
      "受付）の状況を確認しました。\n\n{what}\n{action}\n\nご不便をおかけし、申し訳ございません。"
      "\n"};
  const std::string domain =
      printable(std::string_view(story.from).substr(story.from.rfind('@') + 1));
  const std::string what(told.what.in(options.language));
  const std::string says = with_domain(action, domain);
  return fmt::format(fmt::runtime(kLetter.in(options.language)),
                     fmt::arg("subject", printable(story.subject)),
                     fmt::arg("address", printable(story.address)),
                     fmt::arg("time", time_text(story.created, options.offset)),
                     fmt::arg("what", what), fmt::arg("action", says));
}

}  // namespace todoku::explain
