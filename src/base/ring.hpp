// Ring: a queue that keeps its memory.
//
// Why      std::deque gives a piece back and takes another one for every few values that pass; what
//          passes for every message should pass without an allocation.
// Holds    First in, first out; a value that was popped is destroyed at once. References are valid
//          until the next push_back().
// Cost     O(1); grows to the power of two above the largest number held at once, and stays there.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace creto {

template <class T>
class Ring {
public:
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }

    /// The value at a place, the oldest at 0. Requires: index < size().
    [[nodiscard]] T& operator[](std::size_t index) { return *slots_[place(index)]; }
    [[nodiscard]] const T& operator[](std::size_t index) const { return *slots_[place(index)]; }
    [[nodiscard]] T& front() { return (*this)[0]; }
    [[nodiscard]] const T& front() const { return (*this)[0]; }
    [[nodiscard]] T& back() { return (*this)[size_ - 1]; }
    [[nodiscard]] const T& back() const { return (*this)[size_ - 1]; }

    void push_back(T value) {
        if (size_ == slots_.size()) grow();
        ++size_;
        slots_[place(size_ - 1)].emplace(std::move(value));
    }
    /// Requires: not empty.
    void pop_front() {
        slots_[place(0)].reset();
        first_ = (first_ + 1) & (slots_.size() - 1);
        --size_;
    }
    /// Requires: not empty.
    void pop_back() {
        slots_[place(size_ - 1)].reset();
        --size_;
    }
    void clear() {
        while (!empty())
            pop_back();
    }

private:
    [[nodiscard]] std::size_t place(std::size_t index) const {
        CRETO_ASSERT(index < size_);
        return (first_ + index) & (slots_.size() - 1);
    }

    void grow() {
        constexpr std::size_t least = 2;
        std::vector<std::optional<T>> wider(slots_.empty() ? least : 2 * slots_.size());
        for (std::size_t i = 0; i < size_; ++i)
            wider[i] = std::move(slots_[place(i)]);
        slots_ = std::move(wider);
        first_ = 0;
    }

    std::vector<std::optional<T>> slots_;  ///< A power of two of them, or none.
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace creto
