// SPDX-License-Identifier: Apache-2.0
#include "intake/list_findings.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/utf8.h"
#include "http/json.h"
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

void find_keys(std::string_view text, std::vector<std::string>& keys, std::size_t most) {
  for (std::size_t at = text.find_first_of("_%"); at != std::string_view::npos;
       at = text.find_first_of("_%", at + 1)) {
    const std::string_view key = mime::insert_key_at(text.substr(at));
    if (key.empty() || key == mime::kUnsubscribeKey || keys.size() >= most) continue;
    if (std::ranges::find(keys, key) == keys.end()) keys.emplace_back(key);
  }
}

}  // namespace

std::vector<std::string> keys_in(const Content& content, std::size_t most) {
  std::vector<std::string> keys;
  find_keys(content.subject, keys, most);
  find_keys(content.from.name, keys, most);
  find_keys(content.text_part, keys, most);
  find_keys(content.html_part, keys, most);
  for (const ExtraHeader& header : content.headers) find_keys(header.value, keys, most);
  return keys;
}

ListCheck::ListCheck(std::vector<std::string> keys, std::size_t domains_max)
    : domains_max_(domains_max) {
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
    const bool has = std::ranges::find(recipient.insert_codes, code.key, &InsertCode::key) !=
                     recipient.insert_codes.end();
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
  json.end_object();
  return json.take();
}

}  // namespace todoku::intake
