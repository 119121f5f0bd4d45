// SPDX-License-Identifier: Apache-2.0
#include "intake/list_header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "intake/check.h"
#include "intake/fullwidth.h"
#include "mail/address.h"
#include "mail/attached.h"
#include "mail/invisible.h"
#include "mime/insert_code.h"

namespace todoku::intake {
namespace {

constexpr std::string_view kEmail = "email";
// Of a name in a header.
constexpr std::size_t kShownName = 64;

std::string shown_name(std::string_view name) {
  return printable(utf8_prefix(name, kShownName));
}

// In small letters, without fullwidth forms and what stands around it.
std::string plain_name(std::string_view name) {
  std::string out;
  for (name = trim_invisible(name); !name.empty();) {
    const CodePoint point = decode_utf8(name);
    const std::size_t octets = std::max<std::size_t>(point.octets, 1);
    const auto meant = point.octets == 0 ? std::nullopt : ascii_meant_by(point.value);
    out += meant ? std::string(1, *meant) : std::string(name.substr(0, octets));
    name.remove_prefix(octets);
  }
  return to_ascii_lower(out);
}

// What people write over the column of addresses.
bool means_email(std::string_view name) {
  constexpr std::array<std::string_view, 10> kNames{
      kEmail,         "e-mail",        "mail",           "mailaddress", "mail address",
      "emailaddress", "email address", "メールアドレス", "メール",      "e-mail address"};
  return std::ranges::find(kNames, plain_name(name)) != kNames.end();
}

bool is_address(std::string_view text) {
  return parse_address(trim_invisible(text)).has_value();
}

// How to write what means the right thing.
Sentence right_name(std::string_view found) {
  if (plain_name(found) != kEmail) return {"; write email", "。email と書いてください"};
  return is_ascii(found)
             ? Sentence{"; write email, in small letters", "。小文字で email と書いてください"}
             : Sentence{"; write email, in halfwidth small letters",
                        "。半角の小文字で email と書いてください"};
}

// All columns in one field, because something else stands between them.
std::optional<Text> other_separator(std::string_view found) {
  const std::size_t end = found.find_first_of(";\t|");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view first = found.substr(0, end);
  if (!means_email(first) && !is_address(first)) return std::nullopt;
  if (found[end] == '\t') {
    return Text{
        "the fields of the header are separated by TABs: separate them by commas, or put a line of "
        "sep= and a TAB before it",
        "見出しの区切りがタブです。カンマで区切るか、先頭に sep= とタブの行を入れてください"};
  }
  return Text{fmt::format("the fields of the header are separated by \"{0}\": separate them by "
                          "commas, or put a line sep={0} before it",
                          found[end]),
              fmt::format("見出しの区切りが「{0}」です。カンマで区切るか、先頭に sep={0} "
                          "の行を入れてください",
                          found[end])};
}

// Why the first column is not the one that must be there.
Text not_email(const std::vector<std::string>& names) {
  const std::string_view found = names.front();
  if (auto separated = other_separator(found)) return std::move(*separated);
  const std::string shown = shown_name(found);
  if (is_address(found)) {
    return {fmt::format("the header row is missing: the file begins with the address \"{}\"; put a "
                        "row before it that begins with email",
                        shown),
            fmt::format("見出しの行がありません (最初の値がアドレス「{}」です)。email "
                        "で始まる見出しの行を先頭に入れてください",
                        shown)};
  }
  Text text{
      fmt::format("the first column of the header must be \"email\", it is \"{}\"", shown),
      fmt::format("見出しの最初の列は email でなければなりません (「{}」になっています)", shown)};
  if (means_email(found)) {
    text.en += right_name(found).en;
    text.ja += right_name(found).ja;
    return text;
  }
  const auto other = std::ranges::find_if(names, means_email);
  if (other == names.end()) return text;
  const auto column = other - names.begin() + 1;
  const bool is_written = *other == kEmail;
  text.en += fmt::format("; put column {} (\"{}\") first{}", column, shown_name(*other),
                         is_written ? "" : ", as email");
  text.ja += fmt::format("。{}列目 (「{}」) を最初の列にしてください{}", column, shown_name(*other),
                         is_written ? "" : " (名前は email)");
  return text;
}

// The position in a list that is the second step of a path; `none` if there is none.
std::size_t index_in(const std::vector<std::string>& path, std::size_t none) {
  std::size_t at = none;
  if (path.size() > 1) {
    (void)std::from_chars(path[1].data(), path[1].data() + path[1].size(), at);
  }
  return at;
}

// `columns`: of each key its own, from 1.
Text one_bad_key(const Problem& problem, const std::vector<InsertCode>& keys,
                 const std::vector<std::size_t>& columns) {
  const std::string en = printable(texts::without_stop(problem.text.en));
  const std::string ja = printable(texts::without_stop(problem.text.ja));
  const std::size_t at = index_in(problem.path, keys.size());
  if (at >= keys.size()) {
    return {fmt::format("the header: {}", en), fmt::format("見出し: {}", ja)};
  }
  const std::string key = shown_name(keys[at].key);
  const bool is_email = means_email(keys[at].key);
  return {fmt::format("column {} of the header (\"{}\"): {}", columns[at], key,
                      is_email ? "is a second column of addresses, but a list has one" : en),
          fmt::format("見出しの{}列目 (「{}」): {}", columns[at], key,
                      is_email ? "メールアドレスの列が2つあります。1つだけにしてください" : ja)};
}

Text bad_keys(const Problems& problems, const std::vector<InsertCode>& keys,
              const std::vector<std::size_t>& columns, mime::KeyForms forms) {
  Text out;
  bool is_malformed = false;
  bool is_of_template = false;
  for (const Problem& problem : problems.list()) {
    const Text one = one_bad_key(problem, keys, columns);
    const std::string_view between = out.en.empty() ? "" : ", ";
    out.en += fmt::format("{}{}", between, one.en);
    out.ja += fmt::format("{}{}", between, one.ja);
    const std::size_t at = index_in(problem.path, keys.size());
    if (at >= keys.size() || means_email(keys[at].key)) continue;
    const std::string& key = keys[at].key;
    is_malformed |= !mime::validate_insert_key(key);
    is_of_template |= forms == mime::KeyForms::contract &&
                      (mime::is_brace_key(key) || !mime::brace_key(key).empty());
  }
  if (is_of_template) {
    out.en +=
        ". These are the columns of a template, and this delivery has none: name one when it is "
        "begun (--template)";
    out.ja +=
        "。テンプレート用の列のようですが、この配信はテンプレートを使っていません。作成時に"
        "テンプレートを指定してください (--template)";
  }
  if (!is_malformed) return out;
  if (forms == mime::KeyForms::with_braces) {
    out.en +=
        ". A name of a template is 1 to 64 letters, digits, points, - and _, the first one a "
        "letter or a digit: first_name or {{first_name}}; its other keys are __name__ and "
        "%%name%%";
    out.ja +=
        "。テンプレートの名前は英数字で始まる英数字・ピリオド・-・_の1～64文字です: "
        "first_name、{{first_name}}。ほかのキーは__name__と%%name%%です";
    return out;
  }
  out.en +=
      ". A key is a name of letters and digits between two underscores or two percent signs: "
      "__name__, %%name%%";
  out.ja +=
      "。キーは英数字の名前を2つの下線またはパーセント記号で挟んだものです: __name__、%%name%%";
  return out;
}

// Of the columns of attached members: one of each, and what such names may be.
std::optional<Text> bad_attached_columns(const std::vector<std::string>& names) {
  if (std::ranges::count(names, kReferenceColumn) > 1) {
    return Text{"the header has the column reference twice", "見出しにreferenceが2列あります"};
  }
  Attached attached;
  for (const std::string& name : names) {
    if (!name.starts_with(kMetadataColumn)) continue;
    attached.metadata.push_back({name.substr(kMetadataColumn.size()), {}});
  }
  Problems problems;
  check_attached(attached, {}, problems);
  if (problems.empty()) return std::nullopt;
  const Text& why = problems.list().front().text;
  return Text{fmt::format("the columns metadata:NAME of the header: {}",
                          printable(texts::without_stop(why.en))),
              fmt::format("見出しのmetadata:名前の列: {}", printable(texts::without_stop(why.ja)))};
}

}  // namespace

bool is_attached_column(std::string_view name) {
  return name == kReferenceColumn || name.starts_with(kMetadataColumn);
}

std::expected<std::vector<std::string>, Text> read_list_header(std::vector<std::string> fields,
                                                               const Limits& limits,
                                                               mime::KeyForms forms) {
  for (std::string& name : fields) name = std::string(trim_invisible(name));
  while (fields.size() > 1 && fields.back().empty()) fields.pop_back();
  if (fields.front() != kEmail) return std::unexpected(not_email(fields));
  std::vector<InsertCode> keys;
  std::vector<std::size_t> columns;
  if (auto bad = bad_attached_columns(fields)) return std::unexpected(std::move(*bad));
  for (std::size_t i = 1; i < fields.size(); ++i) {
    if (is_attached_column(fields[i])) continue;
    if (fields[i].empty()) {
      return std::unexpected(Text{fmt::format("column {} of the header has no key", i + 1),
                                  fmt::format("見出しの{}列目にキーがありません", i + 1)});
    }
    if (forms == mime::KeyForms::with_braces && !means_email(fields[i])) {
      std::string key = mime::brace_key(fields[i]);
      if (!key.empty()) fields[i] = std::move(key);
    }
    keys.push_back({fields[i], ""});
    columns.push_back(i + 1);
  }
  Problems problems;
  check_insert_codes(keys, {"header"}, limits, problems);
  for (std::size_t i = 0; i < keys.size() && forms == mime::KeyForms::contract; ++i) {
    if (!mime::is_brace_key(keys[i].key) || !mime::validate_insert_key(keys[i].key)) continue;
    problems.add({"header", std::to_string(i)}, texts::invalid_format(keys[i].key));
  }
  if (!problems.empty()) return std::unexpected(bad_keys(problems, keys, columns, forms));
  return fields;
}

}  // namespace todoku::intake
