// SPDX-License-Identifier: Apache-2.0
// Deliveries that begin with a stored content (store/templates.h), and the rules of what is stored.
// Pure: the template is read by whoever asks.
//
// A delivery takes a copy of the version that it begins with. Its codes are checked where they meet
// their values: no mail goes out with a hole.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "intake/check.h"
#include "intake/limits.h"
#include "intake/problem.h"
#include "intake/request.h"
#include "mail/content.h"
#include "mime/insert_code.h"
#include "store/templates.h"

namespace todoku::intake {

// What may be stored. Put right in place, as check_content() does.
void check_template(store::NewTemplate& wanted, const Limits& limits, Problems& problems);

// The codes of a template's texts, each once; `most` at most.
[[nodiscard]] std::vector<mime::CodeUse> code_uses_of(const Content& content, std::size_t most);

// The rules of a name: not made of digits alone, as that is an id.
void check_template_name(std::string_view name, Problems& problems);

// The template's texts become the request's, which may not bring any of its own; `from` is the
// template's where the request has none.
void put_template(const store::Template& from, const TemplateRequest& wanted, Content& content,
                  Problems& problems);
// Of a request that names one that is not there.
[[nodiscard]] Text no_such_template(const store::TemplateChoice& choice);
// Which texts an update changes; of a draft that has them of a template that is refused.
struct TextsChanged {
  bool subject = false;
  bool text_part = false;
  bool html_part = false;
};
void refuse_change_of_texts(const TextsChanged& changed, const Content& draft, Problems& problems);

// The codes of a content that a recipient has to have values for.
class CodesWanted {
 public:
  // Of what comes from no template: none, as the contract has it.
  CodesWanted() = default;
  explicit CodesWanted(const Content& content);

  // Of one recipient at `path`: what it lacks, also what it has but nobody would see, and codes in
  // braces where braces are no codes.
  void check(std::span<const InsertCode> codes, const Path& path, Problems& problems) const;

 private:
  bool from_template_ = false;
  std::vector<std::string> keys_;
};

// {name: value} as codes in braces: {"user": {"name": "x"}} is {{user.name}}. Null is no value. At
// most `max` are taken. Lists, and names that no code can have, are refused.
void read_template_data(const boost::json::object& data, const Path& path, std::size_t max,
                        std::vector<InsertCode>& codes, Problems& problems);

}  // namespace todoku::intake
