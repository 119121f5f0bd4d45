// SPDX-License-Identifier: Apache-2.0
#include "delivery/news_text.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>

#include "store/codec.h"

namespace todoku::delivery {
namespace {

constexpr char kNewsFormat = 1;
// Nothing that is told lasts longer, and nothing overflows.
constexpr std::uint64_t kLongestTold = 400ULL * 24 * 3'600 * 1'000;

// Durations that have passed while they were on their way count as now.
std::uint64_t told(Milliseconds duration) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
}

std::string text_of(const BatchProgress& step) {
  std::string text = "p";
  store::put_varint(text, static_cast<std::uint64_t>(step.key.delivery));
  store::put_varint(text, step.key.batch);
  store::put_varint(text, static_cast<std::uint64_t>(step.settled));
  store::put_varint(text, static_cast<std::uint64_t>(step.parked));
  text.push_back(step.released ? 1 : 0);
  if (step.released) {
    text.push_back(step.released->done ? 1 : 0);
    store::put_varint(text, step.released->next ? told(*step.released->next) + 1 : 0);
  }
  return text;
}

std::string text_of(const LaneRest& rest) {
  std::string text = rest.elsewhere ? "e" : "r";
  store::put_text(text, rest.site);
  store::put_text(text, rest.source);
  store::put_varint(text, told(rest.rest));
  return text;
}

std::string text_of(const std::pair<std::string, std::string>& routed) {
  std::string text = "s";
  store::put_text(text, routed.first);
  store::put_text(text, routed.second);
  return text;
}

// A number no larger than `most`; otherwise nothing is to be believed.
class NewsReader {
 public:
  explicit NewsReader(std::string_view text) : reader_(text) {}

  [[nodiscard]] bool at_end() const { return reader_.at_end(); }
  [[nodiscard]] bool sound() const { return !reader_.failed() && !wrong_; }
  [[nodiscard]] std::uint8_t octet() { return reader_.octet(); }
  [[nodiscard]] std::string text() { return std::string(reader_.text()); }
  [[nodiscard]] std::uint64_t number(std::uint64_t most) {
    const std::uint64_t value = reader_.varint();
    if (value > most) wrong_ = true;
    return value > most ? 0 : value;
  }
  [[nodiscard]] Milliseconds duration() {
    return Milliseconds(static_cast<std::int64_t>(number(kLongestTold)));
  }
  [[nodiscard]] bool flag() {
    const std::uint8_t value = octet();
    if (value > 1) wrong_ = true;
    return value == 1;
  }

  [[nodiscard]] BatchProgress progress() {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    constexpr std::uint64_t kBatches = std::numeric_limits<std::uint32_t>::max();
    BatchProgress step;
    step.key.delivery = store::DeliveryKey{static_cast<std::int64_t>(number(kMost))};
    step.key.batch = static_cast<std::uint32_t>(number(kBatches));
    step.settled = static_cast<std::int64_t>(number(kBatches));
    step.parked = static_cast<std::int64_t>(number(kBatches));
    if (!flag()) return step;
    step.released.emplace();
    step.released->done = flag();
    const Milliseconds next = duration();
    if (next > Milliseconds(0)) step.released->next = next - Milliseconds(1);
    return step;
  }

 private:
  store::BlobReader reader_;
  bool wrong_ = false;
};

}  // namespace

std::vector<std::string> write_news(const ToldNews& told, std::size_t octets_max) {
  std::vector<std::string> pieces;
  const auto add = [&](const auto& items) {
    for (const auto& item : items) {
      const std::string text = text_of(item);
      if (text.size() >= octets_max) continue;
      if (pieces.empty() || pieces.back().size() + text.size() > octets_max) {
        pieces.emplace_back(1, kNewsFormat);
      }
      pieces.back() += text;
    }
  };
  add(told.news.progress);
  std::vector<LaneRest> resting;
  std::vector<LaneRest> unwanted;
  for (const LaneRest& rest : told.news.rests) {
    (rest.elsewhere ? unwanted : resting).push_back(rest);
  }
  add(resting);
  add(told.routed);
  if (unwanted.empty()) return pieces;
  // In pieces of their own: a leader of an older version can read nothing of these.
  std::vector<std::string> others = std::exchange(pieces, {});
  add(unwanted);
  std::ranges::move(pieces, std::back_inserter(others));
  return others;
}

Result<ToldNews> read_news(std::string_view text) {
  ToldNews told;
  NewsReader reader(text);
  bool known = reader.octet() == kNewsFormat;
  while (known && reader.sound() && !reader.at_end()) {
    const std::uint8_t kind = reader.octet();
    switch (kind) {
      case 'p':
        told.news.progress.push_back(reader.progress());
        break;
      case 'e':
      case 'r': {
        LaneRest& rest = told.news.rests.emplace_back();
        rest.elsewhere = kind == 'e';
        rest.site = reader.text();
        rest.source = reader.text();
        rest.rest = reader.duration();
        break;
      }
      case 's': {
        auto& [domain, site] = told.routed.emplace_back();
        domain = reader.text();
        site = reader.text();
        break;
      }
      default:
        known = false;
    }
  }
  if (!known || !reader.sound()) {
    return fail(ErrorKind::corrupt, "news of another process cannot be read");
  }
  return told;
}

}  // namespace todoku::delivery
