// SPDX-License-Identifier: Apache-2.0
#include "cli/remote_port.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "cli/api_session.h"
#include "cli/doubt.h"
#include "http/query.h"

namespace todoku::cli {
namespace {

using boost::json::object;
using boost::json::value;

// A list goes in one piece: only its first row says which columns there are.
constexpr std::chrono::milliseconds kListTimeout{600'000};

// The entry of a suppression list as the admin port has it.
object admin_entry(const value& entry) {
  object out;
  for (const std::string_view name : {"email", "reason", "scope", "list_id", "note"}) {
    const std::string text = text_of(entry, name);
    if (!text.empty()) out[name] = text;
  }
  out["created"] = text_of(entry, "created_time");
  out["expires"] = text_of(entry, "expires_time");
  if (const auto* whole = entry.if_object()) {
    if (const auto* cause = whole->if_contains("cause")) {
      out["message"] = text_of(*cause, "response_message");
    }
  }
  return out;
}

object admin_entries(const value& answer) {
  boost::json::array entries;
  for (const auto& entry : list_of(answer, "data")) entries.emplace_back(admin_entry(entry));
  boost::json::array removed;
  for (const auto& entry : list_of(answer, "removed")) {
    removed.emplace_back(object{{"reason", text_of(entry, "reason")},
                                {"at", text_of(entry, "time")},
                                {"actor", text_of(entry, "actor")},
                                {"why", text_of(entry, "why")}});
  }
  object out{{"email", text_of(answer, "email")},
             {"suppressions", std::move(entries)},
             {"removed", std::move(removed)}};
  if (const std::string next = text_of(answer, "next"); !next.empty()) out["next"] = next;
  return out;
}

class RemotePort final : public AdminPort {
 public:
  RemotePort(Session& session, int& status) : session_(session), status_(status) {}

  Result<AdminAnswer> call(AdminRequest request) override {
    const std::size_t mark = std::min(request.target.find('?'), request.target.size());
    path_ = request.target.substr(0, mark);
    query_ = http::Query::parse(
        std::string_view(request.target).substr(std::min(mark + 1, request.target.size())));
    http::JsonArena arena;
    body_ = object();
    if (auto parsed = http::parse_json(request.body, arena, kListLimits); parsed) body_ = *parsed;
    if (!api_) api_.emplace(session_, named_account());
    if (path_.starts_with("/accounts")) return pass_on(std::move(request));
    if (path_.starts_with("/domains")) return domains(std::move(request));
    if (path_.starts_with("/suppressions")) return suppressions(request);
    if (path_.starts_with("/reports")) return reports(std::move(request));
    if (path_ == "/personal-data") return personal_data(std::move(request));
    return not_there();
  }
  [[nodiscard]] bool engine_running() const override { return true; }

 private:
  static constexpr http::JsonLimits kListLimits{.octets_max = std::size_t{256} << 20U};

  Result<AdminAnswer> not_there() {
    status_ = kWrongWords;
    return fail(ErrorKind::unsupported,
                session_.words({"the REST API has nothing of that: it is for operators, where the "
                                "engine is, without --url",
                                "REST API では行えません。エンジンのある場所で、--url を付けずに"
                                "実行してください"}));
  }

  // `translate` makes the answer that the admin port would give.
  template <class Translate>
  Result<AdminAnswer> ask(const ApiRequest& request, const Translate& translate) {
    auto read = api_->exchange(request);
    if (read) return AdminAnswer{(*read)->answer.status, translate(**read)};
    status_ = read.error().status;
    std::string sentences;
    for (const std::string& sentence : read.error().sentences) {
      if (!sentences.empty()) sentences += '\n';
      sentences += sentence;
    }
    if (api_->in_doubt()) sentences += "\n" + session_.words(kDoubt);
    return fail(ErrorKind::conflict, std::move(sentences));
  }

  Result<AdminAnswer> pass_on(AdminRequest request) {
    return ask({.method = std::move(request.method),
                .target = std::move(request.target),
                .body = std::move(request.body)},
               [](const ReadAnswer& read) { return read.answer.body; });
  }

  // The account is the key's: it stands in none of the API's paths.
  Result<AdminAnswer> domains(AdminRequest request) {
    if (truth_of(body_, "proven")) return not_there();
    constexpr std::string_view kPath = "/domains/";
    if (path_.starts_with(kPath)) {
      const std::size_t slash = path_.find('/', kPath.size());
      if (slash == std::string::npos) return not_there();
      request.target = "/domains" + path_.substr(slash);
    } else if (request.method == "GET") {
      TargetWriter target("/domains");
      const auto* after = query_.find("after");
      if (after != nullptr) target.with("after", after->value);
      request.target = target.take();
    } else {
      request.body = boost::json::serialize(object{{"domain", text_of(body_, "domain")}});
    }
    return pass_on(std::move(request));
  }

  Result<AdminAnswer> reports(AdminRequest request) {
    const auto as_it_is = [](const ReadAnswer& read) { return read.answer.body; };
    if (request.method == "POST") {
      return ask({.method = "POST",
                  .target = TargetWriter("/reports").with("name", asked("name")).take(),
                  .body = std::move(request.body),
                  .content_type = "application/octet-stream",
                  .timeout = kListTimeout},
                 as_it_is);
    }
    const std::string domain = path_.substr(std::string_view("/reports/").size());
    return ask(
        {.target =
             TargetWriter("/domains/" + domain + "/reports").with("days", asked("days")).take()},
        as_it_is);
  }

  // Who asks, and from where, the API knows itself; the account is the key's.
  Result<AdminAnswer> personal_data(AdminRequest request) {
    TargetWriter target("/personal-data");
    for (const std::string_view name : {"email", "stop", "after"}) target.with(name, asked(name));
    request.target = target.take();
    return pass_on(std::move(request));
  }

  // The account whose domains or list it is: the key has to be its. Of /accounts any may ask that
  // provisions them.
  [[nodiscard]] std::string named_account() const {
    constexpr std::string_view kPath = "/domains/";
    if (path_.starts_with("/accounts")) return {};
    if (path_.starts_with(kPath)) {
      const std::string_view rest = std::string_view(path_).substr(kPath.size());
      return http::percent_decode(rest.substr(0, rest.find('/'))).value_or("");
    }
    const std::string in_body = text_of(body_, "account");
    return in_body.empty() ? asked("account") : in_body;
  }

  [[nodiscard]] std::string asked(std::string_view name) const {
    const auto* parameter = query_.find(name);
    return parameter == nullptr ? "" : parameter->value;
  }

  Result<AdminAnswer> suppressions(const AdminRequest& request) {
    if (path_ == "/suppressions/import") return import();
    if (path_ == "/suppressions/remove") return remove();
    const auto entries = [](const ReadAnswer& read) {
      return boost::json::serialize(admin_entries(read.value));
    };
    if (path_ == "/suppressions/export") {
      return ask({.target = path_, .answered_in_csv = true, .timeout = kListTimeout},
                 [](const ReadAnswer& read) {
                   return boost::json::serialize(object{{"header", ""}, {"csv", read.answer.body}});
                 });
    }
    if (path_ == "/suppressions/look") {
      return ask({.target = TargetWriter("/suppressions").with("email", asked("address")).take()},
                 entries);
    }
    if (request.method == "GET") {
      return ask({.target = TargetWriter("/suppressions")
                                .with("cursor", asked("after"))
                                .with("limit", asked("limit"))
                                .take()},
                 entries);
    }
    return add();
  }

  Result<AdminAnswer> add() {
    object entry = body_.is_object() ? body_.get_object() : object();
    entry["email"] = text_of(body_, "address");
    entry.erase("address");
    entry.erase("account");
    return ask({.method = "POST",
                .target = "/suppressions",
                .body = boost::json::serialize(entry),
                .idempotency_key = fresh_key()},
               [](const ReadAnswer& read) { return read.answer.body; });
  }

  Result<AdminAnswer> remove() {
    TargetWriter target("/suppressions");
    target.with("email", text_of(body_, "address"));
    for (const std::string_view name : {"reason", "list_id", "why"}) {
      target.with(name, text_of(body_, name));
    }
    return ask({.method = "DELETE", .target = target.take()}, [](const ReadAnswer& read) {
      return fmt::format(R"({{"removed":{}}})", list_of(read.value, "removed").size());
    });
  }

  // The sentences come in the language that was asked for.
  Result<AdminAnswer> import() {
    return ask(
        {.method = "POST",
         .target = "/suppressions/import",
         .body = text_of(body_, "csv"),
         .content_type = "text/csv",
         .timeout = kListTimeout},
        [](const ReadAnswer& read) {
          object out;
          for (const std::string_view name : {"added", "changed", "failed"}) {
            out[name] = number_of(read.value, name);
          }
          boost::json::array errors;
          for (const auto& row : list_of(read.value, "errors")) {
            const std::string message = text_of(row, "message");
            errors.emplace_back(object{
                {"row", number_of(row, "row")}, {"message", message}, {"message_ja", message}});
          }
          out["errors"] = std::move(errors);
          return boost::json::serialize(out);
        });
  }

  Session& session_;
  std::optional<ApiSession> api_;
  int& status_;
  std::string path_;
  http::Query query_;
  value body_;
};

}  // namespace

std::unique_ptr<AdminPort> make_remote_port(Session& session, int& status) {
  return std::make_unique<RemotePort>(session, status);
}

}  // namespace todoku::cli
