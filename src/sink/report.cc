// SPDX-License-Identifier: Apache-2.0
#include "sink/report.h"

#include <algorithm>
#include <chrono>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace todoku::sink {
namespace {

namespace json = boost::json;

void merge_span(std::int64_t& first, std::int64_t& last, std::int64_t other_first,
                std::int64_t other_last) {
  if (other_first != 0) first = first == 0 ? other_first : std::min(first, other_first);
  last = std::max(last, other_last);
}

std::string time_text(std::int64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

void put_span(json::object& into, std::int64_t first, std::int64_t last) {
  if (first == 0) return;
  into["first_arrival"] = time_text(first);
  into["last_arrival"] = time_text(last);
}

json::object to_object(const Counts& counts) {
  json::object out{{"connections", counts.connections},
                   {"connections_open", counts.connections_open},
                   {"connections_peak", counts.connections_peak},
                   {"tls_sessions", counts.tls_sessions},
                   {"tls_failures", counts.tls_failures},
                   {"messages", counts.messages},
                   {"recipients", counts.recipients},
                   {"octets", counts.octets},
                   {"duplicates", counts.duplicates},
                   {"duplicates_untracked", counts.duplicates_untracked},
                   {"without_message_id", counts.without_message_id},
                   {"taken_silently", counts.taken_silently},
                   {"closed_by_script", counts.closed_by_script},
                   {"broken_off", counts.broken_off},
                   {"stored", counts.stored}};
  put_span(out, counts.first_ms, counts.last_ms);
  json::object replies;
  for (const auto& [code, count] : counts.replies) replies[std::to_string(code)] = count;
  out["replies"] = std::move(replies);
  json::object dkim;
  for (const auto& [word, count] : counts.dkim) dkim[word] = count;
  out["dkim"] = std::move(dkim);
  return out;
}

json::object to_object(const DomainCounts& counts) {
  json::object out{{"recipients", counts.recipients},
                   {"duplicates", counts.duplicates},
                   {"deferred", counts.deferred},
                   {"refused", counts.refused}};
  put_span(out, counts.first_ms, counts.last_ms);
  return out;
}

// One member a line, so that two reports can be compared by eye and by diff.
void append_lines(std::string& out, std::string_view name, const json::object& members) {
  out += fmt::format(",\n  \"{}\": {{", name);
  std::string_view separator = "\n    ";
  for (const auto& [key, value] : members) {
    out += separator;
    out += json::serialize(json::value(key)) + ": " + json::serialize(value);
    separator = ",\n    ";
  }
  out += members.empty() ? "}" : "\n  }";
}

}  // namespace

void Counts::add(const Counts& other) {
  connections += other.connections;
  connections_open += other.connections_open;
  connections_peak += other.connections_peak;
  tls_sessions += other.tls_sessions;
  tls_failures += other.tls_failures;
  messages += other.messages;
  recipients += other.recipients;
  octets += other.octets;
  duplicates += other.duplicates;
  duplicates_untracked += other.duplicates_untracked;
  without_message_id += other.without_message_id;
  taken_silently += other.taken_silently;
  closed_by_script += other.closed_by_script;
  broken_off += other.broken_off;
  stored += other.stored;
  merge_span(first_ms, last_ms, other.first_ms, other.last_ms);
  for (const auto& [code, count] : other.replies) replies[code] += count;
  for (const auto& [word, count] : other.dkim) dkim[word] += count;
}

void DomainCounts::add(const DomainCounts& other) {
  recipients += other.recipients;
  duplicates += other.duplicates;
  deferred += other.deferred;
  refused += other.refused;
  merge_span(first_ms, last_ms, other.first_ms, other.last_ms);
}

double Report::messages_per_second() const {
  const std::int64_t span_ms = total.last_ms - total.first_ms;
  if (span_ms <= 0) return 0;
  return static_cast<double>(total.messages) * 1000.0 / static_cast<double>(span_ms);
}

std::string to_json(const Report& report) {
  std::string out = fmt::format(
      "{{\n  \"seed\": {},\n  \"started\": \"{}\",\n  \"written\": \"{}\",\n"
      "  \"messages_per_second\": {:.1f}",
      report.seed, time_text(to_epoch_ms(report.started)), time_text(to_epoch_ms(report.written)),
      report.messages_per_second());
  append_lines(out, "total", to_object(report.total));
  const LatencySummary& latency = report.latency;
  append_lines(out, "latency",
               {{"count", latency.count},
                {"p50_ms", latency.p50_ms},
                {"p90_ms", latency.p90_ms},
                {"p99_ms", latency.p99_ms},
                {"max_ms", latency.max_ms}});
  json::object receivers;
  for (const auto& [name, receiver] : report.receivers) {
    json::object object = to_object(receiver.counts);
    object["listening"] = json::value_from(receiver.listening);
    receivers[name] = std::move(object);
  }
  append_lines(out, "receivers", receivers);
  json::object domains;
  for (const auto& [name, counts] : report.domains) domains[name] = to_object(counts);
  append_lines(out, "domains", domains);
  return out + "\n}\n";
}

}  // namespace todoku::sink
