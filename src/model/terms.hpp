// Terms: successive views that one seat leads.
//
// Why      A leader that is alive keeps its turn, so that its next block needs no hand-over; and one
//          that is dead costs one timeout a term.
// Source   Stable leaders of Simplex implementations; docs/decisions/0018 says when they pay.
// Holds    [ORD-T1.1] The term of a view is a function of the view and of the length that the roster
//          of its epoch names, the same for every node. View 0, genesis, is in no term. A length divides
//          burial_span, so that a stretch that can be buried consists of whole terms.
#pragma once

#include "model/genesis.hpp"
#include "model/vote.hpp"

namespace creto {

class Terms {
public:
    Terms() = default;
    explicit Terms(std::uint64_t views) : views_{views} {
        CRETO_ASSERT(views > 0 && burial_span % views == 0);
    }
    explicit Terms(const Roster& roster) : Terms{roster.term_views()} {}

    /// Its number, from 1 on.
    [[nodiscard]] std::uint64_t number(View view) const {
        return view == View{} ? 0 : (view.value() - 1) / views_ + 1;
    }
    [[nodiscard]] View first_of(View view) const {
        return view == View{} ? view : View{(number(view) - 1) * views_ + 1};
    }
    [[nodiscard]] View last_of(View view) const { return View{number(view) * views_}; }
    [[nodiscard]] bool is_first(View view) const { return first_of(view) == view; }
    [[nodiscard]] bool same(View a, View b) const { return number(a) == number(b); }

private:
    std::uint64_t views_ = 1;
};

}  // namespace creto
