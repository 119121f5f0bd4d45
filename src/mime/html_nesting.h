// SPDX-License-Identifier: Apache-2.0
// Which elements are open at each place of an HTML text, and which of them end there: also those
// whose end tags are left out or are in a wrong order (HTML, sections 13.1.2.4 "Optional tags" and
// 13.2.6 "Tree construction"). No tree is built. Internal to html_text.cc.
//
//   a start tag       ends what cannot contain it: a row the row before it with all that is in it,
//                     a block an open paragraph, an item the item before it
//   an end tag        ends the innermost open element of its name and all inside it, but nothing
//                     outside the cell, the caption or the like in which it stands
//   <s>, <b>, <a> ... "formatting": they go on behind the end of a block in which they were begun,
//                     to their own end tag or the end of the cell; their end tag ends no block
//   parts of tables   outside of a table are no elements, as browsers ignore their tags
//
// At most kDepthMax are open, twice as many inside of what hides its content: deeper elements stand
// beside one another, as in browsers. So each tag costs a bounded number of steps.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "mime/html_reader.h"

namespace todoku::mime {

class HtmlNesting {
 public:
  static constexpr std::size_t kDepthMax = 512;

  // What whoever opens an element wants to know again when it ends.
  struct Effect {
    std::uint8_t role = 0;
    bool hides = false;
    bool strikes = false;
    std::optional<bool> tiny;  // nullopt: as around it
    friend bool operator==(const Effect&, const Effect&) = default;
  };
  struct Element {
    std::array<char, kHtmlNameOctetsMax> name{};
    std::uint32_t traits = 0;
    Effect effect;
    bool tiny = false;
  };

  // True for elements that never have content (HTML, "void elements"): no open() for them.
  [[nodiscard]] static bool is_void(std::string_view name);

  // The elements that end where this start tag stands, the innermost first; valid until the next
  // call.
  [[nodiscard]] std::span<const Element> before(std::string_view name);
  // Its element is open from here. After before(). False for a part of a table without a table.
  bool open(std::string_view name, const Effect& effect);
  // The elements that end at this end tag, likewise; none if it ends nothing.
  [[nodiscard]] std::span<const Element> close(std::string_view name);

  [[nodiscard]] bool is_tiny() const { return !open_.empty() && open_.back().tiny; }
  // True if an element that hides its text or takes its size has not ended, and it is one whose end
  // tag may not be left out.
  [[nodiscard]] bool lacks_an_end() const;

 private:
  // Of an open element, its place counted from the outermost.
  using Place = std::optional<std::size_t>;

  // The innermost that has `wanted` traits (or this name), unless one with `barrier` stands before
  // it.
  [[nodiscard]] Place find(std::uint32_t wanted, std::uint32_t barrier) const;
  [[nodiscard]] Place find(std::string_view name, std::uint32_t barrier) const;
  // Ends all from this place on; formatting elements that go on stay.
  void end_from(Place place, bool formatting_goes_on = true);
  void end_formatting(std::string_view name);
  void end_item_before(std::string_view name);
  void end_down_to(std::uint32_t context);
  void end_implied();
  void forget_one_of_many(std::string_view name);
  void settle(std::size_t from);
  // Text that stood here would not show.
  [[nodiscard]] bool hides_now() const;

  std::vector<Element> open_;
  std::vector<Element> ended_;
};

}  // namespace todoku::mime
