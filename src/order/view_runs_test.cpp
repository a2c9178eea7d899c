#include "order/view_runs.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/prng.hpp"

namespace creto::simplex {
namespace {

// The oracle is a plain set of views.
TEST(ViewRuns, SaysWhatASetOfViewsWouldSay) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Prng prng{seed};
        ViewRuns runs;
        std::set<std::uint64_t> views;
        std::uint64_t floor = 0;
        for (int step = 0; step < 60; ++step) {
            if (prng.chance(1, 20)) {
                floor = std::max(floor, prng.below(60));
                runs.forget_through(View{floor});
                views.erase(views.begin(), views.upper_bound(floor));
            } else {
                const std::uint64_t first = floor + prng.between(1, 60);
                const std::uint64_t last = first + prng.below(6);
                runs.add(View{first}, View{last});
                for (std::uint64_t view = first; view <= last; ++view)
                    views.insert(view);
            }
            std::size_t count = 0;
            for (std::uint64_t view = 1; view < 140; ++view) {
                ASSERT_EQ(runs.contains(View{view}), views.contains(view)) << seed << ", " << view;
                std::uint64_t below = view;
                while (below > 0 && views.contains(below))
                    --below;
                ASSERT_EQ(runs.below(View{view}), View{below});
                count += views.contains(view) && !views.contains(view - 1) ? 1 : 0;
            }
            ASSERT_EQ(runs.runs(), count);
            ASSERT_EQ(runs.empty(), views.empty());
            if (views.empty()) continue;
            ASSERT_EQ(runs.last(), View{*views.rbegin()});
        }
    }
}

}  // namespace
}  // namespace creto::simplex
