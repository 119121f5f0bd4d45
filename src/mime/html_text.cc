// SPDX-License-Identifier: Apache-2.0
#include "mime/html_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "mime/html_entities.h"
#include "mime/html_reader.h"
#include "mime/text_layout.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kPreheaderCharactersMax = 100;
constexpr std::size_t kListDepthMax = 8;   // deeper lists are not indented further
constexpr std::size_t kQuoteDepthMax = 4;  // likewise
constexpr std::size_t kSizesMax = 64;      // elements with a size of text, of deeper ones none
constexpr std::string_view kRule = "--------";
// Around what is struck out, a price that is no longer true for one: people know it from chats and
// notes. To leave it out would tear sentences apart.
constexpr std::string_view kStruck = "~~";
constexpr std::string_view kCells = " | ";

enum class Role : std::uint8_t {
  inline_,  // and whatever is unknown
  line,     // a block without space around it
  paragraph,
  break_,
  rule,
  list,
  item,
  quotation,
  preformatted,
  cell,
  row,
  table,
  link,
  image,
};

struct Element {
  std::string_view name;
  Role role;
};

// In the order of their names.
constexpr std::array kElements = std::to_array<Element>({
    {"a", Role::link},
    {"address", Role::line},
    {"article", Role::line},
    {"aside", Role::line},
    {"blockquote", Role::quotation},
    {"body", Role::line},
    {"br", Role::break_},
    {"caption", Role::line},
    {"center", Role::line},
    {"dd", Role::line},
    {"div", Role::line},
    {"dl", Role::paragraph},
    {"dt", Role::line},
    {"fieldset", Role::line},
    {"figcaption", Role::line},
    {"figure", Role::paragraph},
    {"footer", Role::line},
    {"form", Role::line},
    {"h1", Role::paragraph},
    {"h2", Role::paragraph},
    {"h3", Role::paragraph},
    {"h4", Role::paragraph},
    {"h5", Role::paragraph},
    {"h6", Role::paragraph},
    {"header", Role::line},
    {"hr", Role::rule},
    {"img", Role::image},
    {"li", Role::item},
    {"main", Role::line},
    {"menu", Role::list},
    {"nav", Role::line},
    {"ol", Role::list},
    {"option", Role::line},
    {"p", Role::paragraph},
    {"pre", Role::preformatted},
    {"section", Role::line},
    {"table", Role::table},
    {"tbody", Role::line},
    {"td", Role::cell},
    {"tfoot", Role::line},
    {"th", Role::cell},
    {"thead", Role::line},
    {"tr", Role::row},
    {"ul", Role::list},
});

constexpr std::array<std::string_view, 7> kWithoutEnd{"br",   "hr",   "img", "input",
                                                      "link", "meta", "wbr"};

Role role_of(std::string_view name) {
  const auto found = std::ranges::lower_bound(kElements, name, {}, &Element::name);
  return found != kElements.end() && found->name == name ? found->role : Role::inline_;
}

// True if a style says that nothing of its element is shown.
bool hides(std::string_view attributes) {
  if (html_attribute(attributes, "hidden")) return true;
  auto style = html_attribute(attributes, "style");
  if (!style) return false;
  std::erase_if(*style, is_html_space);
  const std::string lower = to_ascii_lower(*style);
  return lower.contains("display:none") || lower.contains("visibility:hidden") ||
         (lower.contains("max-height:0") && !lower.contains("max-height:0.") &&
          lower.contains("overflow:hidden"));
}

// True for "0", "0px", "0.0em", "0%": of what begins with a value.
bool is_nothing(std::string_view value) {
  const std::size_t end = value.find_first_not_of("0123456789.");
  value = value.substr(0, end);
  return !value.empty() && value.find_first_of("123456789") == std::string_view::npos &&
         value.contains('0');
}

// Whether text in an element has no size, and so is not shown; nullopt if its style says nothing of
// it. Unlike what hides(), an element inside may have a size of its own: layouts do so, to have no
// gaps between their columns.
std::optional<bool> makes_tiny(std::string_view attributes) {
  auto style = html_attribute(attributes, "style");
  if (!style) return std::nullopt;
  std::erase_if(*style, is_html_space);
  const std::string lower = to_ascii_lower(*style);
  std::optional<bool> tiny;
  constexpr std::string_view kProperty = "font-size:";
  for (std::size_t at = lower.find(kProperty); at != std::string::npos;
       at = lower.find(kProperty, at + 1)) {
    // The last one counts. "mso-font-size:" is another property.
    if (at > 0 && lower[at - 1] != ';') continue;
    tiny = is_nothing(std::string_view(lower).substr(at + kProperty.size()));
  }
  return tiny;
}

