// SPDX-License-Identifier: Apache-2.0
#include "api/admin/read_call.h"

#include <algorithm>
#include <string>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "http/json.h"
#include "http/query.h"

namespace todoku::api::admin {
namespace {

using operate::Given;
using operate::Misgiven;

// A list of texts is one with commas between; of anything else in it there is no argument, nor of a
// text that is empty, else a list of that alone would be none.
Given::Value joined(const boost::json::array& list) {
  std::string words;
  for (const boost::json::value& each : list) {
    if (!each.is_string() || each.get_string().empty()) return std::monostate();
    if (!words.empty()) words += ',';
    words += each.get_string();
  }
  return words;
}

Given::Taken put_member(Given& given, std::string_view name, const boost::json::value& value) {
  if (value.is_null()) return {};  // as if it were not there
  if (value.is_string()) return given.put(name, std::string(value.get_string()));
  if (value.is_int64()) return given.put(name, value.get_int64());
  if (value.is_bool()) return given.put(name, value.get_bool());
  const operate::Argument* const argument = given.call().find(name);
  if (value.is_array() && argument != nullptr && argument->kind == operate::Argument::Kind::words) {
    return given.put(name, joined(value.get_array()));
  }
  return given.put(name, std::monostate());
}

// What is wrong with a call, its arguments one by one.
class Reader {
 public:
  explicit Reader(const operate::Call& call) : given_(call) {}

  void body(std::string_view body) {
    http::JsonArena arena{http::JsonArena::Wiped()};
    const auto value = http::parse_json(body.empty() ? "{}" : body, arena);
    // A limit of ours is passed by who asks: to come again later does not help.
    if (!value) return wrong(value.error().detail, "JSONを読み取れません");
    if (!value->is_object()) {
      return wrong("the request must be a JSON object", "JSONオブジェクトで送信してください");
    }
    for (const auto& member : value->get_object()) {
      note(put_member(given_, std::string_view(member.key()), member.value()));
    }
  }
  void written(std::string_view name, std::string value) {
    note(given_.put_written(name, std::move(value)));
  }
  void wrong(std::string en, std::string ja) {
    wrong_.push_back({{}, {std::move(en), std::move(ja)}});
  }
  [[nodiscard]] std::expected<Given, std::vector<Misgiven>> done() && {
    for (Misgiven& missing : given_.missing()) {
      if (std::ranges::find(wrong_, missing.argument, &Misgiven::argument) == wrong_.end()) {
        wrong_.push_back(std::move(missing));
      }
    }
    if (!wrong_.empty()) return std::unexpected(std::move(wrong_));
    return std::move(given_);
  }

 private:
  void note(Given::Taken taken) {
    if (!taken && wrong_.size() < kWrongMax) wrong_.push_back(std::move(taken.error()));
  }
  static constexpr std::size_t kWrongMax = 20;

  Given given_;
  std::vector<Misgiven> wrong_;
};

}  // namespace

std::expected<Given, std::vector<Misgiven>> read_call(const operate::Call& call,
                                                      const http::Request& request,
                                                      std::string_view body) {
  Reader reader(call);
  const auto query = request.query_parameters();
  const auto from_query = [&] {
    for (const auto& parameter : query.parameters()) {
      reader.written(parameter.name, parameter.value);
    }
  };
  if (!call.raw.empty()) {
    reader.written(call.raw, std::string(body));
    from_query();
  } else if (call.has_body()) {
    reader.body(body);
    if (!query.parameters().empty()) {
      reader.wrong("arguments of this request stand in a JSON object, and not behind its path",
                   "このリクエストの引数は、パスの後ろではなくJSONで指定してください");
    }
  } else {
    if (!body.empty()) {
      reader.wrong("arguments of this request stand behind its path, and not in a body",
                   "このリクエストの引数は、本文ではなくパスの後ろに指定してください");
    }
    from_query();
  }
  for (const auto& [name, value] : request.parameters.entries()) reader.written(name, value);
  return std::move(reader).done();
}

}  // namespace todoku::api::admin
