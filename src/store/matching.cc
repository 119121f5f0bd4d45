// SPDX-License-Identifier: Apache-2.0
#include "store/matching.h"

#include <algorithm>

namespace todoku::store {
namespace {

// Octets of text that are searched in the time in which a delivery is looked at.
constexpr std::int64_t kOctetsOfEffort = 2'048;

bool among(const auto& list, auto value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

// One a line.
bool has_tag(std::string_view tags, std::string_view wanted) {
  while (!tags.empty()) {
    const std::size_t end = std::min(tags.find('\n'), tags.size());
    if (tags.substr(0, end) == wanted) return true;
    tags.remove_prefix(std::min(end + 1, tags.size()));
  }
  return false;
}

}  // namespace

bool asks_texts(const DeliveryFilter& filter) {
  return !filter.text_part.empty() || !filter.html_part.empty() || !filter.subject.empty() ||
         !filter.from.empty() || !filter.list_unsubscribe_url.empty() ||
         !filter.list_unsubscribe_mailto.empty();
}

bool is_among_few(const DeliveryFilter& filter) {
  const bool only_bulk =
      !filter.types.empty() && std::ranges::all_of(filter.types, [](DeliveryType type) {
        return type == DeliveryType::bulk;
      });
  const bool never_started =
      !filter.statuses.empty() && std::ranges::none_of(filter.statuses, [](DeliveryStatus status) {
        return status == DeliveryStatus::sending || status == DeliveryStatus::sent;
      });
  return only_bulk || never_started;
}

bool matches(const ListedDelivery& delivery, const DeliveryFilter& filter) {
  if (!among(filter.types, delivery.type) || !among(filter.statuses, delivery.status)) return false;
  const bool stopped = delivery.course == Course::stopped || delivery.course == Course::ended;
  if (filter.stopped && *filter.stopped != stopped) return false;
  if (!filter.tag.empty() && !has_tag(delivery.tags, filter.tag)) return false;
  const auto& started = delivery.started;
  if (filter.delivery_start && (!started || *started < *filter.delivery_start)) return false;
  return !filter.delivery_end || (started && *started <= *filter.delivery_end);
}

bool matches(const ListedTexts& texts, const DeliveryFilter& filter, std::int64_t& effort) {
  const auto has = [&](std::string_view text, std::string_view part) {
    if (part.empty()) return true;
    effort += static_cast<std::int64_t>(text.size()) / kOctetsOfEffort;
    return text.find(part) != std::string_view::npos;
  };
  return (has(texts.from_address, filter.from) || has(texts.from_name, filter.from)) &&
         has(texts.unsubscribe_mailto, filter.list_unsubscribe_mailto) &&
         has(texts.unsubscribe_url, filter.list_unsubscribe_url) &&
         has(texts.subject, filter.subject) && has(texts.text_part, filter.text_part) &&
         has(texts.html_part, filter.html_part);
}

}  // namespace todoku::store