std::string_view trim_begin(std::string_view text) {
  const auto begin = std::ranges::find_if_not(text, is_html_space);
  return text.substr(static_cast<std::size_t>(begin - text.begin()));
}

bool strikes(const HtmlToken& token) {
  if (token.name == "s" || token.name == "del" || token.name == "strike") return true;
  if (token.attributes.empty()) return false;
  const auto style = html_attribute(token.attributes, "style");
  return style && to_ascii_lower(*style).contains("line-through");
}

// Where a link leads, as it is worth telling; empty if it leads nowhere.
std::string target_of(std::string_view attributes) {
  auto href = html_attribute(attributes, "href");
  if (!href) return {};
  std::erase_if(*href,
                [](char c) { return is_html_space(c) || static_cast<std::uint8_t>(c) < 0x20; });
  const std::string scheme = to_ascii_lower(href->substr(0, 11));
  for (const std::string_view useless : {"#", "javascript:", "vbscript:", "data:", "cid:"}) {
    if (scheme.starts_with(useless)) return {};
  }
  return std::move(*href);
}

// A URL as people write it.
std::string_view plain_url(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://", "mailto:", "tel:"}) {
    if (equals_ignoring_case(url.substr(0, scheme.size()), scheme)) {
      url.remove_prefix(scheme.size());
      break;
    }
  }
  if (url.ends_with('/')) url.remove_suffix(1);
  return url;
}

class Renderer {
 public:
  Renderer(std::string_view html, bool hiding)
      : html_(html), hiding_(hiding), layout_(2 * html.size() + 64) {}

  // nullopt if an element that hides its content has no end: then it is not known where what shows
  // begins again.
  std::optional<std::string> render() {
    HtmlReader reader(html_);
    HtmlToken token;
    while (!layout_.is_full() && reader.next(token)) take(token);
    if (hidden_depth_ > 0 || is_tiny()) return std::nullopt;
    end_link();
    pause_striking();
    return layout_.take();
  }

 private:
  struct Table {
    bool arranges = false;  // it has no rows and columns that mean anything
    bool has_headings = false;
    std::size_t cells = 0;  // of the row at hand
  };
  struct List {
    bool ordered = false;
    std::uint32_t number = 1;
  };
  struct Size {
    std::string name;
    std::size_t depth = 0;  // of elements of that name in it, itself included
    bool is_tiny = false;
  };

  void take(const HtmlToken& token) {
    if (hidden_depth_ > 0) return take_hidden(token);
    switch (token.kind) {
      case HtmlToken::Kind::text:
        return put_text(token.text);
      case HtmlToken::Kind::open:
        return open(token);
      case HtmlToken::Kind::close:
        return close(token);
    }
  }

  [[nodiscard]] bool is_tiny() const { return !sizes_.empty() && sizes_.back().is_tiny; }

  void begin_size(const HtmlToken& token) {
    if (!hiding_ || std::ranges::find(kWithoutEnd, token.name) != kWithoutEnd.end()) return;
    const auto tiny = token.attributes.empty() ? std::nullopt : makes_tiny(token.attributes);
    const bool same = !sizes_.empty() && sizes_.back().name == token.name;
    if (tiny && sizes_.size() < kSizesMax) {
      sizes_.push_back({.name = token.name, .depth = 1, .is_tiny = *tiny});
    } else if (same) {
      ++sizes_.back().depth;
    }
  }

  // The end of an outer element is the end of those inside, too.
  void end_size(const HtmlToken& token) {
    const auto found = std::ranges::find(sizes_.rbegin(), sizes_.rend(), token.name, &Size::name);
    if (found == sizes_.rend()) return;
    sizes_.erase(found.base(), sizes_.end());
    if (--sizes_.back().depth == 0) sizes_.pop_back();
  }

