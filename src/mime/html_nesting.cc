// SPDX-License-Identifier: Apache-2.0
#include "mime/html_nesting.h"

#include <algorithm>
#include <functional>
#include <iterator>

namespace todoku::mime {
namespace {

// Traits, by the words of the standard.
constexpr std::uint32_t kSpecial = 1U << 0U;     // no end tag of an inline element reaches over it
constexpr std::uint32_t kFormatting = 1U << 1U;  // see the header
constexpr std::uint32_t kVoid = 1U << 2U;        // without content
constexpr std::uint32_t kScope = 1U << 3U;       // no end tag inside ends what is outside
constexpr std::uint32_t kTableScope = 1U << 4U;  // the same for parts of tables
constexpr std::uint32_t kMarker = 1U << 5U;      // formatting elements inside end with it
constexpr std::uint32_t kEndsParagraph = 1U << 6U;  // its start tag does
constexpr std::uint32_t kOptionalEnd = 1U << 7U;    // its end tag may be left out
constexpr std::uint32_t kHeading = 1U << 8U;
constexpr std::uint32_t kTable = 1U << 9U;
constexpr std::uint32_t kGroup = 1U << 10U;  // thead, tbody, tfoot
constexpr std::uint32_t kRow = 1U << 11U;
constexpr std::uint32_t kCell = 1U << 12U;
constexpr std::uint32_t kBesideRows = 1U << 13U;  // caption, colgroup
constexpr std::uint32_t kParagraph = 1U << 14U;
constexpr std::uint32_t kList = 1U << 15U;     // an item inside is none of a list outside
constexpr std::uint32_t kThrough = 1U << 16U;  // special, but an item may begin over it
constexpr std::uint32_t kButton = 1U << 17U;
constexpr std::uint32_t kImplied = 1U << 18U;      // ends where a part of ruby begins
constexpr std::uint32_t kRubyText = 1U << 19U;     // rtc
constexpr std::uint32_t kItem = 1U << 20U;         // li
constexpr std::uint32_t kDescription = 1U << 21U;  // dt, dd
constexpr std::uint32_t kTablePart = kGroup | kRow | kCell | kBesideRows;
constexpr std::uint32_t kBlock = kSpecial | kEndsParagraph;

struct Traits {
  std::string_view name;
  std::uint32_t traits;
};

// In the order of their names.
constexpr std::array kTraits = std::to_array<Traits>({
    {"a", kFormatting},
    {"address", kBlock | kThrough},
    {"applet", kSpecial | kScope | kMarker},
    {"area", kSpecial | kVoid},
    {"article", kBlock},
    {"aside", kBlock},
    {"b", kFormatting},
    {"base", kSpecial | kVoid},
    {"basefont", kSpecial | kVoid},
    {"bgsound", kSpecial | kVoid},
    {"big", kFormatting},
    {"blockquote", kBlock},
    {"body", kSpecial},
    {"br", kSpecial | kVoid},
    {"button", kSpecial | kButton},
    {"caption", kSpecial | kScope | kMarker | kOptionalEnd | kBesideRows},
    {"center", kBlock},
    {"code", kFormatting},
    {"col", kSpecial | kVoid},
    {"colgroup", kSpecial | kOptionalEnd | kBesideRows},
    {"dd", kBlock | kOptionalEnd | kImplied | kDescription},
    {"details", kBlock},
    {"dialog", kEndsParagraph},
    {"dir", kBlock},
    {"div", kBlock | kThrough},
    {"dl", kBlock},
    {"dt", kBlock | kOptionalEnd | kImplied | kDescription},
    {"em", kFormatting},
    {"embed", kSpecial | kVoid},
    {"fieldset", kBlock},
    {"figcaption", kBlock},
    {"figure", kBlock},
    {"font", kFormatting},
    {"footer", kBlock},
    {"form", kBlock},
    {"frame", kSpecial | kVoid},
    {"h1", kBlock | kHeading},
    {"h2", kBlock | kHeading},
    {"h3", kBlock | kHeading},
    {"h4", kBlock | kHeading},
    {"h5", kBlock | kHeading},
    {"h6", kBlock | kHeading},
    {"head", kSpecial},
    {"header", kBlock},
    {"hgroup", kBlock},
    {"hr", kBlock | kVoid},
    {"html", kSpecial | kScope | kTableScope},
    {"i", kFormatting},
    {"iframe", kSpecial},
    {"img", kSpecial | kVoid},
    {"input", kSpecial | kVoid},
    {"keygen", kSpecial | kVoid},
    {"li", kBlock | kOptionalEnd | kImplied | kItem},
    {"link", kSpecial | kVoid},
    {"listing", kBlock},
    {"main", kBlock},
    {"marquee", kSpecial | kScope | kMarker},
    {"menu", kBlock},
    {"meta", kSpecial | kVoid},
    {"nav", kBlock},
    {"nobr", kFormatting},
    {"noembed", kSpecial},
    {"noframes", kSpecial},
    {"noscript", kSpecial},
    {"object", kSpecial | kScope | kMarker},
    {"ol", kBlock | kList},
    {"optgroup", kOptionalEnd | kImplied},
    {"option", kOptionalEnd | kImplied},
    {"p", kBlock | kThrough | kOptionalEnd | kImplied | kParagraph},
    {"param", kSpecial | kVoid},
    {"pre", kBlock},
    {"rb", kOptionalEnd | kImplied},
    {"rp", kOptionalEnd | kImplied},
    {"rt", kOptionalEnd | kImplied},
    {"rtc", kOptionalEnd | kImplied | kRubyText},
    {"s", kFormatting},
    {"script", kSpecial},
    {"search", kBlock},
    {"section", kBlock},
    {"select", kSpecial | kScope},
    {"small", kFormatting},
    {"source", kSpecial | kVoid},
    {"strike", kFormatting},
    {"strong", kFormatting},
    {"style", kSpecial},
    {"summary", kBlock},
    {"table", kBlock | kScope | kTableScope | kTable},
    {"tbody", kSpecial | kOptionalEnd | kGroup},
    {"td", kSpecial | kScope | kMarker | kOptionalEnd | kCell},
    {"template", kSpecial | kScope | kTableScope | kMarker},
    {"textarea", kSpecial},
    {"tfoot", kSpecial | kOptionalEnd | kGroup},
    {"th", kSpecial | kScope | kMarker | kOptionalEnd | kCell},
    {"thead", kSpecial | kOptionalEnd | kGroup},
    {"title", kSpecial},
    {"tr", kSpecial | kOptionalEnd | kRow},
    {"track", kSpecial | kVoid},
    {"tt", kFormatting},
    {"u", kFormatting},
    {"ul", kBlock | kList},
    {"wbr", kSpecial | kVoid},
    {"xmp", kBlock},
});
static_assert(std::ranges::is_sorted(kTraits, {}, &Traits::name));

std::uint32_t traits_of(std::string_view name) {
  const auto found = std::ranges::lower_bound(kTraits, name, {}, &Traits::name);
  return found != kTraits.end() && found->name == name ? found->traits : 0;
}

std::array<char, kHtmlNameOctetsMax> packed(std::string_view name) {
  std::array<char, kHtmlNameOctetsMax> out{};
  std::ranges::copy(name.substr(0, out.size()), out.begin());
  return out;
}

}  // namespace

bool HtmlNesting::is_void(std::string_view name) {
  return (traits_of(name) & kVoid) != 0;
}

HtmlNesting::Place HtmlNesting::find(std::uint32_t wanted, std::uint32_t barrier) const {
  for (std::size_t i = open_.size(); i-- > 0;) {
    if ((open_[i].traits & wanted) != 0) return i;
    if ((open_[i].traits & barrier) != 0) return std::nullopt;
  }
  return std::nullopt;
}

HtmlNesting::Place HtmlNesting::find(std::string_view name, std::uint32_t barrier) const {
  const auto wanted = packed(name);
  for (std::size_t i = open_.size(); i-- > 0;) {
    if (open_[i].name == wanted) return i;
    if ((open_[i].traits & barrier) != 0) return std::nullopt;
  }
  return std::nullopt;
}

// What was inherited from what has ended is no longer.
void HtmlNesting::settle(std::size_t from) {
  for (std::size_t i = from; i < open_.size(); ++i) {
    open_[i].tiny = open_[i].effect.tiny.value_or(i > 0 && open_[i - 1].tiny);
  }
}

void HtmlNesting::end_from(Place place, bool formatting_goes_on) {
  if (!place) return;
  const auto begin = open_.begin() + static_cast<std::ptrdiff_t>(*place);
  const auto marker = std::ranges::find_if(
      begin, open_.end(), [](const Element& element) { return (element.traits & kMarker) != 0; });
  const auto stays = [](const Element& element) { return (element.traits & kFormatting) != 0; };
  const auto keep_end = formatting_goes_on ? marker : begin;
  ended_.insert(ended_.end(), std::make_reverse_iterator(open_.end()),
                std::make_reverse_iterator(keep_end));
  for (auto i = keep_end; i != begin;) {
    --i;
    if (!stays(*i)) ended_.push_back(*i);
  }
  const auto kept = std::remove_if(begin, keep_end, std::not_fn(stays));
  open_.erase(kept, open_.end());
  settle(*place);
}

// The "adoption agency": blocks begun inside stay open, other formatting elements go on.
void HtmlNesting::end_formatting(std::string_view name) {
  const Place place = find(name, kScope);
  if (!place) return;
  const auto begin = open_.begin() + static_cast<std::ptrdiff_t>(*place);
  const auto stays = [begin = &*begin](const Element& element) {
    return &element != begin && (element.traits & (kFormatting | kSpecial)) != 0;
  };
  for (auto i = open_.end(); i != begin;) {
    --i;
    if (!stays(*i)) ended_.push_back(*i);
  }
  auto kept = begin;
  for (auto i = begin + 1; i != open_.end(); ++i) {
    if ((i->traits & (kFormatting | kSpecial)) != 0) *kept++ = *i;
  }
  open_.erase(kept, open_.end());
  settle(*place);
}

// An item ends the one before it in its list, from blocks inside it, too.
void HtmlNesting::end_item_before(std::string_view name) {
  const std::uint32_t same = traits_of(name) & (kItem | kDescription);
  for (std::size_t i = open_.size(); i-- > 0;) {
    if ((open_[i].traits & same) != 0) return end_from(i);
    if ((open_[i].traits & kSpecial) != 0 && (open_[i].traits & kThrough) == 0) return;
  }
}

// "Clear the stack back to a table (body, row) context".
void HtmlNesting::end_down_to(std::uint32_t context) {
  if (const Place place = find(context | kTableScope, 0)) end_from(*place + 1, false);
}

void HtmlNesting::end_implied() {
  while (!open_.empty() && (open_.back().traits & kImplied) != 0) end_from(open_.size() - 1);
}

std::span<const HtmlNesting::Element> HtmlNesting::before(std::string_view name) {
  ended_.clear();
  const std::uint32_t traits = traits_of(name);
  if ((traits & (kItem | kDescription)) != 0) end_item_before(name);
  if ((traits & kEndsParagraph) != 0) end_from(find(kParagraph, kScope | kButton));
  if ((traits & kHeading) != 0 && !open_.empty() && (open_.back().traits & kHeading) != 0) {
    end_from(open_.size() - 1);
  }
  if (name == "a" || name == "nobr") end_formatting(name);
  if ((traits & kButton) != 0) end_from(find(kButton, kScope));
  if (name == "select") end_from(find("select", kScope));
  if (name == "option") end_from(find("option", kSpecial));
  if (name == "optgroup") {
    const Place group = find("optgroup", kSpecial);
    end_from(group ? group : find("option", kSpecial));
  }
  if (name == "rb" || name == "rtc") end_implied();
  if (name == "rp" || name == "rt") {
    while (!open_.empty() && (open_.back().traits & kImplied) != 0 &&
           (open_.back().traits & kRubyText) == 0) {
      end_from(open_.size() - 1);
    }
  }
  if (name == "body") end_from(find("head", kScope));
  if (((traits & kTablePart) != 0 || name == "col") && find(kTable, kTableScope)) {
    if ((traits & kCell) != 0) end_down_to(kRow | kGroup | kTable);
    if ((traits & kRow) != 0) end_down_to(kGroup | kTable);
    if ((traits & (kGroup | kBesideRows)) != 0) end_down_to(kTable);
    if (name == "col" && (open_.empty() || open_.back().name != packed("colgroup"))) {
      end_down_to(kTable);
    }
  }
  // What hides ends at its own end alone, or what it has besides would show.
  const std::size_t most = hides_now() ? 2 * kDepthMax : kDepthMax;
  if (open_.size() >= most && (traits & kVoid) == 0) {
    ended_.push_back(open_.back());
    open_.pop_back();
  }
  return ended_;
}

bool HtmlNesting::hides_now() const {
  return is_tiny() ||
         std::ranges::any_of(open_, [](const Element& element) { return element.effect.hides; });
}

// "Noah's Ark": of formatting elements that are alike, three are as good as hundreds that nobody
// has ended.
void HtmlNesting::forget_one_of_many(std::string_view name) {
  const auto wanted = packed(name);
  std::size_t seen = 0;
  for (std::size_t i = open_.size(); i-- > 0 && (open_[i].traits & kMarker) == 0;) {
    if (open_[i].name != wanted || open_[i].effect != Effect() || ++seen < 3) continue;
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

bool HtmlNesting::open(std::string_view name, const Effect& effect) {
  const std::uint32_t traits = traits_of(name);
  if ((traits & kTablePart) != 0 && !find(kTable, kTableScope)) return false;
  if ((traits & kFormatting) != 0 && effect == Effect()) forget_one_of_many(name);
  open_.push_back({.name = packed(name), .traits = traits, .effect = effect});
  settle(open_.size() - 1);
  return true;
}

std::span<const HtmlNesting::Element> HtmlNesting::close(std::string_view name) {
  ended_.clear();
  const std::uint32_t traits = traits_of(name);
  if ((traits & kFormatting) != 0) {
    end_formatting(name);
  } else if ((traits & (kTablePart | kTable)) != 0) {
    end_from(find(name, kTableScope));
  } else if ((traits & kHeading) != 0) {
    end_from(find(kHeading, kScope));
  } else if ((traits & kParagraph) != 0) {
    end_from(find(name, kScope | kButton));
  } else if ((traits & kItem) != 0) {
    end_from(find(name, kScope | kList));
  } else if ((traits & kSpecial) != 0) {
    end_from(find(name, kScope));
  } else {
    end_from(find(name, kSpecial));
  }
  return ended_;
}

bool HtmlNesting::lacks_an_end() const {
  return std::ranges::any_of(open_, [](const Element& element) {
    return (element.effect.hides || element.effect.tiny.value_or(false)) &&
           (element.traits & kOptionalEnd) == 0;
  });
}

}  // namespace todoku::mime
