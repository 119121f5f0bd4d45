// SPDX-License-Identifier: Apache-2.0
#include "intake/problem.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/printable.h"
#include "base/utf8.h"

namespace todoku::intake {

void Problems::add(std::vector<std::string> path, Text text) {
  for (std::string& step : path) step = printable(step);
  Problem found{std::move(path), {printable(text.en), printable(text.ja)}};
  if (std::ranges::find(list_, found) != list_.end()) return;
  if (list_.size() < kToldMax) {
    list_.push_back(std::move(found));
  } else {
    ++untold_;
  }
}

void Problems::add_others(Problems later) {
  const std::size_t known = list_.size();
  const auto is_told = [&](const Problem& problem) {
    return std::any_of(list_.begin(), list_.begin() + static_cast<std::ptrdiff_t>(known),
                       [&](const Problem& before) {
                         return !before.path.empty() && before.path.size() <= problem.path.size() &&
                                std::equal(before.path.begin(), before.path.end(),
                                           problem.path.begin());
                       });
  };
  for (Problem& problem : later.list_) {
    if (!is_told(problem)) add(std::move(problem.path), std::move(problem.text));
  }
  untold_ += later.untold_;
}

Refusal refusal_of(const Error& error) {
  switch (error.kind) {
    case ErrorKind::not_found:
      return Refusal::of(error.kind, texts::no_data_found());
    case ErrorKind::conflict:
    case ErrorKind::invalid_input:
    case ErrorKind::limit_exceeded:
      return Refusal::of(error.kind, texts::not_possible(error.detail));
    case ErrorKind::unauthorized:
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::closed:
    case ErrorKind::io:
    case ErrorKind::corrupt:
    case ErrorKind::unsupported:
    case ErrorKind::cancelled:
      return Refusal::of(ErrorKind::unavailable, texts::unavailable(error.detail));
  }
  return Refusal::of(ErrorKind::unavailable, texts::unavailable(error.detail));
}

Refusal refusal_of_change(const Error& error) {
  if (error.kind != ErrorKind::io) return refusal_of(error);
  return Refusal::of(error.kind, texts::in_doubt(error.detail));
}

namespace texts {
namespace {

constexpr std::size_t kShownOctets = 100;

// As much of what a caller gave as a sentence repeats.
std::string shown(std::string_view given) {
  std::string out(utf8_prefix(given, kShownOctets));
  if (out.size() < given.size()) out += "…";
  return out;
}

// 1234567 as 1,234,567.
std::string with_commas(std::size_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

}  // namespace

std::string_view without_stop(std::string_view sentence) {
  for (const std::string_view stop : {".", "。"}) {
    if (sentence.ends_with(stop)) sentence.remove_suffix(stop.size());
  }
  return sentence;
}

Text required() {
  return {"is required.", "必須項目です。"};
}

Text html_would_do() {
  return {"an html_part would do as well.", "html_partでもかまいません。"};
}

Text wrong_type(std::string_view expected_en, std::string_view expected_ja) {
  return {fmt::format("must be {}.", expected_en),
          fmt::format("{}で指定してください。", expected_ja)};
}

Text length(std::size_t min, std::size_t max) {
  return {fmt::format("the character length is not in the range {} through {}.", min, max),
          fmt::format("文字数は{}から{}の範囲で指定してください。", min, max)};
}

Text too_many(std::size_t max) {
  return {fmt::format("must not have more than {} entries.", max),
          fmt::format("{}件以内で指定してください。", max)};
}

Text not_allowed_recipient(std::string_view address) {
  return {
      fmt::format("{} is not among the allowed recipients of this account, to whom alone it may "
                  "send; an operator changes them (`todoku account allow`).",
                  shown(address)),
      fmt::format(
          "{} "
          "は、このアカウントの許可された宛先に含まれていません。宛先の変更は管理者が行います("
          "`todoku account allow`)。",
          shown(address))};
}

Text octets(std::size_t max) {
  return {fmt::format("must not have more than {} bytes in UTF-8.", max),
          fmt::format("UTF-8で{}バイト以内で指定してください。", max)};
}

Text name_octets(std::size_t max) {
  return {fmt::format("each name must have 1 to {} bytes in UTF-8.", max),
          fmt::format("名前は1から{}バイト (UTF-8) で指定してください。", max)};
}

Text attached_stays() {
  return {
      "stays as it was given with the recipient; to change it, remove the recipient and add it "
      "again.",
      "受信者の追加時に指定したまま変更できません。受信者を削除して追加し直してください。"};
}

Text invalid_email(std::string_view reason) {
  const std::string ja = in_japanese(reason);
  return {fmt::format("invalid e-mail format: it {}.", reason),
          ja.empty() ? "メールアドレスの形式が不正です。"
                     : fmt::format("メールアドレスの形式が不正です ({})。", ja)};
}

Text not_your_domain(std::string_view domain, bool of_another) {
  if (of_another) {
    return {fmt::format("{} is a domain that another account has proven: ask for its consent, or "
                        "send from a domain of yours.",
                        shown(domain)),
            fmt::format("ドメイン {} "
                        "は別のアカウントが所有を確認しています。同意を得るか、ご自身のドメインから"
                        "送信してください。",
                        shown(domain))};
  }
  return {fmt::format("this account has not proven that {} is its domain: add it with POST "
                      "/api/v1/domains or `todoku domain add`, publish the TXT record, and verify.",
                      shown(domain)),
          fmt::format("ドメイン {} "
                      "の所有が、このアカウントで確認されていません。POST /api/v1/domains または "
                      "`todoku domain add` で登録し、TXT レコードを公開して確認してください。",
                      shown(domain))};
}

Text fullwidth(std::string_view found, char meant) {
  const auto number = static_cast<std::uint32_t>(decode_utf8(found).value);
  return {fmt::format("invalid e-mail format: it has the fullwidth \"{}\" (U+{:04X}) before the @, "
                      "write the halfwidth \"{}\".",
                      found, number, meant),
          fmt::format("メールアドレスの形式が不正です (@の前に全角の「{}」(U+{:04X}) があります。"
                      "半角の「{}」にしてください)。",
                      found, number, meant)};
}

Text invalid_format(std::string_view value) {
  return {fmt::format("{}: invalid format.", shown(value)),
          fmt::format("{}: 形式が不正です。", shown(value))};
}

Text lacks_scheme(std::string_view uri, std::string_view schemes) {
  return {fmt::format("{}: invalid format. It must begin with {}.", shown(uri), schemes),
          fmt::format("{}: 形式が不正です。{}で始まる必要があります。", shown(uri), schemes)};
}

Text not_one_of(std::string_view value, std::string_view allowed) {
  return {fmt::format("\"{}\" is not one of {}.", shown(value), allowed),
          fmt::format("「{}」は指定できません。指定できる値: {}", shown(value), allowed)};
}

Text no_data_found() {
  return {"no data found.", "データが見つかりません。"};
}

Text refused_extension(std::string_view file_name) {
  return {fmt::format("\"{}\" has a file extension that cannot be attached.", shown(file_name)),
          fmt::format("「{}」は添付できない拡張子です。", shown(file_name))};
}

Text wants_html() {
  return {"are shown by an html_part, and there is none.",
          "html_partのないメールには指定できません。"};
}

Text no_unsubscribe_link(std::string_view key) {
  return {fmt::format(
              "has {}, and there is no link to put in: api.public_url is no https URL here.", key),
          fmt::format("{}に差し込むリンクがありません (api.public_urlがhttpsのURLではありません)。",
                      key)};
}

Text link_of_advertisements(std::string_view key) {
  return {
      fmt::format("has {}, which advertisements have a link for; the purpose is another.", key),
      fmt::format("{}に差し込むリンクがあるのは、purposeがadvertisementのメールだけです。", key)};
}

Text wants_https_url() {
  return {"is true, and list_unsubscribe.url is no https URL.",
          "trueにできるのは、list_unsubscribe.urlがhttpsのURLのときだけです。"};
}

Text invalid_content_id() {
  return {
      "must be letters, digits, \"-\", \"_\", \"+\" and dots between them, with one \"@\" at "
      "most, as in logo or logo@example.com.",
      "英数字、「-」、「_」、「+」と、その間の「.」で指定してください。「@」は1つまで使用"
      "できます。例: logo、logo@example.com"};
}

Text not_base64() {
  return {"is not base64.", "base64として不正です。"};
}

Text data_url() {
  return {"is a data: URL; give what follows \"base64,\" alone.",
          "data: URLです。「base64,」より後だけを指定してください。"};
}

Text attachments_too_big(std::size_t octets, std::size_t max) {
  return {
      fmt::format("the attachments have {} bytes together; the limit is {} bytes.", octets, max),
      fmt::format("添付ファイルの合計{}バイトが上限の{}バイトを超えています。", octets, max)};
}

Text duplicate_key(std::string_view key) {
  return {fmt::format("{}: the key is given more than once.", shown(key)),
          fmt::format("{}: キーが重複しています。", shown(key))};
}

Text given_twice() {
  return {"is given more than once.", "2回以上指定されています。"};
}

Text written_otherwise(std::string_view found, std::string_view name) {
  return {fmt::format("is written \"{}\" here; write {}.", shown(found), name),
          fmt::format("「{}」と書かれています。{}と書いてください。", shown(found), name)};
}

Text not_taken_here() {
  return {"is not taken here: it belongs to the request that begins the delivery.",
          "ここでは指定できません。配信を作成するリクエストで指定してください。"};
}

Text only_of_transactions() {
  return {
      "is not taken here: it belongs to a transaction; a bulk delivery is reserved by its commit.",
      "ここでは指定できません。トランザクション配信の項目です。バルク配信は登録完了時に予約して"
      "ください。"};
}

Text only_stopped() {
  return {"a transaction can be stopped, but not paused.",
          "トランザクション配信は停止のみ可能で、一時停止はできません。"};
}

Text is_as_it_came() {
  return {"it is a message that came by SMTP: it is sent as it came, nothing in it can be changed.",
          "SMTPで受け付けたメッセージは受け付けたまま送信されるため、内容を変更できません。"};
}

Text only_of_bulk() {
  return {"a pace and quiet hours are for bulk deliveries only.",
          "送信速度と静音時間帯は、一斉配信にのみ指定できます。"};
}

Text not_as_it_waits() {
  return {"it was changed or decided meanwhile: look at it again.",
          "この間に変更または承認・差し戻しが行われました。内容を再確認してください。"};
}

Text not_over_yet() {
  return {
      "the mail is still on its way: it may arrive by itself. Stop its delivery first, or wait.",
      "このメールはまだ配信中で、このまま届く可能性があります。先に配信を停止するか、完了をお待ち"
      "ください。"};
}

Text came_whole() {
  return {"it came as a whole message by SMTP and is signed and sent as such: hand it in again.",
          "SMTPで受け付けたメールは再送できません。もう一度送信してください。"};
}

Text is_erased() {
  return {"its content or its recipient was erased: there is nothing to send again.",
          "本文または宛先が消去されているため、再送できません。"};
}

Text unknown_zone(std::string_view value) {
  return {fmt::format("\"{}\" is not a time zone such as Asia/Tokyo.", shown(value)),
          fmt::format("「{}」というタイムゾーンはありません。Asia/Tokyo のように指定してください。",
                      shown(value))};
}

Text ends_when_it_begins() {
  return {"must not be the same as from.", "fromと同じ時刻は指定できません。"};
}

Text policy_stays(bool at_most_once) {
  const std::string_view policy = at_most_once ? "at_most_once" : "at_least_once";
  return {
      fmt::format("cannot be changed: the delivery was begun with {}; begin another.", policy),
      fmt::format("変更できません。この配信は{}で作成されています。新しい配信を作成してください。",
                  policy)};
}

Text no_part_for_files() {
  return {
      "is not a part for files; attachments come in parts named \"file\", parts of the HTML in "
      "parts named \"inline\".",
      "ファイル用のパートではありません。添付ファイルは \"file\"、HTMLに埋め込む画像などは "
      "\"inline\" という名前のパートで送信してください。"};
}

Text no_name_of_part() {
  return {
      "of each part of the form must be form-data with a name, such as form-data; "
      "name=\"file\" (RFC 7578 section 4.2).",
      "は、フォームのすべてのパートに名前付きのform-data（例: form-data; name=\"file\"）を指定して"
      "ください（RFC 7578 4.2節）。"};
}

Text control_character() {
  return {"must not contain line breaks or other control characters.",
          "改行などの制御文字は使用できません。"};
}

Text invisible_character(const Invisible& found) {
  const std::string name = character_name(found.character);
  return {fmt::format("has the invisible character {} at character {}; take it out.", name,
                      found.position),
          fmt::format("{}文字目に目に見えない文字{}があります。取り除いてください。",
                      found.position, name)};
}

Text not_utf8() {
  return {"is not valid UTF-8.", "UTF-8として不正な文字列です。"};
}

Text nul_character() {
  return {"must not contain the character U+0000.", "U+0000の文字は使用できません。"};
}

Text invalid_uri(std::string_view reason) {
  const std::string ja = in_japanese(reason);
  return {fmt::format("invalid URI: it {}.", reason),
          ja.empty() ? "URIが不正です。" : fmt::format("URIが不正です ({})。", ja)};
}

Text mail_too_big(std::uint64_t octets, std::uint64_t max) {
  return {
      fmt::format("makes a mail of {} bytes; the limit is {} bytes.", octets, max),
      fmt::format("メールの大きさが{}バイトになり、上限の{}バイトを超えています。", octets, max)};
}

Text value_too_big(const Expansion& expansion, std::uint64_t max) {
  return {fmt::format("this value for {} stands in {} places and makes a mail of {} bytes; the "
                      "limit is {} bytes.",
                      expansion.key, expansion.uses, expansion.octets, max),
          fmt::format("{}の値が{}か所に差し込まれ、メールの大きさが{}バイトになります。上限は"
                      "{}バイトです。",
                      expansion.key, expansion.uses, expansion.octets, max)};
}

Text html_construct(std::string_view construct) {
  return {fmt::format("must not contain {}.", construct),
          fmt::format("{}は使用できません。", construct)};
}

Text import_has_ended() {
  return {"the import has ended: there is nothing to cancel.",
          "インポートはすでに終了しています。取り消すものはありません。"};
}

Text wrong_state(std::string_view state, std::string_view needed) {
  return {
      fmt::format("the delivery is in status {}; this needs {}.", state, needed),
      fmt::format("配信の状態が{}のため実行できません。{}の場合に実行できます。", state, needed)};
}

Text drafts_limit(std::size_t max) {
  return {fmt::format("the limit of {} deliveries in status EDIT or IMPORTING is reached; delete "
                      "or commit one.",
                      max),
          fmt::format("編集中の配信は{}件までです。不要な配信を削除または確定してください。", max)};
}

Text still_stopping() {
  return {"the delivery is still being stopped; delete it in a few seconds.",
          "配信を停止しています。数秒後に削除してください。"};
}

Text no_recipients() {
  return {"the delivery has no recipients.", "宛先が登録されていません。"};
}

Text invalid_header(std::string_view reason) {
  std::string_view ja = "ヘッダーとして使用できない値です。";
  if (reason == "cannot be given") {
    ja = "指定できないヘッダーです。In-Reply-To、References、Auto-Submitted、X-"
         "で始まるものなどを指定"
         "できます。";
    return {
        "cannot be given: In-Reply-To, References, Auto-Submitted, Precedence, Importance, "
        "Priority, Sensitivity, Organization, Comments and names that begin with X- (but "
        "X-Todoku-) can.",
        std::string(ja)};
  }
  if (reason == "has no name") ja = "ヘッダーの名前がありません。";
  if (reason.starts_with("has a name")) {
    ja = "ヘッダーの名前は64文字以内の英数字、「-」、「_」、「.」で指定してください。";
  }
  if (reason == "is empty") ja = "値を指定してください。";
  if (reason == "has more than 998 octets") ja = "998バイト以内で指定してください。";
  if (reason.starts_with("has characters")) ja = "ASCIIの印字可能な文字で指定してください。";
  if (reason.starts_with("is no list")) {
    ja = "<id@example.com>のようなメッセージIDを空白で区切って指定してください。";
  }
  if (reason.starts_with("has a word")) ja = "900バイトを超える語は使用できません。";
  return {fmt::format("{}.", reason), std::string(ja)};
}

Text not_in_range(std::int64_t min, std::int64_t max) {
  return {fmt::format("must be a whole number from {} through {}.", min, max),
          fmt::format("{}から{}までの整数を指定してください。", min, max)};
}

Text in_the_past() {
  return {"must not be in the past.", "過去の日時は指定できません。"};
}

Text too_far_ahead() {
  return {"is too far in the future.", "指定できる日時の範囲を超えています。"};
}

Text invalid_date(std::string_view value) {
  return {fmt::format("\"{}\" is not a date-time such as 2026-04-01T09:00:00+09:00.", shown(value)),
          fmt::format("「{}」は日時として不正です。例: 2026-04-01T09:00:00+09:00", shown(value))};
}

Text mail_limit(std::string_view limit, std::int64_t most) {
  const bool minute = limit == "mails_per_minute";
  const bool day = limit == "mails_per_day";
  return {fmt::format("the limit of {} mails a {} would be passed.", most,
                      minute ? "minute"
                      : day  ? "day"
                             : "month"),
          fmt::format("{}{}通の上限を超えます。",
                      minute ? "1分あたり"
                      : day  ? "1日"
                             : "1か月",
                      most)};
}

// Of `immediate`.
Text beyond_limit(std::string_view limit, std::int64_t most, std::int64_t mails) {
  return {
      fmt::format("{} mails are more than the account's limit {} of {}: split them, or have the "
                  "limit raised.",
                  mails, limit, most),
      fmt::format("{}通はアカウントの上限{} ({}通) "
                  "を超えています。分割するか、上限を引き上げてもらってください。",
                  mails, limit, most)};
}

Text limit_wants_commit() {
  return {"this account has a limit of mails: commit the delivery when the import has ended.",
          "このアカウントには通数の上限があります。インポートの完了後に配信を確定してください。"};
}

Text preflight_wants_commit() {
  return {
      "what this account sends to many is judged when it is committed (preflight \"enforce\"): "
      "commit the delivery when the import has ended.",
      "このアカウントの一斉配信は確定時に判定されます（preflight が "
      "\"enforce\"）。インポートの完了後に配信を確定してください。"};
}

Text account_suspended() {
  return {"the account is suspended.", "アカウントは停止されています。"};
}

Text unavailable(std::string_view reason) {
  return {fmt::format("temporarily unavailable, nothing was stored; try again later ({}).", reason),
          "一時的に処理できません。登録は行われていません。しばらくして再度実行してください。"};
}

Text in_doubt(std::string_view reason) {
  return {
      fmt::format("temporarily unavailable, and it is not known whether this was stored; look "
                  "before you try again ({}).",
                  reason),
      "一時的に処理できません。登録されたかどうかは不明です。確認してから再度実行してください。"};
}

Text busy(std::string_view reason) {
  return {fmt::format("temporarily unavailable; try again later ({}).", reason),
          "一時的に処理できません。しばらくして再度実行してください。"};
}

Text not_possible(std::string_view reason) {
  return {fmt::format("this is not possible: {}.", reason), "この操作は実行できません。"};
}

Text more_problems(std::size_t count) {
  return {fmt::format("and {} more.", with_commas(count)),
          fmt::format("ほかに{}件の問題があります。", with_commas(count))};
}

Text too_large(std::uint64_t max) {
  return {fmt::format("is larger than the limit of {} bytes.", max),
          fmt::format("上限の{}バイトを超えています。", max)};
}

Text invalid_key(std::size_t characters_max) {
  return {fmt::format("must be given once, with 1 to {} visible ASCII characters.", characters_max),
          fmt::format("1回だけ、1から{}文字のASCII文字 (空白を除く) で指定してください。",
                      characters_max)};
}

Text key_of_other_request() {
  return {"this idempotency key has been used for a request with other contents.",
          "この冪等キーは、内容の異なるリクエストで使用済みです。"};
}

Text key_in_progress() {
  return {"a request with this idempotency key is in progress; repeat it to get its answer.",
          "この冪等キーのリクエストを処理中です。再度実行すると結果を取得できます。"};
}

}  // namespace texts
}  // namespace todoku::intake
