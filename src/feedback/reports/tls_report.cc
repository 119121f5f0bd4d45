// SPDX-License-Identifier: Apache-2.0
#include "feedback/reports/tls_report.h"

#include <charconv>
#include <new>
#include <optional>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/memory_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/date_time.h"
#include "feedback/reports/dmarc_aggregate.h"
#include "feedback/reports/report_text.h"

namespace todoku::feedback::reports {
namespace {

using boost::json::object;

// What a report may take as values: small numbers by the million take many times their text.
constexpr std::size_t kValueOctetsMax = std::size_t{128} << 20U;

class BoundedMemory final : public boost::json::memory_resource {
 private:
  void* do_allocate(std::size_t octets, std::size_t alignment) override {
    if (octets > kValueOctetsMax - used_) throw std::bad_alloc();
    // Boost gives back with another alignment than it asked for, neither beyond new's own.
    check(alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__, "JSON needs no greater alignment");
    void* const memory = ::operator new(octets);
    used_ += octets;
    return memory;
  }
  void do_deallocate(void* memory, std::size_t octets, std::size_t /*alignment*/) override {
    used_ -= octets;
    ::operator delete(memory);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::size_t used_ = 0;
};

std::string text_of(const object& from, std::string_view name) {
  const auto* const value = from.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return on_one_line(std::string_view(value->get_string()).substr(0, kReportTextOctetsMax));
}

const object* object_of(const object& from, std::string_view name) {
  const auto* const value = from.if_contains(name);
  return value == nullptr ? nullptr : value->if_object();
}

// Of a member that counts; some write it as text. 0 where it is not there.
Result<std::int64_t> count_of(const object& from, std::string_view name) {
  const auto* const value = from.if_contains(name);
  if (value == nullptr || value->is_null()) return 0;
  std::int64_t number = -1;
  if (const auto* const text = value->if_string()) {
    const auto [end, wrong] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (wrong != std::errc() || end != text->data() + text->size()) number = -1;
  } else {
    boost::system::error_code error;
    number = value->to_number<std::int64_t>(error);
    if (error) number = -1;
  }
  if (number >= 0 && number <= kCountMax) return number;
  return fail(ErrorKind::invalid_input, fmt::format("{} is no count", name));
}

std::optional<Instant> instant_in(const object& from, std::string_view name) {
  return parse_date_time(text_of(from, name));
}

Result<TlsFailure> failure_of(const object& given) {
  const auto sessions = count_of(given, "failed-session-count");
  if (!sessions) return fail(sessions.error());
  std::string reason = text_of(given, "failure-reason-code");
  if (reason.empty()) reason = text_of(given, "additional-information");
  return TlsFailure{.result = to_ascii_lower(text_of(given, "result-type")),
                    .sending_ip = text_of(given, "sending-mta-ip"),
                    .receiving_mx = text_of(given, "receiving-mx-hostname"),
                    .receiving_ip = text_of(given, "receiving-ip"),
                    .sessions = *sessions,
                    .reason = std::move(reason)};
}

Result<void> read_failures(const object& given, TlsPolicyResult& into) {
  const auto* const value = given.if_contains("failure-details");
  const auto* const failures = value == nullptr ? nullptr : value->if_array();
  if (failures == nullptr) return {};
  if (failures->size() > kTlsFailuresMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("a policy has more than {} failure-details", kTlsFailuresMax));
  }
  for (const auto& each : *failures) {
    if (!each.is_object()) continue;
    auto failure = failure_of(each.get_object());
    if (!failure) return fail(std::move(failure.error()));
    into.failures.push_back(std::move(*failure));
  }
  return {};
}

Result<TlsPolicyResult> policy_of(const object& given) {
  TlsPolicyResult result;
  if (const object* const policy = object_of(given, "policy")) {
    result.domain = to_ascii_lower(text_of(*policy, "policy-domain"));
    result.type = to_ascii_lower(text_of(*policy, "policy-type"));
  }
  if (result.domain.empty()) {
    return fail(ErrorKind::invalid_input, "is no whole TLS report: policy-domain is missing");
  }
  if (const object* const summary = object_of(given, "summary")) {
    const auto successful = count_of(*summary, "total-successful-session-count");
    if (!successful) return fail(successful.error());
    const auto failed = count_of(*summary, "total-failure-session-count");
    if (!failed) return fail(failed.error());
    result.successful = *successful;
    result.failed = *failed;
  }
  if (auto read = read_failures(given, result); !read) return fail(std::move(read.error()));
  return result;
}

Result<TlsReport> read_within(std::string_view json, boost::json::memory_resource* memory) {
  boost::system::error_code error;
  const boost::json::value root = boost::json::parse(json, error, memory);
  if (error) return fail(ErrorKind::corrupt, fmt::format("is no JSON: {}", error.message()));
  const object* const given = root.if_object();
  const auto missing = [](std::string_view what) {
    return fail(ErrorKind::invalid_input,
                fmt::format("is no whole TLS report: {} is missing", what));
  };
  if (given == nullptr) return missing("an object");
  TlsReport report{.organization = text_of(*given, "organization-name"),
                   .contact = text_of(*given, "contact-info"),
                   .report_id = text_of(*given, "report-id"),
                   .policies = {}};
  if (report.organization.empty()) return missing("organization-name");
  if (report.report_id.empty()) return missing("report-id");
  const object* const range = object_of(*given, "date-range");
  const auto begin = range == nullptr ? std::nullopt : instant_in(*range, "start-datetime");
  const auto end = range == nullptr ? std::nullopt : instant_in(*range, "end-datetime");
  if (!begin || !end) return missing("date-range");
  report.begin = *begin;
  report.end = *end;
  const auto* const value = given->if_contains("policies");
  const auto* const policies = value == nullptr ? nullptr : value->if_array();
  if (policies == nullptr) return missing("policies");
  if (policies->size() > kTlsPoliciesMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("has more than {} policies", kTlsPoliciesMax));
  }
  for (const auto& each : *policies) {
    if (!each.is_object()) continue;
    auto policy = policy_of(each.get_object());
    if (!policy) return fail(std::move(policy.error()));
    report.policies.push_back(std::move(*policy));
  }
  return report;
}

}  // namespace

Result<TlsReport> read_tls_report(std::string_view json) {
  BoundedMemory memory;
  try {
    return read_within(json, &memory);
  } catch (const std::bad_alloc&) {
    return fail(ErrorKind::limit_exceeded, "takes too much memory as JSON");
  }
}

}  // namespace todoku::feedback::reports
