// LocalHealth: how much this node trusts its own ears.
//
// Why      Whoever is slow himself finds everybody else silent. He had better wait longer than
//          accuse them.
// Source   Lifeguard (Dadgar, Phillips, Currey 2018), "local health aware probe". Differs: being
//          suspected does not count against a node's own health, since a liar may say so at will;
//          being woken late does.
// Holds    A wait is stretched by 1 to 1 + score_max.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.hpp"

namespace creto {

class LocalHealth {
public:
    /// Waits of up to five times: a crashed agent is still found within half a minute.
    static constexpr std::int64_t score_max = 4;

    void worse() { score_ = std::min(score_ + 1, score_max); }
    void better() { score_ = std::max<std::int64_t>(score_ - 1, 0); }
    [[nodiscard]] Duration stretch(Duration wait) const { return wait * (1 + score_); }
    /// 0 is healthy.
    [[nodiscard]] std::int64_t score() const { return score_; }

private:
    std::int64_t score_ = 0;
};

}  // namespace creto
