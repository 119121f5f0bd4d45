// SPDX-License-Identifier: Apache-2.0
// usage: todoku_scaling_days CURVE NAME=VALUE...
// Plays a day (curve_day.h) and prints a line for each minute, with tabs, after a line of names;
// last, lines that begin with # and name what is of the whole day. bench/capacity.py gives it the
// values of deploy/terraform.
#include <charconv>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "scaling/curve_day.h"

namespace todoku::scaling {
namespace {

int refuse(std::string_view what) {
  std::fprintf(stderr, "todoku_scaling_days: %.*s\n", static_cast<int>(what.size()), what.data());
  return 2;
}

// Every value that a day needs, by its name; each must be given.
std::map<std::string_view, double> wanted() {
  return {{"day_mails", 0},      {"pace", 0},          {"accept_seconds", 0},
          {"api_processors", 0}, {"zones", 0},         {"couriers_target", 0},
          {"couriers_least", 0}, {"couriers_most", 0}, {"couriers_warm_up", 0},
          {"api_target", 0},     {"api_least", 0},     {"api_most", 0},
          {"api_out", 0},        {"api_in", 0}};
}

CurveOptions options_of(Curve curve, const std::map<std::string_view, double>& given) {
  const auto value = [&](std::string_view name) { return given.at(name); };
  const auto whole = [&](std::string_view name) { return static_cast<std::int64_t>(value(name)); };
  return {.curve = curve,
          .day_mails = value("day_mails"),
          .pace = value("pace"),
          .accept_seconds = value("accept_seconds"),
          .api_processors = value("api_processors"),
          .zones = whole("zones"),
          .couriers = {.target = value("couriers_target"),
                       .capacity_min = whole("couriers_least"),
                       .capacity_max = whole("couriers_most"),
                       .cooldown_out = value("couriers_warm_up"),
                       .cooldown_in = value("couriers_warm_up")},
          .api = {.target = value("api_target"),
                  .capacity_min = whole("api_least"),
                  .capacity_max = whole("api_most"),
                  .cooldown_out = value("api_out"),
                  .cooldown_in = value("api_in")}};
}

void print(const CurveDay& day) {
  std::puts("minute\tarrived\tsettled\twaiting\toldest_seconds\tpace\tcouriers\tpaid\tapi");
  int minute = 0;
  for (const CurveMinute& each : day.minutes) {
    std::printf("%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t%d\t%d\t%d\n", minute++, each.arrived,
                each.settled, each.waiting, each.oldest_seconds, each.pace,
                static_cast<int>(each.couriers), static_cast<int>(each.paid),
                static_cast<int>(each.api));
  }
  std::printf("# scalings\t%d\n# spare_least\t%.3f\n# ended_with\t%.0f\n",
              static_cast<int>(day.scalings), day.spare_least, day.ended_with);
}

int run(int count, char** words) {
  const auto curve = count < 2 ? std::nullopt : curve_of(words[1]);
  if (!curve) return refuse("CURVE is one of quiet, noon, incident");
  auto values = wanted();
  std::size_t found = 0;
  for (int i = 2; i < count; ++i) {
    const std::string_view word(words[i]);
    const auto equals = word.find('=');
    const auto at = values.find(word.substr(0, equals));
    if (equals == word.npos || at == values.end())
      return refuse(std::string(word) + " is no value");
    const char* const end = word.data() + word.size();
    const auto read = std::from_chars(word.data() + equals + 1, end, at->second);
    if (read.ec != std::errc() || read.ptr != end || at->second < 0) {
      return refuse(std::string(word) + " must be a number from 0 on");
    }
    ++found;
  }
  if (found != values.size()) return refuse("a value is missing, or is there twice");
  print(play_curve(options_of(*curve, values)));
  return 0;
}

}  // namespace
}  // namespace todoku::scaling

int main(int count, char** words) {
  return todoku::scaling::run(count, words);
}
