// Slab: values with small numbers for names, reused when they are free.
//
// Why      An event in the queue carries 64 bits; what belongs to it lies here.
// Holds    put() and take() in the same order give the same numbers. Grows to the largest number
//          of values held at once and then allocates nothing.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace creto {

template <class T>
class Slab {
public:
    [[nodiscard]] std::uint32_t put(T value) {
        if (free_.empty()) {
            CRETO_ASSERT(values_.size() < ~std::uint32_t{0});
            values_.push_back(std::move(value));
            return static_cast<std::uint32_t>(values_.size() - 1);
        }
        const std::uint32_t place = free_.back();
        free_.pop_back();
        values_[place] = std::move(value);
        return place;
    }

    /// Requires: put() gave `place`, and nobody has taken it since.
    [[nodiscard]] T take(std::uint32_t place) {
        free_.push_back(place);
        return std::move(values_[place]);
    }

    [[nodiscard]] std::size_t held() const { return values_.size() - free_.size(); }

private:
    std::vector<T> values_;
    std::vector<std::uint32_t> free_;
};

}  // namespace creto
