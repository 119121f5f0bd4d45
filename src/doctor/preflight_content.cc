// SPDX-License-Identifier: Apache-2.0
#include "doctor/preflight_content.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "doctor/preflight_texts.h"
#include "mime/charset.h"
#include "mime/html_entities.h"
#include "mime/html_reader.h"
#include "mime/insert_code.h"
#include "mime/shown_mail.h"
#include "mime/uri.h"

namespace todoku::doctor {
namespace {

constexpr std::size_t kLinkTextOctetsMax = 500;
constexpr std::size_t kCodeOctetsMax = 60;
constexpr std::size_t kCharactersNamed = 5;

// Mail programs take them out or do not act on them.
constexpr std::array<std::string_view, 9> kActiveElements{
    "script", "iframe", "form", "object", "embed", "applet", "frame", "frameset", "base"};

// support.google.com/mail/answer/6590: Gmail refuses mail with one, also within an archive.
constexpr std::array<std::string_view, 52> kRefusedExtensions{
    "ade", "adp",  "apk",     "appx",    "appxbundle", "bat", "cab", "chm", "cmd", "com", "cpl",
    "dll", "dmg",  "diagcab", "diagcfg", "diagpkg",    "ex",  "ex_", "exe", "hta", "img", "ins",
    "iso", "isp",  "jar",     "jnlp",    "js",         "jse", "lib", "lnk", "mde", "mjs", "msc",
    "msi", "msix", "msp",     "mst",     "nsh",        "pif", "ps1", "scr", "sct", "shb", "sys",
    "vb",  "vbe",  "vbs",     "vhd",     "vxd",        "wsc", "wsf", "xll"};

// Of each code the first place, and how many.
class Tally {
 public:
  void add(std::string_view code, std::string_view place, std::string_view beside = {}) {
    auto& its = counts_[code];
    if (its.count++ > 0) return;
    its.place = place;
    its.beside = beside;
  }
  void put_into(std::vector<Finding>& findings) const {
    for (const auto& [code, its] : counts_) {
      findings.push_back(preflight_finding(
          code,
          {.subject = its.place, .first = fmt::format("{}", its.count), .second = its.beside}));
    }
  }

