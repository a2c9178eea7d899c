// TermWatch: looks from outside whether a seat keeps its word for the rest of a term.
//
// Holds    [ORD-T4.1] With books of its own: no Finalize of a view beside Nullify of an earlier one of
//          the same term that nothing final has settled, whichever of the two was said first.
#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>

#include "model/vote.hpp"

namespace creto::simplex::testing {

class TermWatch {
public:
    explicit TermWatch(std::uint64_t length) : length_{length} {}

    /// What is wrong with this vote of node `i`, which knows the views below `settled` as final.
    [[nodiscard]] std::string hear(std::uint32_t i, const VoteContent& fresh, View settled) {
        std::set<VoteContent>& said = said_[{i, fresh.epoch, (fresh.view.value() - 1) / length_}];
        for (const VoteContent& other : said) {
            const bool fresh_is_later = fresh.view > other.view;
            const VoteContent& first = fresh_is_later ? other : fresh;
            const VoteContent& second = fresh_is_later ? fresh : other;
            if (first.kind != VoteKind::nullify || second.kind != VoteKind::finalize) continue;
            if (first.view < settled) continue;
            return "gave view " + std::to_string(first.view.value()) + " up and calls view " +
                   std::to_string(second.view.value()) + " of its term final";
        }
        said.insert(fresh);
        return {};
    }

private:
    std::uint64_t length_;
    std::map<std::tuple<std::uint32_t, Epoch, std::uint64_t>, std::set<VoteContent>> said_;
};

}  // namespace creto::simplex::testing
