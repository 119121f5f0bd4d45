// SPDX-License-Identifier: Apache-2.0
#include "intake/list_findings.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/utf8.h"
#include "http/json.h"
#include "mail/invisible.h"
#include "mime/insert_code.h"

namespace todoku::intake {
namespace {

std::string_view separator_name(char separator) {
  switch (separator) {
    case '\t':
      return "tab";
    case ';':
      return "semicolon";
    case '|':
      return "bar";
    default:
      return "comma";
  }
}

}  // namespace

std::vector<std::string> keys_in(const Content& content, std::size_t most) {
  std::vector<mime::CodeUse> uses;
  const mime::KeyForms forms = mime::key_forms(content);
  mime::add_code_uses(content.subject, forms, uses, most);
  mime::add_code_uses(content.from.name, mime::KeyForms::contract, uses, most);
  mime::add_code_uses(content.text_part, forms, uses, most);
  mime::add_code_uses(content.html_part, forms, uses, most);
  for (const ExtraHeader& header : content.headers) {
    mime::add_code_uses(header.value, mime::KeyForms::contract, uses, most);
  }
  std::vector<std::string> keys;
  for (mime::CodeUse& use : uses) keys.push_back(std::move(use.key));
  return keys;
}

ListCheck::ListCheck(std::vector<std::string> keys, bool from_template, std::size_t domains_max)
    : from_template_(from_template), domains_max_(domains_max) {
  for (std::string& key : keys) codes_.push_back({.key = std::move(key)});
}

void ListCheck::count(const store::NewRecipient& recipient) {
  ++recipients_;
  const auto known = domains_.find(std::string_view(recipient.domain));
  if (known != domains_.end()) {
    ++known->second;
  } else if (domains_.size() < domains_max_) {
    domains_.emplace(recipient.domain, 1);
  } else {
    ++others_;
  }
  for (Code& code : codes_) {
    const auto given = std::ranges::find(recipient.insert_codes, code.key, &InsertCode::key);
    const bool has = given != recipient.insert_codes.end() &&
                     !(from_template_ && trim_invisible(given->value).empty());
    if (!has) ++code.missing;
  }
}

std::string ListCheck::json(const Rows& rows) const {
  using Domain = std::pair<std::int64_t, std::string_view>;
  std::vector<Domain> most;
  for (const auto& [domain, recipients] : domains_) most.emplace_back(-recipients, domain);
  const std::size_t told = std::min(most.size(), kDomainsTold);
  std::ranges::partial_sort(most, most.begin() + static_cast<std::ptrdiff_t>(told));
  std::int64_t named = 0;
  http::JsonWriter json;
  json.begin_object();
  json.member("rows", recipients_ + rows.malformed + rows.duplicates);
  json.member("recipients", recipients_);
  json.member("malformed", rows.malformed);
  json.member("duplicates", rows.duplicates);
  json.member("suppressed", suppressed_);
  json.key("domains");
  json.begin_array();
  for (std::size_t i = 0; i < told; ++i) {
    named -= most[i].first;
    json.begin_object();
    json.member("domain", most[i].second);
    json.member("recipients", -most[i].first);
    json.end_object();
  }
  json.end_array();
  json.key("other_domains");
  json.begin_object();
  json.member("domains", most.size() - told + (others_ > 0 ? 1 : 0));
  json.member("recipients", recipients_ - named);
  json.end_object();
  json.key("codes");
  json.begin_array();
  for (const Code& code : codes_) {
    json.begin_object();
    json.member("key", code.key);
    json.member("missing", code.missing);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

void AlreadyThere::look_at(std::string_view address, std::uint64_t row) {
  if (!addresses_.contains(address)) return;
  ++recipients_;
  if (rows_.size() < kRowsTold) rows_.push_back(row);
}

std::string AlreadyThere::json() const {
  if (before_ == 0) return {};
  http::JsonWriter json;
  json.begin_object();
  json.member("compared", compares());
  json.member("recipients", recipients_);
  json.key("rows");
  json.begin_array();
  for (const std::uint64_t row : rows_) json.value(row);
  json.end_array();
  json.end_object();
  return json.take();
}

std::string json_of(const ListFindings& findings) {
  const bool is_csv = findings.form == store::ImportForm::csv;
  http::JsonWriter json;
  json.begin_object();
  json.member("form", is_csv ? "csv" : "ndjson");
  json.member("encoding", to_string(findings.encoding.encoding));
  if (is_csv) {
    json.member("encoding_by", to_string(findings.encoding.by));
    json.member("separator", separator_name(findings.separator));
  }
  if (!findings.check.empty()) {
    json.key("check");
    json.raw(findings.check);
  }
  if (!findings.already_there.empty()) {
    json.key("already_there");
    json.raw(findings.already_there);
  }
  json.end_object();
  return json.take();
}

}  // namespace todoku::intake
