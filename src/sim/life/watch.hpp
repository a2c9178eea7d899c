// Watch: looks at reliable nodes while a life goes on: what they hold, and where they stand.
//
// Why      Some promises are about time, not about one message: nobody stays behind, nobody turns in
//          circles, nothing grows without end.
// Holds    Asked from outside, through the status that every user can ask for:
//          resources   What a node holds stays within the constants of model/limits.hpp, said anew
//                      here, at every look; in a long quiet stretch under a steady load nothing
//                      keeps rising (S14).
//          view-sync   From convergence on until faults begin again, each node reaches, within two message delays and a
//                      view's patience, the view before the newest that anybody had entered (L3).
//          livelock    In a calm, while something waits and nothing becomes final, the nodes
//                      do not come again and again to the same standing towards each other and to
//                      the same leader, in ever new views (L5).
// Cost     A status of each node for a look; ten looks a virtual second after the calm, one before.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "sim/accountability.hpp"
#include "sim/cluster.hpp"
#include "sim/life/schedule.hpp"
#include "sim/rise.hpp"

namespace creto {

class Watch {
public:
    static constexpr Duration look_every = Duration::from_ms(100);
    /// The same standing so often, with nothing final between, is a circle.
    static constexpr std::uint32_t circles_max = 8;

    /// All outlive it. Plans its looks during the faults.
    Watch(const Schedule& schedule, SimCluster& cluster, const std::vector<bool>& unreliable);

    void on_calm() { is_calm_ = true; }
    void on_converged() { has_converged_ = true; }
    /// Faults again, for so long; plans its looks.
    void on_storm(Duration lasts);
    /// Every look_every after the calm.
    void look();
    /// One point of the steady stretch, for what must not rise.
    void sample();
    /// The stretch is over.
    void judge_rise();
    /// For tests, and for what a report says.
    [[nodiscard]] std::int64_t view_spread_max() const { return spread_max_; }

private:
    struct Standing {
        std::uint32_t node = 0;
        StatusReply status;
        [[nodiscard]] EpochView at() const { return {status.epoch, status.view}; }
    };
    struct Mark {
        Instant at;
        EpochView newest;
    };

    [[nodiscard]] std::vector<Standing> standings() const;
    void check_held(const Standing& standing);
    void check_views(const std::vector<Standing>& all);
    void check_circle(const std::vector<Standing>& all);
    [[nodiscard]] Duration view_slack(bool has_seat) const;

    const Schedule& schedule_;
    SimCluster& cluster_;
    const std::vector<bool>& unreliable_;
    bool is_calm_ = false;
    bool has_converged_ = false;
    std::deque<Mark> marks_;  ///< The newest view, look by look.
    std::int64_t spread_max_ = 0;
    Height highest_;
    EpochView circled_at_;
    std::map<std::string, std::uint32_t> circles_;  ///< How often, by standing.
    std::map<std::string, Rise> rises_;
};

}  // namespace creto
