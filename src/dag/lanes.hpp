// Lanes: one Lane for each seat that there ever was, found by its id.
//
// Holds    By lane, ascending; new seats have higher numbers, so that they come last. A seat's next lane
//          comes behind its others, which moves the places of those behind it: insert().
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "base/assert.hpp"
#include "dag/lane.hpp"
#include "model/genesis.hpp"

namespace creto {

class Lanes {
public:
    explicit Lanes(const Roster& roster) {
        lanes_.reserve(roster.known().size());
        add(roster.known());
    }
    /// Lanes of seats that are new among these. Pointers to lanes end.
    void add(const std::vector<Member>& known) {
        for (const Member& member : known) {
            const LaneId lane{member.seat, Incarnation{0}};
            if (lanes_.empty() || lanes_.back().id() < lane) lanes_.emplace_back(lane);
        }
    }

    /// A seat's next lane; its place, from which on all others have moved one up. None: it is here.
    /// Pointers to lanes end.
    std::optional<std::uint32_t> insert(const LaneId& lane) {
        if (index_of(lane)) return std::nullopt;
        const auto at = std::lower_bound(
            lanes_.begin(),
            lanes_.end(),
            lane,
            [](const Lane& l, const LaneId& id) { return l.id() < id; }
        );
        const auto place = static_cast<std::uint32_t>(at - lanes_.begin());
        lanes_.emplace(at, lane);
        return place;
    }

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(lanes_.size()); }
    [[nodiscard]] std::optional<std::uint32_t> index_of(const LaneId& lane) const {
        // Seats are usually numbered from 0 without gaps.
        const std::uint32_t guess = lane.seat.value();
        if (guess < lanes_.size() && lanes_[guess].id() == lane) return guess;
        const auto at = std::lower_bound(
            lanes_.begin(),
            lanes_.end(),
            lane,
            [](const Lane& l, const LaneId& id) { return l.id() < id; }
        );
        if (at == lanes_.end() || at->id() != lane) return std::nullopt;
        return static_cast<std::uint32_t>(at - lanes_.begin());
    }
    [[nodiscard]] const Lane* find(const LaneId& lane) const {
        const auto index = index_of(lane);
        return index ? &lanes_[*index] : nullptr;
    }
    /// Requires: the lane is one of the roster's.
    [[nodiscard]] std::uint32_t index(const LaneId& lane) const {
        const auto known = index_of(lane);
        CRETO_ASSERT(known);
        return *known;
    }
    /// Requires: the lane is one of the roster's.
    [[nodiscard]] const Lane& of(const LaneId& lane) const { return lanes_[index(lane)]; }
    [[nodiscard]] Lane& operator[](std::uint32_t index) { return lanes_[index]; }
    [[nodiscard]] const Lane& operator[](std::uint32_t index) const { return lanes_[index]; }

    [[nodiscard]] auto begin() { return lanes_.begin(); }
    [[nodiscard]] auto end() { return lanes_.end(); }
    [[nodiscard]] auto begin() const { return lanes_.begin(); }
    [[nodiscard]] auto end() const { return lanes_.end(); }

private:
    std::vector<Lane> lanes_;
};

}  // namespace creto