 private:
  struct Its {
    std::size_t count = 0;
    std::string place;
    std::string beside;
  };
  std::map<std::string_view, Its> counts_;
};

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view without_space(std::string_view text) {
  while (!text.empty() && mime::is_html_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && mime::is_html_space(text.back())) text.remove_suffix(1);
  return text;
}

// ---- links -------------------------------------------------------------------------------------

// RFC 3986 section 3.1, in lower case; empty: there is none.
std::string scheme_of(std::string_view url) {
  const std::size_t end = url.find_first_of(":/?#");
  if (end == std::string_view::npos || url[end] != ':' || end == 0) return {};
  const bool is_sound = std::ranges::all_of(
      url.substr(0, end), [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
  return is_sound ? to_ascii_lower(url.substr(0, end)) : std::string();
}

// Of an http URL, in lower case, without user and port.
std::string web_host_of(std::string_view url) {
  const std::size_t begin = url.find("//");
  if (begin == std::string_view::npos) return {};
  std::string_view authority = url.substr(begin + 2);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  const bool is_literal = authority.starts_with('[');
  authority = authority.substr(0, is_literal ? authority.find(']') : authority.find(':'));
  std::string host = to_ascii_lower(authority);
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool is_number(std::string_view host) {
  if (host.starts_with('[')) return true;
  return !host.empty() &&
         std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

// Names and addresses of nobody's or of this machine's and networks behind it (RFC 6761, RFC 1918,
// RFC 3927, RFC 4193).
bool leads_inside(std::string_view host) {
  constexpr std::array<std::string_view, 6> kNames{".localhost", ".local", ".internal",
                                                   ".invalid",   ".test",  ".home.arpa"};
  if (host == "localhost" || (!is_number(host) && !host.contains('.'))) return true;
  if (std::ranges::any_of(kNames, [&](std::string_view end) { return host.ends_with(end); })) {
    return true;
  }
  if (host.starts_with("[::1") || host.starts_with("[fc") || host.starts_with("[fd")) return true;
  if (!is_number(host)) return false;
  constexpr std::array<std::string_view, 5> kNetworks{"10.", "127.", "192.168.", "169.254.", "0."};
  if (std::ranges::any_of(kNetworks, [&](std::string_view net) { return host.starts_with(net); })) {
    return true;
  }
  if (!host.starts_with("172.")) return false;
  const std::string_view second = host.substr(4, host.find('.', 4) - 4);
  return second.size() == 2 && second >= "16" && second <= "31";
}

bool is_same_site(std::string_view one, std::string_view other) {
  const auto bare = [](std::string_view host) {
    return host.starts_with("www.") ? host.substr(4) : host;
  };
  one = bare(one);
  other = bare(other);
  const auto lies_in = [](std::string_view below, std::string_view above) {
    return below.size() > above.size() && below.ends_with(above) &&
           below[below.size() - above.size() - 1] == '.';
  };
  return one == other || lies_in(one, other) || lies_in(other, one);
}

// The host that a text names which looks like an address of the web; empty: it does not.
std::string host_in_text(std::string_view text) {
  text = without_space(text);
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return {};
  const std::string low = to_ascii_lower(text);
  if (low.starts_with("http://") || low.starts_with("https://")) return web_host_of(low);
  if (low.starts_with("www.")) return web_host_of("//" + low);
  return {};
}

// ---- reading the HTML --------------------------------------------------------------------------

class HtmlLook {
 public:
  explicit HtmlLook(Tally& tally) : tally_(tally) {}

  void look(std::string_view html) {
    mime::HtmlReader reader(html);
    for (mime::HtmlToken token; reader.next(token);) {
      if (token.kind == mime::HtmlToken::Kind::text) {
        take_text(token.text);
      } else if (token.kind == mime::HtmlToken::Kind::open) {
        open(token);
      } else if (token.name == "a") {
        end_link();
      }
    }
    end_link();
  }

 private:
  void take_text(std::string_view text) {
    if (!href_ || link_text_.size() >= kLinkTextOctetsMax) return;
    mime::append_html_text(link_text_, text.substr(0, kLinkTextOctetsMax), mime::HtmlPlace::text);
  }
  void open(const mime::HtmlToken& token) {
    if (std::ranges::find(kActiveElements, token.name) != kActiveElements.end()) {
      tally_.add("html_active", token.name);
    } else if (token.name == "a" || token.name == "area") {
      end_link();
      if (const auto href = mime::html_attribute(token.attributes, "href")) {
        look_at_link(without_space(*href));
        if (token.name == "a") href_ = std::string(without_space(*href));
      }
    } else if (token.name == "img") {
      look_at_image(token.attributes);
    } else if (token.name == "link") {
      const auto kind = mime::html_attribute(token.attributes, "rel");
      if (kind && to_ascii_lower(*kind).contains("stylesheet")) tally_.add("html_active", "link");
    }
  }
  void look_at_link(std::string_view href) {
    // Filled in when the mail is made.
    if (href.contains(mime::kUnsubscribeKey)) return;
    const std::string scheme = scheme_of(href);
    if (href.empty() || href == "#" || scheme.empty() || scheme == "javascript" ||
        scheme == "file" || scheme == "data" || scheme == "vbscript") {
      // Within the mail it leads to what the mail has.
      if (href.size() > 1 && href.starts_with('#')) return;
      tally_.add("link_leads_nowhere", href.empty() ? "href=\"\"" : href);
      return;
    }
    if (scheme != "http" && scheme != "https" && scheme != "mailto") return;
    const auto uri = mime::valid_uri(href);
    // One that is only too long for a header is none the worse in a text.
    if (!uri && uri.error().kind != ErrorKind::limit_exceeded) {
      tally_.add("link_unreadable", href, uri.error().detail);
      return;
    }
    if (scheme == "mailto") return;
    const std::string host = web_host_of(href);
    if (leads_inside(host)) {
      tally_.add("link_leads_nowhere", href);
    } else if (is_number(host)) {
      tally_.add("link_by_number", href);
    }
  }
  void end_link() {
    const auto href = std::exchange(href_, std::nullopt);
    const std::string text = std::exchange(link_text_, {});
    if (!href) return;
    const std::string shown_host = host_in_text(text);
    const std::string host = web_host_of(*href);
    if (shown_host.empty() || host.empty() || is_same_site(shown_host, host)) return;
    tally_.add("link_text_differs", text, *href);
  }
  void look_at_image(std::string_view attributes) {
    const std::string src(
        without_space(mime::html_attribute(attributes, "src").value_or(std::string())));
    if (!mime::html_attribute(attributes, "alt")) {
      tally_.add("image_without_alt", src.empty() ? "<img>" : src);
    }
    const std::string scheme = scheme_of(src);
    if (scheme != "http" && scheme != "https" && scheme != "cid") {
      tally_.add("image_not_shown", src.empty() ? "<img>" : src);
    }
  }

  Tally& tally_;
  std::optional<std::string> href_;  // of the link that is open
  std::string link_text_;
};

// ---- insert codes that are none ----------------------------------------------------------------

// What stands between the marks of a code: a word as people name columns.
bool is_word(std::string_view word) {
  if (word.empty() || word.size() > kCodeOctetsMax) return false;
  if (!is_alnum(word.front()) || !is_alnum(word.back())) return false;
  const bool is_one = std::ranges::all_of(
      word, [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.' || c == ' '; });
  return is_one && std::ranges::any_of(word, [](char c) { return is_alnum(c) && c > '9'; });
}

struct Marks {
  std::string_view open;
  std::string_view close;
};
constexpr std::string_view kBraces = "{{";
constexpr std::array<Marks, 5> kMarks{
    {{"__", "__"}, {"%%", "%%"}, {kBraces, "}}"}, {"*|", "|*"}, {"${", "}"}}};
// The longest that is looked at: a code of templates with its default.
constexpr std::size_t kLookedAtMax = 2 * kCodeOctetsMax + mime::kBraceDefaultOctetsMax;

// A code of ours in another spelling, or another service's.
void look_at_codes(std::string_view text, bool braces_are_codes, Tally& tally) {
  for (std::size_t at = text.find_first_of("_%{*$"); at != std::string_view::npos;
       at = text.find_first_of("_%{*$", at + 1)) {
    const std::string_view rest = text.substr(at, kLookedAtMax);
    if (const std::string_view key = mime::insert_key_at(text.substr(at)); !key.empty()) {
      at += key.size() - 1;
      continue;
    }
    for (const Marks& marks : kMarks) {
      if (!rest.starts_with(marks.open)) continue;
      const bool of_templates = marks.open == kBraces;
      if (braces_are_codes && of_templates) continue;
      const std::size_t end = rest.find(marks.close, marks.open.size());
      if (end == std::string_view::npos) continue;
      std::string_view word = rest.substr(marks.open.size(), end - marks.open.size());
      // {{name|default}}
      if (of_templates) word = word.substr(0, word.find('|'));
      if (!is_word(without_space(word))) continue;
      tally.add(of_templates ? "insert_code_braces" : "insert_code_malformed",
                rest.substr(0, end + marks.close.size()));
      at += end + marks.close.size() - 1;
      break;
    }
  }
}

// ---- files -------------------------------------------------------------------------------------

void look_at_files(const mime::ShownMail& mail, Tally& tally) {
  for (const mime::ShownFile& file : mail.files) {
    const std::size_t dot = file.name.rfind('.');
    const std::string extension =
        dot == std::string::npos ? std::string() : to_ascii_lower(file.name.substr(dot + 1));
    if (std::ranges::find(kRefusedExtensions, extension) != kRefusedExtensions.end()) {
      tally.add("file_refused", file.name);
    }
    // base64 makes four octets of three, and lines of them.
    const std::uint64_t octets = file.octets * 3 / 4;
    if (file.type.starts_with("image/") && octets > kImageOctetsUsual) {
      tally.add("image_large", file.name.empty() ? file.type : file.name,
                fmt::format("{}", octets));
    }
  }
}

}  // namespace

std::vector<Finding> content_findings(const SampleMail& sample, const SampleContent& content) {
  Tally tally;
  const mime::ShownMail mail = mime::shown_mail(sample.octets);
  look_at_codes(mail.first("Subject"), content.braces_are_codes, tally);
  look_at_codes(content.text, content.braces_are_codes, tally);
  look_at_codes(content.html, content.braces_are_codes, tally);
  HtmlLook(tally).look(content.html);
  look_at_files(mail, tally);
  std::vector<Finding> findings;
  tally.put_into(findings);
  return findings;
}

std::string unsayable_characters(const SampleContent& content) {
  std::vector<std::string> named;
  for (std::string_view rest : {std::string_view(content.from_name), std::string_view(content.text),
                                std::string_view(content.html)}) {
    while (!rest.empty() && named.size() < kCharactersNamed) {
      if (const auto unit = mime::next_jis_unit(rest)) {
        rest.remove_prefix(unit->octets);
        continue;
      }
      const CodePoint point = decode_utf8(rest);
      const std::size_t octets = std::max<std::size_t>(point.octets, 1);
      std::string name = fmt::format("{} (U+{:04X})", rest.substr(0, octets),
                                     static_cast<std::uint32_t>(point.value));
      if (point.octets > 0 && std::ranges::find(named, name) == named.end()) {
        named.push_back(std::move(name));
      }
      rest.remove_prefix(octets);
    }
  }
  std::string all;
  for (const std::string& name : named) all += (all.empty() ? "" : ", ") + name;
  return all;
}

}  // namespace todoku::doctor
