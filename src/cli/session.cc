// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "http/json.h"
#include "http/query.h"

namespace todoku::cli {
namespace {

// Answers come from ourselves; this only keeps a mistake from eating the memory.
constexpr http::JsonLimits kAnswerLimits{.octets_max = std::size_t{256} << 20U, .depth_max = 64};

const boost::json::value* member(const boost::json::value& object, std::string_view name) {
  return object.is_object() ? object.get_object().if_contains(name) : nullptr;
}

}  // namespace

AdminPort* Session::port() {
  if (port_) return port_.get();
  auto opened = host_.admin(common_.config);
  if (!opened) {
    (void)fail(opened.error().detail);
    return nullptr;
  }
  port_ = std::move(*opened);
  return port_.get();
}

int Session::call(AdminRequest request,
                  const std::function<void(const boost::json::value&)>& show) {
  AdminPort* operations = port();
  if (operations == nullptr) return 1;
  const auto answer = operations->call(std::move(request));
  if (!answer) return fail(answer.error().detail);
  http::JsonArena arena;
  const auto parsed = http::parse_json(answer->body, arena, kAnswerLimits);
  if (!answer->ok()) {
    return fail(parsed ? text_of(*parsed, "error")
                       : fmt::format("the engine answered with status {}", answer->status));
  }
  if (!parsed) return fail("the engine's answer cannot be read: " + parsed.error().detail);
  if (common_.json) {
    out_ << answer->body << '\n';
  } else {
    show(*parsed);
  }
  return 0;
}

int Session::fail(std::string_view sentence) {
  err_ << "todoku: " << sentence << '\n';
  return 1;
}

std::string text_of(const boost::json::value& object, std::string_view name) {
  const auto* found = member(object, name);
  if (found == nullptr || !found->is_string()) return {};
  return std::string(found->get_string());
}

std::int64_t number_of(const boost::json::value& object, std::string_view name) {
  const auto* found = member(object, name);
  return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

bool truth_of(const boost::json::value& object, std::string_view name) {
  const auto* found = member(object, name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

const boost::json::array& list_of(const boost::json::value& object, std::string_view name) {
  static const boost::json::array none;
  const auto* found = member(object, name);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

void print_table(std::ostream& out, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], utf8_length(row[i]));
    }
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - utf8_length(row[i]) + 2, ' ');
    }
    out << line << '\n';
  }
}

std::string encoded(std::string_view text) {
  return http::percent_encode(text);
}

}  // namespace todoku::cli
