// SPDX-License-Identifier: Apache-2.0
// Precompiled for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pch/async.h"