  void put_text(std::string_view written) {
    if (is_tiny()) return;
    decoded_.clear();
    append_html_text(decoded_, written, HtmlPlace::text);
    if (struck_depth_ > 0 && !struck_shown_ && !trim(decoded_).empty()) {
      struck_shown_ = true;
      if (is_html_space(decoded_.front())) layout_.put(" ");
      layout_.put(kStruck);
      decoded_.erase(0, decoded_.size() - trim_begin(decoded_).size());
    }
    if (preformatted_ == 0) return layout_.put(decoded_);
    std::string_view text = decoded_;
    // The line end after <pre> is no part of it.
    if (pre_begins_ && text.starts_with('\r')) text.remove_prefix(1);
    if (pre_begins_ && text.starts_with('\n')) text.remove_prefix(1);
    pre_begins_ = false;
    layout_.put_preformatted(text);
  }

  void take_hidden(const HtmlToken& token) {
    if (token.kind == HtmlToken::Kind::text) return put_preheader(token.text);
    if (token.name != hidden_name_) return;
    if (token.kind == HtmlToken::Kind::open) {
      ++hidden_depth_;
    } else if (--hidden_depth_ == 0) {
      layout_.begin_block(2);
    }
  }

  void put_preheader(std::string_view written) {
    decoded_.clear();
    append_html_text(decoded_, written, HtmlPlace::text);
    std::string_view rest = decoded_;
    std::size_t octets = 0;
    for (; octets < rest.size() && preheader_left_ > 0; --preheader_left_) {
      octets += std::max<std::size_t>(decode_utf8(rest.substr(octets)).octets, 1);
    }
    layout_.put(rest.substr(0, octets));
  }

  // True if the element and all in it is not shown.
  bool begin_hidden(const HtmlToken& token) {
    if (!hiding_ || token.attributes.empty() || !hides(token.attributes)) return false;
    if (std::ranges::find(kWithoutEnd, token.name) != kWithoutEnd.end()) return true;
    hidden_name_ = token.name;
    hidden_depth_ = 1;
    // Only what stands before everything else is meant to be read: in lists of mails.
    preheader_left_ = layout_.text().empty() ? kPreheaderCharactersMax : 0;
    return true;
  }

  // Nested ones are one.
  void begin_striking(const HtmlToken& token) {
    if (struck_depth_ > 0) {
      struck_depth_ += token.name == struck_name_ ? 1 : 0;
    } else if (strikes(token) && std::ranges::find(kWithoutEnd, token.name) == kWithoutEnd.end()) {
      struck_name_ = token.name;
      struck_depth_ = 1;
    }
  }

  // At the end of a line, and of all.
  void pause_striking() {
    if (std::exchange(struck_shown_, false)) layout_.put_close(kStruck);
  }

  void end_striking(const HtmlToken& token) {
    if (struck_depth_ > 0 && token.name == struck_name_ && --struck_depth_ == 0) pause_striking();
  }

  void open(const HtmlToken& token) {
    if (begin_hidden(token)) return;
    const Role role = role_of(token.name);
    if (role != Role::inline_ && role != Role::link && role != Role::image) pause_striking();
    begin_striking(token);
    begin_size(token);
    switch (role) {
      case Role::inline_:
        return;
      case Role::line:
        return layout_.begin_block(1);
      case Role::paragraph:
        return layout_.begin_block(2);
      case Role::break_:
        return layout_.break_line();
      case Role::rule:
        layout_.begin_block(2);
        layout_.put(kRule);
        return layout_.begin_block(2);
      case Role::list:
        return open_list(token);
      case Role::item:
        return open_item();
      case Role::quotation:
        layout_.begin_block(2);
        ++quotes_;
        return set_prefix();
      case Role::preformatted:
        layout_.begin_block(2);
        ++preformatted_;
        pre_begins_ = true;
        return;
      case Role::cell:
        return open_cell(token);
      case Role::row:
        if (!tables_.empty()) tables_.back().cells = 0;
        return layout_.begin_block(1);
      case Role::table:
        return open_table(token);
      case Role::link:
        end_link();
        link_ = target_of(token.attributes);
        link_begin_ = layout_.text().size();
        return;
      case Role::image:
        if (const auto alt = html_attribute(token.attributes, "alt")) layout_.put(*alt);
        return;
    }
  }

