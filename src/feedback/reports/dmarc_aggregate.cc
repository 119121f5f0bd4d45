// SPDX-License-Identifier: Apache-2.0
#include "feedback/reports/dmarc_aggregate.h"

#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <arpa/inet.h>
#include <expat.h>
#include <fmt/format.h>

#include "base/bytes.h"
#include "feedback/reports/report_text.h"

namespace todoku::feedback::reports {
namespace {

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kXmlPieceOctets = std::size_t{1} << 20U;
// 2100-01-01: some systems count milliseconds.
constexpr std::int64_t kSecondsMax = 4'102'444'800;

bool is_ip(const std::string& text) {
  std::array<unsigned char, 16> octets{};
  return inet_pton(AF_INET, text.c_str(), octets.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), octets.data()) == 1;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0 ||
      number > kCountMax) {
    return std::nullopt;
  }
  return number;
}

std::optional<Instant> instant_of(std::string_view text) {
  const auto seconds = number_of(text.substr(0, text.find('.')));
  if (!seconds || *seconds > kSecondsMax) return std::nullopt;
  return Instant(std::chrono::seconds(*seconds));
}

// Without a prefix: "ns:row" is "row".
std::string_view local_name(std::string_view name) {
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// Hears the elements of one report.
class Reader {
 public:
  void begin(std::string_view name) {
    name = local_name(name);
    if (++depth_ > kDepthMax) return stop(ErrorKind::invalid_input, "nests too deep");
    if (depth_ == 1 && name != "feedback") {
      return stop(
          ErrorKind::invalid_input,
          fmt::format("is no DMARC report: begins with <{}>, not <feedback>", name.substr(0, 40)));
    }
    path_ += '/';
    path_ += name.substr(0, 64);
    ends_.push_back(path_.size());
    text_.clear();
    if (path_ == "/feedback/record") row_ = {};
    if (path_.ends_with("/auth_results/dkim") || path_.ends_with("/auth_results/spf")) result_ = {};
    if (path_.ends_with("/policy_evaluated/reason")) reason_ = {};
  }
  void text(std::string_view piece) {
    text_.append(
        piece.substr(0, kReportTextOctetsMax - std::min(text_.size(), kReportTextOctetsMax)));
  }
  void end() {
    const std::string line = on_one_line(text_);
    const std::string_view value = trim(line);
    if (path_.starts_with("/feedback/record")) {
      end_of_record(std::string_view(path_).substr(std::string_view("/feedback/record").size()),
                    value);
    } else {
      end_of_head(value);
    }
    text_.clear();
    ends_.pop_back();
    path_.resize(ends_.empty() ? 0 : ends_.back());
    --depth_;
  }
  void stop(ErrorKind kind, std::string detail) {
    if (!error_) error_ = Error{kind, std::move(detail)};
  }

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  Result<DmarcAggregate> finish() {
    const auto needs = [&](bool is_there, std::string_view what) {
      if (!is_there)
        stop(ErrorKind::invalid_input,
             fmt::format("is no whole DMARC report: {} is missing", what));
    };
    needs(!report_.organization.empty(), "report_metadata/org_name");
    needs(!report_.report_id.empty(), "report_metadata/report_id");
    needs(begin_ && end_, "report_metadata/date_range");
    needs(!report_.domain.empty(), "policy_published/domain");
    if (error_) return fail(*error_);
    report_.begin = *begin_;
    report_.end = *end_;
    return std::move(report_);
  }

 private:
  void end_of_head(std::string_view value) {
    const std::string_view at = path_;
    const auto is = [at](std::string_view below) { return at == below; };
    if (is("/feedback/report_metadata/org_name")) report_.organization = value;
    if (is("/feedback/report_metadata/email")) report_.contact = value;
    if (is("/feedback/report_metadata/report_id")) report_.report_id = value;
    if (is("/feedback/report_metadata/date_range/begin")) begin_ = date(value);
    if (is("/feedback/report_metadata/date_range/end")) end_ = date(value);
    const std::string lower = to_ascii_lower(value);
    if (is("/feedback/policy_published/domain")) report_.domain = lower;
    if (is("/feedback/policy_published/p")) report_.policy = lower;
    if (is("/feedback/policy_published/sp")) report_.subdomain_policy = lower;
    if (is("/feedback/policy_published/np")) report_.nonexistent_policy = lower;
    if (is("/feedback/policy_published/adkim")) report_.dkim_alignment = lower;
    if (is("/feedback/policy_published/aspf")) report_.spf_alignment = lower;
    if (is("/feedback/policy_published/testing")) report_.testing = lower == "y";
  }

  void end_of_record(std::string_view at, std::string_view value) {
    const std::string lower = to_ascii_lower(value);
    if (at.empty()) return add_row();
    if (at == "/row/source_ip") row_.source_ip = value;
    if (at == "/row/count") {
      const auto count = number_of(value);
      if (!count) {
        return stop(ErrorKind::invalid_input,
                    fmt::format("row/count is no number: \"{}\"", value.substr(0, 40)));
      }
      row_.messages = *count;
    }
    if (at == "/row/policy_evaluated/disposition") row_.disposition = lower;
    if (at == "/row/policy_evaluated/dkim") row_.dkim_aligned = lower == "pass";
    if (at == "/row/policy_evaluated/spf") row_.spf_aligned = lower == "pass";
    if (at == "/row/policy_evaluated/reason/type") reason_.first = lower;
    if (at == "/row/policy_evaluated/reason/comment") reason_.second = value;
    if (at == "/row/policy_evaluated/reason" && row_.overrides.size() < kResultsMax) {
      row_.overrides.push_back(reason_.second.empty()
                                   ? reason_.first
                                   : fmt::format("{}: {}", reason_.first, reason_.second));
    }
    // Some write "identities".
    if (at == "/identifiers/header_from" || at == "/identities/header_from") {
      row_.header_from = lower;
    }
    if (at == "/identifiers/envelope_from" || at == "/identities/envelope_from") {
      row_.envelope_from = lower;
    }
    if (at.starts_with("/auth_results/")) end_of_result(at.substr(14), lower);
  }

  void end_of_result(std::string_view at, const std::string& lower) {
    if (at == "dkim" || at == "spf") {
      std::vector<AuthResult>& results = at == "dkim" ? row_.dkim : row_.spf;
      if (results.size() < kResultsMax) results.push_back(std::move(result_));
      result_ = {};
    }
    if (at == "dkim/domain" || at == "spf/domain") result_.domain = lower;
    if (at == "dkim/selector") result_.selector = lower;
    if (at == "dkim/result" || at == "spf/result") result_.result = lower;
  }

  void add_row() {
    if (!is_ip(row_.source_ip)) {
      return stop(ErrorKind::invalid_input,
                  fmt::format("row/source_ip is no address: \"{}\"", row_.source_ip.substr(0, 60)));
    }
    if (report_.rows.size() >= kRowsMax) {
      return stop(ErrorKind::limit_exceeded, fmt::format("has more than {} rows", kRowsMax));
    }
    if (row_.header_from.empty()) row_.header_from = report_.domain;
    report_.rows.push_back(std::move(row_));
    row_ = {};
  }

  std::optional<Instant> date(std::string_view value) {
    const auto instant = instant_of(value);
    if (!instant) {
      stop(ErrorKind::invalid_input,
           fmt::format("date_range has no seconds since 1970: \"{}\"", value.substr(0, 40)));
    }
    return instant;
  }

  DmarcAggregate report_;
  DmarcRow row_;
  AuthResult result_;
  std::pair<std::string, std::string> reason_;
  std::optional<Instant> begin_;
  std::optional<Instant> end_;
  std::string path_;
  std::vector<std::size_t> ends_;
  std::size_t depth_ = 0;
  std::string text_;
  std::optional<Error> error_;
};

struct Parsing {
  XML_Parser parser;
  Reader reader;

  // Expat tells of the end of an empty element also after it was stopped.
  [[nodiscard]] bool is_over() const { return reader.error().has_value(); }
  void stop_if_wrong() {
    if (is_over()) XML_StopParser(parser, XML_FALSE);
  }
};

void on_begin(void* user, const XML_Char* name, const XML_Char** /*attributes*/) {
  auto& parsing = *static_cast<Parsing*>(user);
  if (parsing.is_over()) return;
  parsing.reader.begin(name);
  parsing.stop_if_wrong();
}
void on_end(void* user, const XML_Char* /*name*/) {
  auto& parsing = *static_cast<Parsing*>(user);
  if (parsing.is_over()) return;
  parsing.reader.end();
  parsing.stop_if_wrong();
}
void on_text(void* user, const XML_Char* text, int octets) {
  static_cast<Parsing*>(user)->reader.text({text, static_cast<std::size_t>(octets)});
}
// What no report needs, and what entities that grow begin with.
void on_doctype(void* user, const XML_Char* /*name*/, const XML_Char* /*system*/,
                const XML_Char* /*public_id*/, int /*has_internal_subset*/) {
  auto& parsing = *static_cast<Parsing*>(user);
  parsing.reader.stop(ErrorKind::invalid_input, "has a document type, which no report needs");
  parsing.stop_if_wrong();
}

struct ParserFree {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

}  // namespace

Result<DmarcAggregate> read_dmarc_aggregate(std::string_view xml) {
  const std::unique_ptr<XML_ParserStruct, ParserFree> parser(XML_ParserCreate(nullptr));
  if (!parser) return fail(ErrorKind::unavailable, "no memory to read XML");
  Parsing parsing{.parser = parser.get(), .reader = {}};
  XML_SetUserData(parser.get(), &parsing);
  XML_SetElementHandler(parser.get(), on_begin, on_end);
  XML_SetCharacterDataHandler(parser.get(), on_text);
  XML_SetStartDoctypeDeclHandler(parser.get(), on_doctype);
  while (true) {
    const std::string_view piece = xml.substr(0, kXmlPieceOctets);
    xml.remove_prefix(piece.size());
    const bool is_last = xml.empty();
    const auto status = XML_Parse(parser.get(), piece.data(), static_cast<int>(piece.size()),
                                  is_last ? XML_TRUE : XML_FALSE);
    if (parsing.reader.error()) break;
    if (status != XML_STATUS_OK) {
      return fail(ErrorKind::corrupt,
                  fmt::format("line {}: {}", XML_GetCurrentLineNumber(parser.get()),
                              XML_ErrorString(XML_GetErrorCode(parser.get()))));
    }
    if (is_last) return parsing.reader.finish();
  }
  Error error = *parsing.reader.error();
  error.detail = fmt::format("line {}: {}", XML_GetCurrentLineNumber(parser.get()), error.detail);
  return fail(std::move(error));
}

}  // namespace todoku::feedback::reports
