// Epochs: which heights belong to an epoch, and which block ends one.
//
// Why      The validator set changes only between two blocks that everyone agrees on.
// Source   Rule L12 in docs/spec/ordering.md.
// Holds    [ORD-L12.1] An epoch is a function of the height and of the length that the genesis names,
//          the same for every node: epoch e has the heights (e-1) L + 1 to e L. The block at e L is its
//          boundary block, and the genesis of epoch e+1.
#pragma once

#include "model/ids.hpp"

namespace creto {

class Epochs {
public:
    /// 0: one epoch without end.
    constexpr explicit Epochs(std::uint32_t blocks) : blocks_{blocks} {}

    [[nodiscard]] constexpr Epoch of(Height height) const {
        if (blocks_ == 0 || height == Height{}) return Epoch{1};
        return Epoch{(height.value() - 1) / blocks_ + 1};
    }
    [[nodiscard]] constexpr bool is_boundary(Height height) const {
        return blocks_ != 0 && height != Height{} && height.value() % blocks_ == 0;
    }
    /// The epoch that a block on this final one belongs to.
    [[nodiscard]] constexpr Epoch after(Height height) const { return of(height.next()); }
    /// Its boundary; the highest of all heights when it has no end.
    [[nodiscard]] constexpr Height last_of(Epoch epoch) const {
        return blocks_ == 0 ? Height{~0ULL} : Height{epoch.value() * blocks_};
    }
    /// False: there is one, for ever.
    [[nodiscard]] constexpr bool have_end() const { return blocks_ != 0; }

private:
    std::uint32_t blocks_;
};

}  // namespace creto
