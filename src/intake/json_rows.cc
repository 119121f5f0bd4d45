// SPDX-License-Identifier: Apache-2.0
#include "intake/json_rows.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/printable.h"
#include "base/utf8.h"
#include "http/json.h"
#include "intake/from_template.h"

namespace todoku::intake {
namespace {

constexpr std::size_t kShownNameOctets = 64;
constexpr std::string_view kMarkOfLines = "\xEF\xBB\xBF";  // some programs begin UTF-8 with it

std::string_view view_of(const boost::json::string& text) {
  return {text.data(), text.size()};
}

// Strings, numbers and booleans as text.
std::optional<std::string> scalar(const boost::json::value& value) {
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_uint64()) return std::to_string(value.get_uint64());
  if (const auto number = http::number_literal(value)) return std::string(*number);
  if (value.is_string()) return std::string(view_of(value.get_string()));
  return std::nullopt;
}

Text unknown_member() {
  return {"is no member of a row; it has email, insert_code, data, reference and metadata",
          "行にない項目です。行の項目はemail、insert_code、data、reference、metadataです"};
}

void refuse_unknown(std::string_view name, Problems& problems) {
  problems.add({printable(utf8_prefix(name, kShownNameOctets))}, unknown_member());
}

InsertCode read_code(const boost::json::object& object, std::size_t index, Problems& problems) {
  InsertCode code;
  const std::vector<std::string> path{"insert_code", std::to_string(index)};
  bool has_key = false;
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (member.value().is_null()) continue;
    const auto value = scalar(member.value());
    if (name == "key" && member.value().is_string()) {
      has_key = true;
      code.key = value.value_or("");
    } else if (name == "key") {
      has_key = true;
      problems.add(path, texts::wrong_type("a string", "文字列"));
    } else if (name != "value") {
      refuse_unknown(name, problems);
    } else if (value) {
      code.value = *value;
    } else {
      problems.add(
          path, texts::wrong_type("a string, a number or a boolean", "文字列、数値または真偽値"));
    }
  }
  if (!has_key) problems.add(path, {"has no key.", "キーがありません。"});
  return code;
}

void read_codes(const boost::json::value& value, JsonRow& row) {
  if (!value.is_array()) {
    row.problems.add({"insert_code"}, texts::wrong_type("an array", "配列"));
    return;
  }
  const boost::json::array& list = value.get_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].is_object()) {
      row.request.insert_codes.push_back(read_code(list[i].get_object(), i, row.problems));
    } else {
      row.problems.add({"insert_code", std::to_string(i)},
                       texts::wrong_type("an object", "オブジェクト"));
      row.request.insert_codes.emplace_back();
    }
  }
}

void read_metadata(const boost::json::value& value, JsonRow& row) {
  if (!value.is_object()) {
    row.problems.add({"metadata"}, texts::wrong_type("an object", "オブジェクト"));
    return;
  }
  for (const auto& member : value.get_object()) {
    if (member.value().is_null()) continue;
    if (!member.value().is_string() || http::number_literal(member.value())) {
      row.problems.add({"metadata"},
                       texts::wrong_type("an object of strings", "文字列だけのオブジェクト"));
      return;
    }
    row.request.attached.metadata.push_back({std::string(member.key().data(), member.key().size()),
                                             std::string(view_of(member.value().get_string()))});
  }
}

void read_reference(const boost::json::value& value, JsonRow& row) {
  if (auto text = scalar(value)) {
    row.request.attached.reference = std::move(*text);
  } else {
    row.problems.add({"reference"}, texts::wrong_type("a string or a number", "文字列または数値"));
  }
}

void read_data(const boost::json::value& value, std::size_t codes_max, JsonRow& row) {
  if (value.is_object()) {
    read_template_data(value.get_object(), {"data"}, codes_max, row.request.insert_codes,
                       row.problems);
  } else {
    row.problems.add({"data"}, texts::wrong_type("an object", "オブジェクト"));
  }
}

JsonRow read_object(const boost::json::object& object, std::size_t codes_max) {
  JsonRow row;
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    const boost::json::value& value = member.value();
    const bool is_known = name == "email" || name == "insert_code" || name == "data" ||
                          name == "reference" || name == "metadata";
    if (!is_known) {
      refuse_unknown(name, row.problems);
    } else if (value.is_null()) {
      continue;
    } else if (name == "insert_code") {
      read_codes(value, row);
    } else if (name == "data") {
      read_data(value, codes_max, row);
    } else if (name == "reference") {
      read_reference(value, row);
    } else if (name == "metadata") {
      read_metadata(value, row);
    } else if (value.is_string() && !http::number_literal(value)) {
      row.request.email = view_of(value.get_string());
    } else {
      row.problems.add({"email"}, texts::wrong_type("a string", "文字列"));
    }
  }
  return row;
}

JsonRowFault fault_of(const http::JsonFault& fault) {
  return {
      .column = fault.column,
      .why = {fmt::format("is no JSON that is taken: {}", texts::without_stop(fault.error.detail)),
              fmt::format("JSONとして読めません ({})", texts::without_stop(fault.error.detail))}};
}

}  // namespace

std::expected<JsonRow, JsonRowFault> read_json_row(std::string_view line, std::size_t codes_max) {
  http::JsonArena arena;
  http::JsonReader reader(
      line, arena, {.octets_max = line.size(), .elements_max = codes_max, .keeps_literals = true});
  const auto read = reader.read_on(line.size());
  if (!read) return std::unexpected(fault_of(reader.fault()));
  const boost::json::value value = reader.take();
  if (!value.is_object()) {
    return std::unexpected(JsonRowFault{
        .column = 0, .why = {"is no JSON object", "JSONのオブジェクトではありません"}});
  }
  return read_object(value.get_object(), codes_max);
}

Result<void> JsonLines::end_line(std::string_view text, const Take& take) {
  if (number_ == 1 && text.starts_with(kMarkOfLines)) text.remove_prefix(kMarkOfLines.size());
  if (text.ends_with('\r')) text.remove_suffix(1);
  const JsonLine line{.number = number_++,
                      .text = text.substr(0, octets_max_),
                      .too_long = text.size() > octets_max_};
  const bool blank = text.find_first_not_of(" \t\r") == std::string_view::npos;
  return blank && !line.too_long ? Result<void>{} : take(line);
}

// Two octets more than a line may have are enough to see that it has them, a CR among them or not;
// and the byte order mark, which does not count.
void JsonLines::keep(std::string_view text) {
  const std::size_t most = octets_max_ + 2 + kMarkOfLines.size();
  begun_ += text.substr(0, most - std::min(begun_.size(), most));
}

Result<void> JsonLines::push(std::string_view octets, const Take& take) {
  while (!octets.empty()) {
    const std::size_t end = octets.find('\n');
    const std::string_view text = octets.substr(0, end);
    if (end == std::string_view::npos) {
      keep(text);
      return {};
    }
    octets.remove_prefix(end + 1);
    if (!begun_.empty()) keep(text);
    auto taken = end_line(begun_.empty() ? text : begun_, take);
    begun_.clear();
    if (!taken) return taken;
  }
  return {};
}

Result<void> JsonLines::finish(const Take& take) {
  if (begun_.empty()) return {};
  auto taken = end_line(begun_, take);
  begun_.clear();
  return taken;
}

}  // namespace todoku::intake
