// SPDX-License-Identifier: Apache-2.0
// The fields that each service documents, in its own order, and what becomes of them.
#include <array>

#include "api/doors/fields.h"

namespace todoku::api::doors {
namespace {

using enum Taking;

constexpr Sentence kFrom{"`from`; its domain has to be proven by the account",
                         "`from`。ドメインはアカウントが証明済みであること"};
constexpr Sentence kTo{
    "`To`: eleven addresses at most; a name is not written, and a warning says so",
    "`To`。11件まで。名前は書かれず、警告ヘッダーで知らせる"};
constexpr Sentence kCc{"`cc`: ten at most", "`cc`。10件まで"};
constexpr Sentence kBcc{"`bcc`: ten at most", "`bcc`。10件まで"};
constexpr Sentence kReplyTo{"`reply_to`: one address", "`reply_to`。1件"};
constexpr Sentence kSubject{"`subject`", "`subject`"};
constexpr Sentence kText{"`text_part`", "`text_part`"};
constexpr Sentence kHtml{"`html_part`", "`html_part`"};
constexpr Sentence kHeaders{
    "`headers`; List-Unsubscribe and List-Unsubscribe-Post become `list_unsubscribe`",
    "`headers`。List-UnsubscribeとList-Unsubscribe-Postは`list_unsubscribe`になる"};
constexpr Sentence kFiles{"attachments; with a content id, parts that the HTML shows",
                          "添付ファイル。content idがあればHTMLに表示するインライン画像"};
constexpr Sentence kPartOfFile{"of the file", "ファイルの属性"};
constexpr Sentence kShownId{
    "of the file; of one to be attached where the HTML in the request refers to it",
    "ファイルの属性。添付扱いのものは、リクエスト内のHTMLが参照するときに使う"};
constexpr Sentence kTag{"`tags`, as `name:value`", "`tags`に`name:value`として"};
constexpr Sentence kMetadata{"`metadata`", "`metadata`"};
constexpr Sentence kSendAt{"`send_at`", "`send_at`"};
constexpr Sentence kNoSections{"values are put in by dynamic_template_data or substitutions",
                               "値はdynamic_template_dataかsubstitutionsで差し込みます"};
constexpr Sentence kTemplate{"`template`: the name of one that the account keeps, or its id",
                             "`template`。アカウントのテンプレートの名前またはID"};
constexpr Sentence kData{
    "`data`: text, numbers, booleans, and objects of them; lists are refused, there is no logic",
    "`data`。文字列・数値・真偽値とそのオブジェクト。配列は拒否。条件や繰り返しはない"};
constexpr Sentence kNoTopics{"there are no topics here: leave it out",
                             "トピックはありません。省いてください"};
constexpr Sentence kNoFetching{"nothing is fetched from elsewhere: send the content itself",
                               "外部からは取得しません。内容そのものを送ってください"};
constexpr Sentence kNoClicks{"links are never rewritten", "リンクの書き換えはしません"};
constexpr Sentence kNoPools{"sources are chosen by the installation",
                            "送信元はシステム側が選びます"};
constexpr Sentence kStopsHold{"suppression is not bypassed", "配信停止は迂回できません"};
constexpr Sentence kWords{"the text is sent as it is", "本文は送られたまま配信されます"};

constexpr std::array kResend{
    Field{"from", taken, kFrom},
    Field{"to", taken, kTo},
    Field{"subject", taken, kSubject},
    Field{"bcc", taken, kBcc},
    Field{"cc", taken, kCc},
    Field{"scheduled_at",
          taken,
          {"`send_at`: a date and time of ISO 8601, no words such as \"in 1 min\"",
           "`send_at`。ISO 8601の日時。「in 1 min」のような言葉は不可"}},
    Field{"reply_to", taken, kReplyTo},
    Field{"html", taken, kHtml},
    Field{"text", taken, kText},
    Field{
        "react",
        refused,
        {"the package makes HTML of it before it is sent", "パッケージが送信前にHTMLへ変換します"}},
    Field{"headers", taken, kHeaders},
    Field{"topic_id", refused, kNoTopics},
    Field{"attachments", taken, kFiles},
    Field{"attachments[].content", taken, {"in base64", "base64"}},
    Field{"attachments[].filename", taken, kPartOfFile},
    Field{"attachments[].path", refused, kNoFetching},
    Field{"attachments[].content_type", taken, kPartOfFile},
    Field{"attachments[].content_id", taken, kPartOfFile},
    Field{"attachments[].inline_content_id", taken, kPartOfFile},
    Field{"tags", taken, kTag},
    Field{"tags[].name", taken, kTag},
    Field{"tags[].value", taken, kTag},
    Field{"template", taken, kTemplate},
    Field{"template.id", taken, kTemplate},
    Field{"template.variables", taken, kData}};

constexpr std::array kPostmark{
    Field{"From", taken, kFrom},
    Field{"To", taken, kTo},
    Field{"Cc", taken, kCc},
    Field{"Bcc", taken, kBcc},
    Field{"Subject", taken, kSubject},
    Field{"Tag", taken, {"`tags`", "`tags`"}},
    Field{"HtmlBody", taken, kHtml},
    Field{"TextBody", taken, kText},
    Field{"ReplyTo", taken, kReplyTo},
    Field{"Headers", taken, kHeaders},
    Field{"Headers[].Name", taken, kHeaders},
    Field{"Headers[].Value", taken, kHeaders},
    Field{"TrackOpens", taken, {"`open_tracking`", "`open_tracking`"}},
    Field{"TrackLinks", only_off, kNoClicks},
    Field{"Metadata", taken, kMetadata},
    Field{"Attachments", taken, kFiles},
    Field{"Attachments[].Name", taken, kPartOfFile},
    Field{"Attachments[].Content", taken, {"in base64", "base64"}},
    Field{"Attachments[].ContentType", taken, kPartOfFile},
    Field{"Attachments[].ContentID", taken, kPartOfFile},
    Field{"MessageStream",
          taken,
          {"`outbound`, which is the default; any other is not there (error 1235)",
           "既定の`outbound`のみ。ほかは存在しない (エラー1235)"}}};

constexpr std::array kPostmarkTemplates{
    Field{"TemplateId", taken, kTemplate},
    Field{"TemplateAlias", taken, kTemplate},
    Field{"TemplateModel", taken, kData},
    Field{"InlineCss",
          only_off,
          {"styles stay where the template has them", "スタイルはテンプレートのまま送ります"}},
    Field{"From", taken, kFrom},
    Field{"To", taken, kTo},
    Field{"Cc", taken, kCc},
    Field{"Bcc", taken, kBcc},
    Field{"Tag", taken, {"`tags`", "`tags`"}},
    Field{"ReplyTo", taken, kReplyTo},
    Field{"Headers", taken, kHeaders},
    Field{"Headers[].Name", taken, kHeaders},
    Field{"Headers[].Value", taken, kHeaders},
    Field{"TrackOpens", taken, {"`open_tracking`", "`open_tracking`"}},
    Field{"TrackLinks", only_off, kNoClicks},
    Field{"Metadata", taken, kMetadata},
    Field{"Attachments", taken, kFiles},
    Field{"Attachments[].Name", taken, kPartOfFile},
    Field{"Attachments[].Content", taken, {"in base64", "base64"}},
    Field{"Attachments[].ContentType", taken, kPartOfFile},
    Field{"Attachments[].ContentID", taken, kPartOfFile},
    Field{"MessageStream",
          taken,
          {"`outbound`, which is the default; any other is not there (error 1235)",
           "既定の`outbound`のみ。ほかは存在しない (エラー1235)"}}};

constexpr std::array kSendgrid{
    Field{"personalizations", taken, {"a mail each, 1,000 at most", "1件が1通。1,000件まで"}},
    Field{"personalizations[].from", taken, kFrom},
    Field{"personalizations[].from.email", taken, kFrom},
    Field{"personalizations[].from.name", taken, kFrom},
    Field{"personalizations[].to", taken, kTo},
    Field{"personalizations[].to[].email", taken, kTo},
    Field{"personalizations[].to[].name", taken, kTo},
    Field{"personalizations[].cc", taken, kCc},
    Field{"personalizations[].cc[].email", taken, kCc},
    Field{"personalizations[].cc[].name", taken, kCc},
    Field{"personalizations[].bcc", taken, kBcc},
    Field{"personalizations[].bcc[].email", taken, kBcc},
    Field{"personalizations[].bcc[].name", taken, kBcc},
    Field{"personalizations[].subject", taken, kSubject},
    Field{"personalizations[].headers", taken, kHeaders},
    Field{"personalizations[].substitutions",
          taken,
          {"put into subject, texts and headers", "件名・本文・ヘッダーに差し込む"}},
    Field{"personalizations[].dynamic_template_data", taken, kData},
    Field{"personalizations[].custom_args", taken, kMetadata},
    Field{"personalizations[].send_at", taken, kSendAt},
    Field{"from", taken, kFrom},
    Field{"from.email", taken, kFrom},
    Field{"from.name", taken, kFrom},
    Field{"reply_to", taken, kReplyTo},
    Field{"reply_to.email", taken, kReplyTo},
    Field{"reply_to.name", taken, kReplyTo},
    Field{"reply_to_list", taken, kReplyTo},
    Field{"reply_to_list[].email", taken, kReplyTo},
    Field{"reply_to_list[].name", taken, kReplyTo},
    Field{"subject", taken, kSubject},
    Field{"content",
          taken,
          {"`text/plain` becomes `text_part`, `text/html` `html_part`; one of each",
           "`text/plain`は`text_part`、`text/html`は`html_part`になる。各1つ"}},
    Field{"content[].type", taken, {"`text/plain` or `text/html`", "`text/plain`か`text/html`"}},
    Field{"content[].value", taken, {"the text", "本文"}},
    Field{"attachments", taken, kFiles},
    Field{"attachments[].content", taken, {"in base64", "base64"}},
    Field{"attachments[].type", taken, kPartOfFile},
    Field{"attachments[].filename", taken, kPartOfFile},
    Field{"attachments[].disposition",
          taken,
          {"`attachment` or `inline`; any other is refused", "`attachment`か`inline`。ほかは拒否"}},
    Field{"attachments[].content_id", taken, kShownId},
    Field{"template_id", taken, kTemplate},
    Field{"sections", refused, kNoSections},
    Field{"headers", taken, kHeaders},
    Field{"categories", taken, {"`tags`: ten at most", "`tags`。10件まで"}},
    Field{"custom_args", taken, kMetadata},
    Field{"send_at", taken, kSendAt},
    Field{"batch_id",
          refused,
          {"a mail is cancelled by its own id", "取り消しはメールごとのIDで行います"}},
    Field{"asm",
          refused,
          {"unsubscribe groups have no counterpart: use headers",
           "配信停止グループはありません。headersを使ってください"}},
    Field{"ip_pool_name", refused, kNoPools},
    Field{"mail_settings", taken, {"see below", "下記"}},
    Field{"mail_settings.bypass_list_management", only_off, kStopsHold},
    Field{"mail_settings.bypass_spam_management", only_off, kStopsHold},
    Field{"mail_settings.bypass_bounce_management", only_off, kStopsHold},
    Field{"mail_settings.bypass_unsubscribe_management", only_off, kStopsHold},
    Field{"mail_settings.bcc", only_off, {"use bcc", "bccを使ってください"}},
    Field{"mail_settings.footer", only_off, kWords},
    Field{"mail_settings.spam_check", only_off, kWords},
    Field{"mail_settings.sandbox_mode",
          taken,
          {"checked as ever, answered with 200, and nothing is sent",
           "通常どおり検査し、200を返し、送信しない"}},
    Field{"mail_settings.sandbox_mode.enable", taken, {"see above", "上記"}},
    Field{"tracking_settings", taken, {"see below", "下記"}},
    Field{"tracking_settings.click_tracking", only_off, kNoClicks},
    Field{"tracking_settings.open_tracking", taken, {"`open_tracking`", "`open_tracking`"}},
    Field{"tracking_settings.open_tracking.enable", taken, {"`open_tracking`", "`open_tracking`"}},
    Field{"tracking_settings.open_tracking.substitution_tag", refused, kWords},
    Field{"tracking_settings.subscription_tracking", only_off, kWords},
    Field{"tracking_settings.ganalytics", only_off, kNoClicks}};

constexpr Sentence kNoSets{"there are no configuration sets here: NotFoundException",
                           "設定セットはありません (NotFoundException)"};
constexpr Sentence kNoTemplateArns{
    "a template is named by TemplateName: NotFoundException",
    "テンプレートはTemplateNameで指定してください (NotFoundException)"};
constexpr Sentence kOwnBounces{"failures are told by events and webhooks",
                               "不達はイベントとWebhookで知らせます"};
constexpr Sentence kNoArns{"there are no identities of others here",
                           "ほかのアカウントの識別子はありません"};
constexpr Sentence kNoLists{"there are no contact lists here: use headers",
                            "連絡先リストはありません。headersを使ってください"};
constexpr Sentence kOurEncoding{"encodings are chosen here", "符号化はこちらで選びます"};
constexpr Sentence kCharset{"JSON is UTF-8", "JSONはUTF-8です"};
constexpr Sentence kTemplateText{
    "`{{name}}` is put in, in HTML escaped unless it is `{{{name}}}`; nothing else of Handlebars",
    "`{{name}}`を差し込む。HTMLではエスケープし、`{{{name}}}`"
    "はしない。Handlebarsのほかの構文は不可"};
constexpr Sentence kTemplateData{"the values, a JSON object in a text",
                                 "値。JSONオブジェクトの文字列"};

constexpr Sentence kWhole{
    "a whole message, sent on as it is: to Destination, else to its To, Cc and Bcc, 50 at most",
    "完成したメッセージ。そのまま送る。宛先はDestination、なければTo・Cc・Bcc。50件まで"};

constexpr std::array kSes{
    Field{"FromEmailAddress", taken, kFrom},
    Field{"FromEmailAddressIdentityArn", refused, kNoArns},
    Field{"Destination", taken, kTo},
    Field{"Destination.ToAddresses", taken, kTo},
    Field{"Destination.CcAddresses", taken, kCc},
    Field{"Destination.BccAddresses", taken, kBcc},
    Field{"ReplyToAddresses", taken, kReplyTo},
    Field{"FeedbackForwardingEmailAddress", refused, kOwnBounces},
    Field{"FeedbackForwardingEmailAddressIdentityArn", refused, kNoArns},
    Field{"Content", taken, {"Simple, Raw or Template", "Simple・Raw・Templateのどれか"}},
    Field{"Content.Simple", taken, {"the mail", "メール"}},
    Field{"Content.Simple.Subject", taken, kSubject},
    Field{"Content.Simple.Subject.Data", taken, kSubject},
    Field{"Content.Simple.Subject.Charset", holds, kCharset},
    Field{"Content.Simple.Body", taken, {"the texts", "本文"}},
    Field{"Content.Simple.Body.Text", taken, kText},
    Field{"Content.Simple.Body.Text.Data", taken, kText},
    Field{"Content.Simple.Body.Text.Charset", holds, kCharset},
    Field{"Content.Simple.Body.Html", taken, kHtml},
    Field{"Content.Simple.Body.Html.Data", taken, kHtml},
    Field{"Content.Simple.Body.Html.Charset", holds, kCharset},
    Field{"Content.Simple.Headers", taken, kHeaders},
    Field{"Content.Simple.Headers[].Name", taken, kHeaders},
    Field{"Content.Simple.Headers[].Value", taken, kHeaders},
    Field{"Content.Simple.Attachments", taken, kFiles},
    Field{"Content.Simple.Attachments[].RawContent", taken, {"in base64", "base64"}},
    Field{"Content.Simple.Attachments[].FileName", taken, kPartOfFile},
    Field{"Content.Simple.Attachments[].ContentType", taken, kPartOfFile},
    Field{"Content.Simple.Attachments[].ContentDisposition",
          taken,
          {"`ATTACHMENT` or `INLINE`; any other is refused", "`ATTACHMENT`か`INLINE`。ほかは拒否"}},
    Field{"Content.Simple.Attachments[].ContentId", taken, kShownId},
    Field{"Content.Simple.Attachments[].ContentDescription",
          refused,
          {"no part has a description here", "パートの説明は書きません"}},
    Field{"Content.Simple.Attachments[].ContentTransferEncoding", holds, kOurEncoding},
    Field{"Content.Raw", taken, kWhole},
    Field{"Content.Raw.Data",
          taken,
          {"in base64; 2 MiB at most. Lines may end in LF", "base64。2 MiBまで。改行はLFでも可"}},
    Field{"Content.Template", taken, kTemplateText},
    Field{"Content.Template.TemplateName", taken, kTemplate},
    Field{"Content.Template.TemplateArn", taken, kNoTemplateArns},
    Field{"Content.Template.TemplateContent", taken, kTemplateText},
    Field{"Content.Template.TemplateContent.Subject", taken, kSubject},
    Field{"Content.Template.TemplateContent.Text", taken, kText},
    Field{"Content.Template.TemplateContent.Html", taken, kHtml},
    Field{"Content.Template.TemplateData", taken, kTemplateData},
    Field{"Content.Template.Headers", taken, kHeaders},
    Field{"Content.Template.Headers[].Name", taken, kHeaders},
    Field{"Content.Template.Headers[].Value", taken, kHeaders},
    Field{"Content.Template.Attachments",
          refused,
          {"attach files to Simple", "添付ファイルはSimpleで送ってください"}},
    Field{"EmailTags", taken, kTag},
    Field{"EmailTags[].Name", taken, kTag},
    Field{"EmailTags[].Value", taken, kTag},
    Field{"ConfigurationSetName", taken, kNoSets},
    Field{"EndpointId", refused, kNoPools},
    Field{"TenantName",
          refused,
          {"an access key is of one account", "アクセスキーは1つのアカウントのものです"}},
    Field{"ListManagementOptions", refused, kNoLists}};

constexpr std::array kSesBulk{
    Field{"FromEmailAddress", taken, kFrom},
    Field{"FromEmailAddressIdentityArn", refused, kNoArns},
    Field{"ReplyToAddresses", taken, kReplyTo},
    Field{"FeedbackForwardingEmailAddress", refused, kOwnBounces},
    Field{"FeedbackForwardingEmailAddressIdentityArn", refused, kNoArns},
    Field{"DefaultEmailTags", taken, kTag},
    Field{"DefaultEmailTags[].Name", taken, kTag},
    Field{"DefaultEmailTags[].Value", taken, kTag},
    Field{"DefaultContent", taken, kTemplateText},
    Field{"DefaultContent.Template", taken, kTemplateText},
    Field{"DefaultContent.Template.TemplateName", taken, kTemplate},
    Field{"DefaultContent.Template.TemplateArn", taken, kNoTemplateArns},
    Field{"DefaultContent.Template.TemplateContent", taken, kTemplateText},
    Field{"DefaultContent.Template.TemplateContent.Subject", taken, kSubject},
    Field{"DefaultContent.Template.TemplateContent.Text", taken, kText},
    Field{"DefaultContent.Template.TemplateContent.Html", taken, kHtml},
    Field{"DefaultContent.Template.TemplateData", taken, kTemplateData},
    Field{"DefaultContent.Template.Headers", taken, kHeaders},
    Field{"DefaultContent.Template.Headers[].Name", taken, kHeaders},
    Field{"DefaultContent.Template.Headers[].Value", taken, kHeaders},
    Field{
        "DefaultContent.Template.Attachments",
        refused,
        {"attach files to SendEmail's Simple", "添付ファイルはSendEmailのSimpleで送ってください"}},
    Field{"BulkEmailEntries", taken, {"a mail each, 50 at most", "1件が1通。50件まで"}},
    Field{"BulkEmailEntries[].Destination", taken, kTo},
    Field{"BulkEmailEntries[].Destination.ToAddresses", taken, kTo},
    Field{"BulkEmailEntries[].Destination.CcAddresses", taken, kCc},
    Field{"BulkEmailEntries[].Destination.BccAddresses", taken, kBcc},
    Field{"BulkEmailEntries[].ReplacementTags", taken, kTag},
    Field{"BulkEmailEntries[].ReplacementTags[].Name", taken, kTag},
    Field{"BulkEmailEntries[].ReplacementTags[].Value", taken, kTag},
    Field{"BulkEmailEntries[].ReplacementEmailContent", taken, kTemplateData},
    Field{"BulkEmailEntries[].ReplacementEmailContent.ReplacementTemplate", taken, kTemplateData},
    Field{"BulkEmailEntries[].ReplacementEmailContent.ReplacementTemplate.ReplacementTemplateData",
          taken, kTemplateData},
    Field{"BulkEmailEntries[].ReplacementHeaders", taken, kHeaders},
    Field{"BulkEmailEntries[].ReplacementHeaders[].Name", taken, kHeaders},
    Field{"BulkEmailEntries[].ReplacementHeaders[].Value", taken, kHeaders},
    Field{"ConfigurationSetName", taken, kNoSets},
    Field{"EndpointId", refused, kNoPools},
    Field{"TenantName",
          refused,
          {"an access key is of one account", "アクセスキーは1つのアカウントのものです"}}};

}  // namespace

std::span<const Field> fields_of(Service service) {
  switch (service) {
    case Service::resend:
      return kResend;
    case Service::postmark:
      return kPostmark;
    case Service::sendgrid:
      return kSendgrid;
    case Service::ses:
      return kSes;
  }
  return {};
}

std::span<const Field> fields_of_templates() {
  return kPostmarkTemplates;
}

std::span<const Field> fields_of_bulk() {
  return kSesBulk;
}

}  // namespace todoku::api::doors
