// NodeIndex, NodePair and PairTable: one value for each ordered pair of nodes that has one.
//
// Why      Ten thousand nodes have 10^8 ordered pairs; only those that talk may cost memory.
// Holds    Nothing depends on the order of the slots: the table is looked up, never listed.
// Cost     O(1) expected; 1.6 to 6.4 slots of 8 + sizeof(T) bytes for each pair held.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.hpp"
#include "base/prng.hpp"
#include "base/strong.hpp"

namespace creto {

/// A node's place in the host's list of nodes; says nothing about its seat.
using NodeIndex = Strong<struct NodeIndexTag, std::uint32_t>;

/// An ordered pair: what goes one way does not go the other.
struct NodePair {
    NodeIndex from;
    NodeIndex to;

    [[nodiscard]] constexpr std::uint64_t key() const {
        return (static_cast<std::uint64_t>(from.value()) << 32U) | to.value();
    }
    [[nodiscard]] constexpr NodePair reversed() const { return {to, from}; }
    friend constexpr bool operator==(const NodePair&, const NodePair&) = default;
    friend constexpr auto operator<=>(const NodePair&, const NodePair&) = default;
};

template <class T>
class PairTable {
public:
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] std::size_t slots() const { return slots_.size(); }

    /// The pair's value, or null.
    [[nodiscard]] const T* find(NodePair pair) const {
        if (slots_.empty()) return nullptr;
        const Slot& slot = slots_[place_of(slots_, pair.key())];
        return slot.key == empty ? nullptr : &slot.value;
    }

    /// The pair's value, made when it is new. When the table is about to grow, pairs whose value
    /// `is_spent` go first, so that it follows the pairs that matter now. The reference holds until
    /// the next call. Requires: from != to.
    template <class IsSpent>
    T& at(NodePair pair, IsSpent is_spent) {
        CRETO_ASSERT(pair.from != pair.to);
        if ((count_ + 1) * 8 > slots_.size() * 5) rebuild(is_spent);
        Slot& slot = slots_[place_of(slots_, pair.key())];
        if (slot.key == empty) {
            slot.key = pair.key();
            ++count_;
        }
        return slot.value;
    }
    T& at(NodePair pair) {
        return at(pair, [](const T&) { return false; });
    }

    void clear() {
        slots_.clear();
        count_ = 0;
    }

private:
    /// No pair of different nodes has this key, nor does any pair below node 2^32 - 1.
    static constexpr std::uint64_t empty = ~std::uint64_t{0};
    static constexpr std::size_t slots_min = 16;

    struct Slot {
        std::uint64_t key = empty;
        T value{};
    };

    [[nodiscard]] static std::size_t place_of(const std::vector<Slot>& slots, std::uint64_t key) {
        const std::size_t mask = slots.size() - 1;
        std::size_t place = mix64(key) & mask;
        while (slots[place].key != empty && slots[place].key != key)
            place = (place + 1) & mask;
        return place;
    }

    /// Drops what is spent, and doubles unless that alone made room for as many again.
    template <class IsSpent>
    void rebuild(IsSpent is_spent) {
        std::size_t kept = 0;
        for (const Slot& slot : slots_)
            kept += slot.key != empty && !is_spent(slot.value) ? 1 : 0;
        std::size_t wanted = slots_min;
        while (wanted * 5 < (kept + 1) * 16)
            wanted *= 2;
        std::vector<Slot> fresh(wanted);
        for (Slot& slot : slots_) {
            if (slot.key == empty || is_spent(slot.value)) continue;
            Slot& home = fresh[place_of(fresh, slot.key)];
            home.key = slot.key;
            home.value = std::move(slot.value);
        }
        slots_ = std::move(fresh);
        count_ = kept;
    }

    std::vector<Slot> slots_;
    std::size_t count_ = 0;
};

}  // namespace creto
