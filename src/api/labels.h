// SPDX-License-Identifier: Apache-2.0
// What a sender said a delivery is for and belongs to (mail/labels.h), as readers get it.
#pragma once

#include "http/json.h"
#include "mail/labels.h"

namespace todoku::api {

// tags, list_id and purpose, which is told as what it means for this type.
void label_members(http::JsonWriter& json, const Labels& labels, DeliveryType type);
// The same of a delivery of which nothing is known any more.
void no_label_members(http::JsonWriter& json);

}  // namespace todoku::api
