// SeatsHeard: which members said something lately, by time and by view.
//
// Why      A leader that is dead should cost one short turn, not a full timeout each time; and
//          patience should start over when enough seats are back.
// Source   Rules E2 (skip) and E4 in docs/spec/ordering.md. Local knowledge: it shortens our own
//          timers and changes nobody's leader. [ORD-E2.2]
//          Where votes go through groups few seats are heard directly, and of the others only those who
//          were fast enough to be in a certificate. There a leader gets no patience when its last turn,
//          not a short one, was given up and it was not heard since. [ORD-V1.5]
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
          turns_(quorum.n) {}

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

    /// A view that this member led was given up; `turn` as next_turn() had it. A short one says little.
    void lost_turn(std::uint32_t member, std::uint32_t turn = 0) {
        seats_[member].lost_turn = seats_[member].lost_turn || turn == 0 || turn >= turn_tried;
        ++turns_[member].lost;
    }
    /// A view that this member led was notarized; `quick`: a short turn would have done.
    void kept_turn(std::uint32_t member, bool quick) {
        Turns& turns = turns_[member];
        turns.lost = 0;
        if (!quick) {
            turns.whole = turns_remembered;
        } else if (turns.whole > 0) {
            --turns.whole;
        }
    }
    /// The turn of this member begins: how often what views take it lasts; 0: as long as any turn. [ORD-V1.10]
    /// Once, unless one of its last turns took longer. Whoever lost 1, 3, 7, 15 and so on in a row may have been
    /// unlucky, or is slow: 2, 4, 8, 16 times, as far as that costs few views in all.
    std::uint32_t next_turn(std::uint32_t member) {
        if (!through_groups_) return 0;
        longer_paid_ = std::min(longer_paid_ + 1, longer_paid_max);
        const Turns& turns = turns_[member];
        if (turns.whole > 0) return 0;
        if (turns.lost == 0 || !std::has_single_bit(turns.lost + 1)) return 1;
        const std::uint32_t length = std::min(turns.lost + 1, turn_max);
        if (longer_paid_ < length * longer_price) return 1;
        longer_paid_ -= length * longer_price;
        return length;
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
        bool lost_turn = false;  ///< A whole one, since it was heard last.
        Instant at;
        View view;  ///< Our view when it was heard last.
    };

    /// As a leader.
    struct Turns {
        std::uint32_t lost = 0;   ///< In a row.
        std::uint32_t whole = 0;  ///< So many more are whole, as the last ones took long.
    };
    static constexpr std::uint32_t turns_remembered = 8;
    static constexpr std::uint32_t turn_tried = 8;
    static constexpr std::uint32_t turn_max = 16;
    /// Each view pays one, and a longer turn so much for each time of its length.
    static constexpr std::uint32_t longer_price = 4;
    static constexpr std::uint32_t longer_paid_max = turn_max * longer_price;

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
    std::vector<Turns> turns_;
    std::uint32_t longer_paid_ = 0;
};

}  // namespace creto::simplex
