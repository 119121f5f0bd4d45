// SPDX-License-Identifier: Apache-2.0
#include "store/probes.h"

#include <array>
#include <utility>

#include "store/codec.h"

namespace todoku::store {
namespace {

constexpr std::uint64_t kProbeForm = 1;
constexpr std::array<std::string_view, 7> kPlaces{"waiting", "inbox",   "junk",  "other",
                                                  "missing", "refused", "failed"};

// 0: there is none.
void put_instant(std::string& out, const std::optional<Instant>& at) {
  put_zigzag(out, at ? to_epoch_ms(*at) : 0);
}

std::optional<Instant> read_instant(BlobReader& in) {
  const std::int64_t at = in.zigzag();
  if (at == 0) return std::nullopt;
  return from_epoch_ms(at);
}

}  // namespace

std::string_view to_string(ProbePlace place) {
  return kPlaces[static_cast<std::size_t>(place)];
}

std::optional<ProbePlace> probe_place_of(std::uint64_t number) {
  if (number >= kPlaces.size()) return std::nullopt;
  return static_cast<ProbePlace>(number);
}

std::string pack_probe_news(const ProbeNews& news) {
  std::string packed;
  put_varint(packed, kProbeForm);
  put_varint(packed, static_cast<std::uint64_t>(news.place));
  put_text(packed, news.sender);
  put_text(packed, news.provider);
  put_zigzag(packed, static_cast<std::int64_t>(news.delivery));
  put_instant(packed, news.sent);
  put_instant(packed, news.accepted);
  put_instant(packed, news.found);
  for (const std::string* text :
       {&news.source, &news.folder, &news.spf, &news.dkim, &news.dmarc, &news.detail}) {
    put_text(packed, *text);
  }
  return packed;
}

Result<ProbeNews> unpack_probe_news(std::string_view packed) {
  BlobReader in(packed);
  const std::uint64_t form = in.varint();
  ProbeNews news;
  const auto place = probe_place_of(in.varint());
  news.place = place.value_or(ProbePlace::failed);
  news.sender = in.text();
  news.provider = in.text();
  news.delivery = DeliveryKey{in.zigzag()};
  news.sent = read_instant(in);
  news.accepted = read_instant(in);
  news.found = read_instant(in);
  for (std::string* text :
       {&news.source, &news.folder, &news.spf, &news.dkim, &news.dmarc, &news.detail}) {
    *text = in.text();
  }
  if (form == kProbeForm && !in.failed()) return news;
  return fail(ErrorKind::corrupt, "what is kept of a probe is damaged");
}

ProbeNews probe_news_in(std::string_view packed) {
  auto news = unpack_probe_news(packed);
  if (news) return std::move(*news);
  ProbeNews damaged;
  damaged.place = ProbePlace::failed;
  damaged.detail = news.error().detail;
  return damaged;
}

}  // namespace todoku::store
