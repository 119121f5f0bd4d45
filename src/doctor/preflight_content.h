// SPDX-License-Identifier: Apache-2.0
// What is wrong with what a mail says and shows, by its syntax alone: links and pictures (nothing
// is fetched, no name is looked up), elements that mail programs take out, files that receivers
// refuse, things meant as insert codes that are none, characters that its charset cannot say. Pure;
// in linear time, whatever the texts hold.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "doctor/finding.h"
#include "doctor/preflight_mail.h"

namespace todoku::doctor {

// A picture or another part beyond this makes a mail slow to open on a phone.
inline constexpr std::size_t kImageOctetsUsual = 500'000;

// Each kind of fault once, of the first place where it is, with how many there are.
[[nodiscard]] std::vector<Finding> content_findings(const SampleMail& sample,
                                                    const SampleContent& content);

// The characters that ISO-2022-JP has no place for, "😀 (U+1F600)", the first few, with commas.
[[nodiscard]] std::string unsayable_characters(const SampleContent& content);

}  // namespace todoku::doctor
