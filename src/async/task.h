// SPDX-License-Identifier: Apache-2.0
// Task<T>: the coroutine type of everything that waits, and the executor it runs on.
//
// A task runs on exactly one thread's io_context from its first line to its last. Lifetime rules:
// a spawned task takes its parameters by value, is no capturing lambda, and holds no lock or
// iterator over a co_await (docs/ARCHITECTURE.md, "Coroutines").
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "base/result.h"

namespace todoku::async {

// The concrete executor type: awaiting costs no type erasure.
using Executor = boost::asio::io_context::executor_type;

template <class T>
using Task = boost::asio::awaitable<T, Executor>;

}  // namespace todoku::async

namespace todoku {
using async::Task;
}
