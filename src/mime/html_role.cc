// SPDX-License-Identifier: Apache-2.0
#include "mime/html_role.h"

#include <algorithm>
#include <array>

namespace todoku::mime {
namespace {

using Role = HtmlRole;

struct RoleOfName {
  std::string_view name;
  Role role;
};

// In the order of their names.
constexpr std::array kElements = std::to_array<RoleOfName>({
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
    {"tbody", Role::rows},
    {"td", Role::cell},
    {"tfoot", Role::rows},
    {"th", Role::cell},
    {"thead", Role::rows},
    {"tr", Role::row},
    {"ul", Role::list},
});

}  // namespace

HtmlRole html_role(std::string_view name) {
  const auto found = std::ranges::lower_bound(kElements, name, {}, &RoleOfName::name);
  return found != kElements.end() && found->name == name ? found->role : Role::inline_;
}

}  // namespace todoku::mime
