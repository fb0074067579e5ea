// SPDX-License-Identifier: Apache-2.0
// How failures travel: an errno and what was attempted, never an exception, never prose alone.
#pragma once

#include <cerrno>
#include <string>
#include <utility>
#include <variant>

namespace hrun {

struct Error {
    int code;         // errno
    std::string what; // what was attempted, e.g. "open /dev/kvm"

    // The error of the system call that has just failed.
    static Error last(std::string what) { return Error{errno, std::move(what)}; }
    // "open /dev/kvm: Permission denied"
    std::string message() const;
};

template <class T> class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    T& operator*() { return std::get<0>(state_); }
    T* operator->() { return &std::get<0>(state_); }
    const Error& error() const { return std::get<1>(state_); }

  private:
    std::variant<T, Error> state_;
};

template <> class [[nodiscard]] Result<void> {
  public:
    Result() : state_(std::in_place_index<0>) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    const Error& error() const { return std::get<1>(state_); }

  private:
    std::variant<std::monostate, Error> state_;
};

} // namespace hrun

// Returns the error of a failed Result from the enclosing function.
#define HRUN_TRY(expr)                                                                                       \
    do {                                                                                                     \
        if (auto hrun_try_result = (expr); !hrun_try_result)                                                 \
            return hrun_try_result.error();                                                                  \
    } while (0)
