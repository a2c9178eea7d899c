// SeatsHeard: which members said something lately, by time and by view.
//
// Why      A leader that is dead should cost one short turn, not a full timeout each time; and
//          patience should start over when enough seats are back.
// Source   Rules E2 (skip) and E4 in docs/spec/ordering.md. Local knowledge: it shortens our own
//          timers and changes nobody's leader. [ORD-E2.2]
//          Where votes go through groups few seats are heard directly, and of the others only those who
//          were fast enough to be in a certificate. There a leader gets no patience when its last turn
//          was given up and it was not heard since. [ORD-V1.5]
// Units    Views are counted in turns of leaders: with terms, in terms.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "base/time.hpp"
#include "model/ids.hpp"
#include "model/quorum.hpp"

namespace creto::simplex {

class SeatsHeard {
public:
    /// `self` counts as heard always.
    SeatsHeard(
        const Quorum& quorum,
        std::optional<std::uint32_t> self,
        std::uint64_t skip_views,
        bool through_groups = false
    )
        : quorum_{quorum},
          self_{self},
          skip_views_{skip_views},
          through_groups_{through_groups},
          seats_(quorum.n),
          turns_lost_(quorum.n) {}

    /// A message of this member came. True when with it the members heard within `window` reach a
    /// quorum again.
    bool hear(std::uint32_t member, View view, Instant now, Duration window) {
        Heard& seat = seats_[member];
        const bool was_silent = !seat.ever || now - seat.at > window;
        const bool enough_before = was_silent && count(now, window) >= quorum_.q;
        seat = {true, false, now, std::max(seat.view, view)};
        return was_silent && !enough_before && count(now, window) >= quorum_.q;
    }

    /// These members have signed something together that is of now: each was heard. As hear().
    template <class Signed>
    bool hear_all(const Signed& has_signed, View view, Instant now, Duration window) {
        std::uint32_t before = 0;
        std::uint32_t after = 0;
        for (std::uint32_t i = 0; i < quorum_.n; ++i) {
            Heard& seat = seats_[i];
            const bool was_heard = i == self_ || (seat.ever && now - seat.at <= window);
            const bool signs = has_signed(i);
            if (signs) seat = {true, false, now, std::max(seat.view, view)};
            before += was_heard ? 1 : 0;
            after += was_heard || signs ? 1 : 0;
        }
        return before < quorum_.q && after >= quorum_.q;
    }

    /// A view that this member led was given up.
    void lost_turn(std::uint32_t member) {
        seats_[member].lost_turn = true;
        ++turns_lost_[member];
    }
    /// A view that this member led was notarized.
    void kept_turn(std::uint32_t member) { turns_lost_[member] = 0; }
    /// This member lost its last turns, and may have a short one: it has whole ones after 2, 6, 14, 30 and so
    /// on that it lost in a row. [ORD-V1.10]
    [[nodiscard]] bool has_short_turn(std::uint32_t member) const {
        return through_groups_ && !std::has_single_bit(turns_lost_[member] + 2);
    }

    /// True when this member was silent for skip_views while a quorum was not.
    [[nodiscard]] bool silent(std::uint32_t member, View now) const {
        if (through_groups_) return member != self_ && seats_[member].lost_turn;
        if (member == self_ || !missed(member, now)) return false;
        std::uint32_t active = 0;
        for (std::uint32_t i = 0; i < quorum_.n; ++i)
            active += i == self_ || !missed(i, now) ? 1 : 0;
        return active >= quorum_.q;
    }

private:
    struct Heard {
        bool ever = false;
        bool lost_turn = false;  ///< Since it was heard last.
        Instant at;
        View view;  ///< Our view when it was heard last.
    };

    [[nodiscard]] bool missed(std::uint32_t member, View now) const {
        return seats_[member].view.value() + skip_views_ < now.value();
    }
    [[nodiscard]] std::uint32_t count(Instant now, Duration window) const {
        std::uint32_t heard = 0;
        for (std::uint32_t i = 0; i < quorum_.n; ++i) {
            const Heard& seat = seats_[i];
            heard += i == self_ || (seat.ever && now - seat.at <= window) ? 1 : 0;
        }
        return heard;
    }

    Quorum quorum_;
    std::optional<std::uint32_t> self_;
    std::uint64_t skip_views_;
    bool through_groups_;
    std::vector<Heard> seats_;
    std::vector<std::uint32_t> turns_lost_;  ///< In a row.
};

}  // namespace creto::simplex
