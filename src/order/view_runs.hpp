// ViewRuns: a set of views, kept as its maximal runs.
//
// Why      "Is every view between dead?" must not cost a walk over all of them: a network that
//          finalises nothing for a day passes through many thousand views.
// Holds    Runs are disjoint and never touch; what is in the set is in exactly one of them.
// Cost     O(log runs) each; the space is one entry for each run.
#pragma once

#include <algorithm>
#include <iterator>
#include <map>

#include "base/assert.hpp"
#include "model/ids.hpp"

namespace creto::simplex {

class ViewRuns {
public:
    /// Requires: first <= last.
    void add(View first, View last) {
        CRETO_ASSERT(first <= last);
        auto at = runs_.upper_bound(first);
        if (at != runs_.begin() && std::prev(at)->second.next() >= first) {
            --at;
            first = at->first;
        }
        while (at != runs_.end() && at->first <= last.next()) {
            last = std::max(last, at->second);
            at = runs_.erase(at);
        }
        runs_.emplace_hint(at, first, last);
    }

    [[nodiscard]] bool contains(View view) const { return below(view) < view; }

    /// The highest view at or below `view` that is not in the set; 0 when all down to 1 are.
    [[nodiscard]] View below(View view) const {
        const auto after = runs_.upper_bound(view);
        if (after == runs_.begin() || std::prev(after)->second < view) return view;
        return std::prev(after)->first.prev();
    }

    [[nodiscard]] bool empty() const { return runs_.empty(); }
    /// The highest view of the set. Requires: not empty.
    [[nodiscard]] View last() const { return runs_.rbegin()->second; }
    [[nodiscard]] std::size_t runs() const { return runs_.size(); }

    void forget_through(View view) {
        while (!runs_.empty() && runs_.begin()->first <= view) {
            const View last = runs_.begin()->second;
            runs_.erase(runs_.begin());
            if (last > view) runs_.emplace(view.next(), last);
        }
    }

private:
    std::map<View, View> runs_;  ///< First to last.
};

}  // namespace creto::simplex
