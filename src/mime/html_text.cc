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
#include "mime/html_nesting.h"
#include "mime/html_reader.h"
#include "mime/html_role.h"
#include "mime/html_style.h"
#include "mime/text_layout.h"

namespace todoku::mime {
namespace {

constexpr std::size_t kPreheaderCharactersMax = 100;
constexpr std::size_t kListDepthMax = 8;   // deeper lists are not indented further
constexpr std::size_t kQuoteDepthMax = 4;  // likewise
constexpr std::size_t kColumnsMax = 64;    // of a table that are told apart
constexpr std::uint32_t kRowsMax = 65534;  // that a cell may reach over, as HTML says
constexpr std::string_view kRule = "--------";
// Around what is struck out, a price that is no longer true for one: people know it from chats and
// notes. To leave it out would tear sentences apart.
constexpr std::string_view kStruck = "~~";
constexpr std::string_view kCells = " | ";

using Role = HtmlRole;

std::string_view trim_begin(std::string_view text) {
  const auto begin = std::ranges::find_if_not(text, is_html_space);
  return text.substr(static_cast<std::size_t>(begin - text.begin()));
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

// A number as attributes have it; 1 if there is none.
std::uint32_t span_of(std::string_view attributes, std::string_view name) {
  std::uint32_t number = 1;
  if (const auto value = html_attribute(attributes, name)) {
    const std::string_view digits = trim(*value).substr(0, 6);
    // What is no number leaves it at 1.
    static_cast<void>(std::from_chars(digits.data(), digits.data() + digits.size(), number));
  }
  return number;
}

class Renderer {
 public:
  Renderer(std::string_view html, bool hiding)
      : html_(html),
        hiding_(hiding),
        layout_(2 * html.size() + 64),
        spans_left_(html.size() / 16) {}

  // nullopt if an element that hides its content has no end: then it is not known where what shows
  // begins again.
  std::optional<std::string> render() {
    HtmlReader reader(html_);
    HtmlToken token;
    while (!layout_.is_full() && reader.next(token)) take(token);
    if (nesting_.lacks_an_end()) return std::nullopt;
    end_link();
    pause_striking();
    return layout_.take();
  }

 private:
  struct Table {
    bool arranges = false;  // it has no rows and columns that mean anything
    bool has_headings = false;
    std::uint32_t row = 0;
    std::size_t column = 0;                  // that is free in the row, or behind it
    std::optional<std::size_t> last_cell;    // the column of the row's last cell
    std::vector<std::uint32_t> taken_until;  // of each column: the row before which it is free
  };
  struct List {
    bool ordered = false;
    std::uint32_t number = 1;
  };

  void take(const HtmlToken& token) {
    switch (token.kind) {
      case HtmlToken::Kind::text:
        return hidden_ ? put_preheader(token.text) : put_text(token.text);
      case HtmlToken::Kind::open:
        return open(token);
      case HtmlToken::Kind::close:
        return close(token);
    }
  }

  void put_text(std::string_view written) {
    if (nesting_.is_tiny()) return;
    decoded_.clear();
    append_html_text(decoded_, written, HtmlPlace::text);
    mark_struck();
    if (preformatted_ == 0) return layout_.put(decoded_);
    std::string_view text = decoded_;
    // The line end after <pre> is no part of it.
    if (pre_begins_ && text.starts_with('\r')) text.remove_prefix(1);
    if (pre_begins_ && text.starts_with('\n')) text.remove_prefix(1);
    pre_begins_ = false;
    layout_.put_preformatted(text);
  }

  // Before decoded_ is put.
  void mark_struck() {
    if (struck_ == 0 || struck_shown_ || trim(decoded_).empty()) return;
    struck_shown_ = true;
    if (is_html_space(decoded_.front())) layout_.put(" ");
    layout_.put(kStruck);
    decoded_.erase(0, decoded_.size() - trim_begin(decoded_).size());
  }

  // At the end of a line, and of all.
  void pause_striking() {
    if (std::exchange(struck_shown_, false)) layout_.put_close(kStruck);
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

  void begin_hidden(Role role) {
    hidden_ = true;
    hidden_role_ = role;
    // Only what stands before everything else is meant to be read, in lists of mails; and no item
    // is.
    begins_all_ = layout_.text().empty() && lists_.empty() && role != Role::list;
    preheader_left_ = begins_all_ ? kPreheaderCharactersMax : 0;
  }

  void end_hidden() {
    hidden_ = false;
    if (begins_all_) return layout_.begin_block(2);
    if (is_block(hidden_role_) && hidden_role_ != Role::cell) layout_.begin_block(1);
  }

  static bool is_block(Role role) {
    return role != Role::inline_ && role != Role::link && role != Role::image;
  }

  void open(const HtmlToken& token) {
    const bool is_void = HtmlNesting::is_void(token.name);
    for (const HtmlNesting::Element& ended : nesting_.before(token.name)) leave(ended);
    if (hidden_) {
      if (!is_void) nesting_.open(token.name, {});
      return;
    }
    const HtmlStyle style = html_style(token.attributes);
    const Role role = html_role(token.name);
    if (hiding_ && style.hides) {
      if (is_void) return;
      // A part of a table outside of one hides nothing.
      if (nesting_.open(token.name, {.hides = true})) begin_hidden(role);
      return;
    }
    if (is_block(role)) pause_striking();
    const HtmlNesting::Effect effect{.role = static_cast<std::uint8_t>(role),
                                     .strikes = style.strikes || token.name == "s" ||
                                                token.name == "del" || token.name == "strike",
                                     .tiny = hiding_ ? style.tiny : std::nullopt};
    // Nested ones are one.
    if (!is_void && nesting_.open(token.name, effect) && effect.strikes) ++struck_;
    enter(role, token);
  }

  void enter(Role role, const HtmlToken& token) {
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
        layout_.leave_cell();
        layout_.begin_block(2);
        layout_.put(kRule);
        return layout_.begin_block(2);
      case Role::list:
        return open_list(token);
      case Role::item:
        return open_item();
      case Role::quotation:
        layout_.leave_cell();
        layout_.begin_block(2);
        ++quotes_;
        return set_prefix();
      case Role::preformatted:
        layout_.leave_cell();
        layout_.begin_block(2);
        ++preformatted_;
        pre_begins_ = true;
        return;
      case Role::cell:
        return open_cell(token);
      case Role::row:
        return open_row();
      case Role::rows:
        // No cell reaches out of its group.
        if (!tables_.empty()) tables_.back().taken_until.clear();
        return layout_.begin_block(1);
      case Role::table:
        return open_table(token);
      case Role::link:
        end_link();
        link_ = target_of(token.attributes);
        link_begin_ = layout_.text().size();
        return;
      case Role::image:
        if (auto alt = html_attribute(token.attributes, "alt")) {
          decoded_ = std::move(*alt);
          mark_struck();
          layout_.put(decoded_);
        }
        return;
    }
  }

  void close(const HtmlToken& token) {
    const auto ended = nesting_.close(token.name);
    for (const HtmlNesting::Element& element : ended) leave(element);
    if (!ended.empty() || hidden_) return;
    // An end of nothing: browsers read two of them as elements, others are at least no text.
    const Role role = html_role(token.name);
    if (role == Role::break_) return layout_.break_line();
    if (role != Role::cell && is_block(role)) {
      pause_striking();
      layout_.begin_block(role == Role::paragraph ? 2 : 1);
    }
  }

  void leave(const HtmlNesting::Element& ended) {
    if (ended.effect.hides) return end_hidden();
    const auto role = static_cast<Role>(ended.effect.role);
    if (ended.effect.strikes) --struck_;
    if (struck_ == 0 || is_block(role)) pause_striking();
    switch (role) {
      case Role::inline_:
      case Role::break_:
      case Role::cell:
      case Role::rule:
      case Role::image:
        return;
      case Role::line:
      case Role::item:
        return layout_.begin_block(1);
      case Role::row:
      case Role::rows:
        layout_.leave_cell();
        return layout_.begin_block(1);
      case Role::table:
        tables_.pop_back();
        layout_.leave_cell();
        return layout_.begin_block(1);
      case Role::paragraph:
        return layout_.begin_block(2);
      case Role::list:
        lists_.pop_back();
        layout_.begin_block(lists_.empty() ? 2 : 1);
        return set_prefix();
      case Role::quotation:
        layout_.begin_block(2);
        --quotes_;
        return set_prefix();
      case Role::preformatted:
        layout_.begin_block(2);
        --preformatted_;
        return;
      case Role::link:
        return end_link();
    }
  }

  void open_list(const HtmlToken& token) {
    layout_.leave_cell();
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
    layout_.leave_cell();
    layout_.begin_row();
  }

  void open_row() {
    if (!tables_.empty()) {
      Table& table = tables_.back();
      ++table.row;
      table.column = 0;
      table.last_cell.reset();
    }
    layout_.begin_row();
  }

  // An empty cell keeps its place where columns have headings: elsewhere it is mostly there to
  // arrange something.
  void open_cell(const HtmlToken& token) {
    if (tables_.empty()) return layout_.begin_cell(kCells);
    Table& table = tables_.back();
    table.has_headings |= token.name == "th";
    const auto last = table.last_cell;
    const std::size_t column = place_cell(table, token.attributes);
    if (table.arranges || !table.has_headings) {
      return layout_.begin_cell(table.arranges ? " " : kCells);
    }
    // One for each cell, and for each column that another cell reaches into.
    const std::size_t own = last ? 1 : 0;
    const std::size_t others =
        std::min(column - std::min(column, last.value_or(0) + own), spans_left_);
    spans_left_ -= others;
    std::string separators;
    for (std::size_t i = 0; i < own + others; ++i) separators += kCells;
    layout_.begin_counted_cell(separators);
  }

  // The column where a cell begins: behind those of the cells that reach down from above (HTML,
  // section 4.9.12.1 "Forming a table").
  static std::size_t place_cell(Table& table, std::string_view attributes) {
    const auto is_taken = [&table](std::size_t column) {
      return column < table.taken_until.size() && table.taken_until[column] > table.row;
    };
    while (is_taken(table.column)) ++table.column;
    const std::size_t column = table.column;
    const std::size_t columns = std::max<std::size_t>(span_of(attributes, "colspan"), 1);
    const std::uint32_t rows = span_of(attributes, "rowspan");
    table.column = std::min(column + columns, kColumnsMax);
    if (rows != 1 && column < table.column) {
      table.taken_until.resize(std::max(table.taken_until.size(), table.column));
      for (std::size_t i = column; i < table.column; ++i) {
        // 0 is to the end of the group.
        table.taken_until[i] = table.row + (rows == 0 ? kRowsMax : std::min(rows, kRowsMax));
      }
    }
    table.last_cell = column;
    return column;
  }

  void end_link() {
    if (link_.empty()) return;
    const std::string_view target = plain_url(link_);
    std::string_view shown = std::string_view(layout_.text()).substr(link_begin_);
    if (shown.ends_with('/')) shown.remove_suffix(1);
    shown.remove_prefix(shown.size() - std::min(shown.size(), target.size()));
    if (!equals_ignoring_case(shown, target)) {
      // Also a link without text may be struck out.
      const bool marks = struck_ > 0 && !std::exchange(struck_shown_, struck_ > 0);
      layout_.put_word((marks ? std::string(kStruck) : std::string()) + "<" + link_ + ">");
    }
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
  HtmlNesting nesting_;
  std::size_t struck_ = 0;     // open elements that strike their text out
  bool struck_shown_ = false;  // its mark stands before the text
  bool hidden_ = false;        // in an element that hides what is in it
  Role hidden_role_ = Role::inline_;
  bool begins_all_ = false;  // nothing was shown before the hidden element
  std::size_t preheader_left_ = 0;
  std::size_t spans_left_;  // separators for columns that cells reach into
};

}  // namespace

std::string html_to_text(std::string_view html) {
  if (auto text = Renderer(html, true).render()) return std::move(*text);
  return Renderer(html, false).render().value_or("");
}

}  // namespace todoku::mime
