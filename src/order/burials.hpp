// Burials: what seats say about stretches of dead views, until t+1 of them have said it.
//
// Why      A nullification for every view since the last finalisation is proof that a parent may be
//          so far below. After 100,000 dead views that proof would be hundreds of megabytes, on
//          every disk and for whoever comes late. t+1 seats that hold it say so instead: one of them
//          is honest, so the proof existed, and a dead view stays dead.
// Source   Ours. The stretches are aligned (can_be_buried()), hence 190 certificates cover 16 million
//          views.
// Holds    [ORD-B1.1] a certificate is made once a stretch, by the t+1st distinct seat.
// Cost     O(log stretches + t) a vote. Held: the stretches of one window of views.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "model/vote.hpp"

namespace creto::simplex {

class Burials {
public:
    explicit Burials(const Roster& roster, const Signer* joiner = nullptr)
        : roster_{roster}, joiner_{joiner} {}

    /// Requires: the signature holds, the seat is a member, the kind is bury.
    [[nodiscard]] std::optional<Certificate> add(const Vote& vote) {
        if (holds(vote)) return std::nullopt;
        std::vector<Vote>& said = said_[{vote.content.view, vote.content.parent_view}];
        if (said.size() > roster_.quorum().t) return std::nullopt;
        said.push_back(vote);
        if (said.size() <= roster_.quorum().t) return std::nullopt;
        return make_certificate(said, roster_, joiner_);
    }
    [[nodiscard]] bool holds(const Vote& vote) const {
        const auto found = said_.find({vote.content.view, vote.content.parent_view});
        if (found == said_.end()) return false;
        for (const Vote& known : found->second) {
            if (known.seat == vote.seat) return true;
        }
        return false;
    }
    void forget_through(View view) {
        said_.erase(said_.begin(), said_.lower_bound({view.next(), View{}}));
    }
    [[nodiscard]] std::size_t stretches() const { return said_.size(); }

private:
    const Roster& roster_;
    const Signer* joiner_;
    std::map<std::pair<View, View>, std::vector<Vote>> said_;  ///< By last view, then base.
};

}  // namespace creto::simplex