  void close(const HtmlToken& token) {
    const Role role = role_of(token.name);
    if (role != Role::inline_ && role != Role::link && role != Role::image) pause_striking();
    end_striking(token);
    end_size(token);
    switch (role) {
      case Role::inline_:
      case Role::cell:
      case Role::rule:
      case Role::image:
        return;
      case Role::line:
      case Role::row:
      case Role::item:
        return layout_.begin_block(1);
      case Role::table:
        if (!tables_.empty()) tables_.pop_back();
        return layout_.begin_block(1);
      case Role::paragraph:
        return layout_.begin_block(2);
      case Role::break_:
        return layout_.break_line();  // as browsers read </br>
      case Role::list:
        if (!lists_.empty()) lists_.pop_back();
        layout_.begin_block(lists_.empty() ? 2 : 1);
        return set_prefix();
      case Role::quotation:
        layout_.begin_block(2);
        if (quotes_ > 0) --quotes_;
        return set_prefix();
      case Role::preformatted:
        layout_.begin_block(2);
        if (preformatted_ > 0) --preformatted_;
        return;
      case Role::link:
        return end_link();
    }
  }

  void open_list(const HtmlToken& token) {
    layout_.begin_block(lists_.empty() ? 2 : 1);
    List list{.ordered = token.name == "ol", .number = 1};
    if (const auto start = html_attribute(token.attributes, "start")) {
      // What is no number leaves it at 1.
      static_cast<void>(std::from_chars(
          start->data(), start->data() + std::min<std::size_t>(start->size(), 6), list.number));
    }
    lists_.push_back(list);
    set_prefix();
  }

  void open_item() {
    layout_.begin_block(1);
    std::string bullet = quote_prefix();
    if (lists_.empty()) return layout_.set_bullet(bullet + "- ");
    bullet.append(2 * (std::min(lists_.size(), kListDepthMax) - 1), ' ');
    List& list = lists_.back();
    layout_.set_bullet(bullet + (list.ordered ? fmt::format("{}. ", list.number++) : "- "));
  }

  void open_table(const HtmlToken& token) {
    const auto role = html_attribute(token.attributes, "role");
    tables_.push_back({.arranges = role && (*role == "presentation" || *role == "none")});
    layout_.begin_block(1);
  }

  // An empty cell keeps its place where columns have headings: elsewhere it is mostly there to
  // arrange something.
  void open_cell(const HtmlToken& token) {
    if (tables_.empty()) return layout_.begin_cell(kCells);
    Table& table = tables_.back();
    table.has_headings |= token.name == "th";
    if (table.arranges || !table.has_headings) {
      return layout_.begin_cell(table.arranges ? " " : kCells);
    }
    if (table.cells++ > 0) layout_.begin_counted_cell(kCells);
  }

  void end_link() {
    if (link_.empty()) return;
    const std::string_view target = plain_url(link_);
    std::string_view shown = std::string_view(layout_.text()).substr(link_begin_);
    if (shown.ends_with('/')) shown.remove_suffix(1);
    shown.remove_prefix(shown.size() - std::min(shown.size(), target.size()));
    if (!equals_ignoring_case(shown, target)) layout_.put_word("<" + link_ + ">");
    link_.clear();
  }

  [[nodiscard]] std::string quote_prefix() const {
    std::string prefix;
    for (std::size_t i = 0; i < std::min(quotes_, kQuoteDepthMax); ++i) prefix += "> ";
    return prefix;
  }

  void set_prefix() {
    layout_.set_prefix(quote_prefix() +
                       std::string(2 * std::min(lists_.size(), kListDepthMax), ' '));
  }

  std::string_view html_;
  const bool hiding_;
  TextLayout layout_;
  std::string decoded_;
  std::vector<List> lists_;
  std::size_t quotes_ = 0;
  std::size_t preformatted_ = 0;
  bool pre_begins_ = false;
  std::vector<Table> tables_;  // that are open
  std::string link_;           // the target of the open link
  std::size_t link_begin_ = 0;
  std::string struck_name_;
  std::size_t struck_depth_ = 0;
  bool struck_shown_ = false;  // its mark stands before the text
  std::vector<Size> sizes_;    // open elements that give their text a size, inside one another
  std::string hidden_name_;
  std::size_t hidden_depth_ = 0;
  std::size_t preheader_left_ = 0;
};

}  // namespace

std::string html_to_text(std::string_view html) {
  if (auto text = Renderer(html, true).render()) return std::move(*text);
  return Renderer(html, false).render().value_or("");
}

}  // namespace todoku::mime
