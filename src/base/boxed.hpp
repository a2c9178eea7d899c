// Boxed: a value that lives on the heap and otherwise behaves as a value.
//
// Why      A variant is as large as its largest alternative. A rare large one in a box keeps all
//          the frequent small ones small: operations are held by the hundred thousand.
// Holds    Copies copy the value, comparison compares values. Never empty, except after a move,
//          when it may only be assigned or destroyed.
// Cost     One allocation a value.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/assert.hpp"

namespace creto {

template <class T>
class Boxed {
public:
    Boxed() : value_{std::make_unique<T>()} {}
    /// From a value, or what a value is made from: to a reader both are the same.
    template <class From>
    requires(!std::same_as<std::remove_cvref_t<From>, Boxed> && std::convertible_to<From, T>)
        // NOLINTNEXTLINE(google-explicit-constructor)
        Boxed(From&& from)
        : value_{std::make_unique<T>(std::forward<From>(from))} {}
    Boxed(const Boxed& other) : value_{std::make_unique<T>(*other)} {}
    Boxed(Boxed&&) noexcept = default;
    Boxed& operator=(const Boxed& other) {
        if (this != &other) value_ = std::make_unique<T>(*other);
        return *this;
    }
    Boxed& operator=(Boxed&&) noexcept = default;
    ~Boxed() = default;

    [[nodiscard]] T& operator*() {
        CRETO_ASSERT(value_ != nullptr);
        return *value_;
    }
    [[nodiscard]] const T& operator*() const {
        CRETO_ASSERT(value_ != nullptr);
        return *value_;
    }
    [[nodiscard]] T* operator->() { return &**this; }
    [[nodiscard]] const T* operator->() const { return &**this; }

    friend bool operator==(const Boxed& a, const Boxed& b) { return *a == *b; }

private:
    std::unique_ptr<T> value_;
};

}  // namespace creto
