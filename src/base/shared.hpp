// Shared: a value that never changes, held by many.
//
// Why      What is spread through a network is held, queued and handed on in many places at once;
//          none of them copies it.
// Holds    Behaves as the value: made from one, compared as one. Never empty, except after a move,
//          when it may only be assigned or destroyed.
// Cost     A copy is a reference count.
#pragma once

#include <memory>
#include <utility>

#include "base/assert.hpp"

namespace creto {

template <class T>
class Shared {
public:
    Shared() : value_{std::make_shared<const T>()} {}
    // NOLINTNEXTLINE(google-explicit-constructor): to a reader both are the same
    Shared(T value) : value_{std::make_shared<const T>(std::move(value))} {}

    [[nodiscard]] const T& operator*() const {
        CRETO_ASSERT(value_ != nullptr);
        return *value_;
    }
    [[nodiscard]] const T* operator->() const { return &**this; }
    // NOLINTNEXTLINE(google-explicit-constructor): to a reader both are the same
    operator const T&() const { return **this; }

    friend bool operator==(const Shared& a, const Shared& b) {
        return a.value_ == b.value_ || *a == *b;
    }

private:
    std::shared_ptr<const T> value_;
};

}  // namespace creto
