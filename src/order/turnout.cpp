#include "order/turnout.hpp"

#include <algorithm>

#include "model/limits.hpp"

namespace creto::simplex {

void TurnoutBook::enter(const Roster& roster) {
    Voters voters{{}, roster.quorum().q};
    for (const Member& member : roster.members())
        voters.members.emplace_back(member.seat, member.key);
    epochs_.insert_or_assign(roster.epoch(), std::move(voters));
    const Epoch oldest = views_.empty() ? roster.epoch() : views_.begin()->first.first;
    epochs_.erase(epochs_.begin(), epochs_.lower_bound(std::min(oldest, roster.epoch())));
}

void TurnoutBook::note(const AgentId& from, Seat seat, const VoteContent& content, Instant now) {
    if (content.kind != VoteKind::notarize && content.kind != VoteKind::finalize) return;
    const auto epoch = epochs_.find(content.epoch);
    if (epoch == epochs_.end()) return;
    const auto& members = epoch->second.members;
    // Seats are usually numbered from 0 without gaps.
    auto member = members.begin() +
                  static_cast<std::ptrdiff_t>(std::min<std::size_t>(seat.value(), members.size()));
    if (member == members.end() || member->first != seat)
        member = std::lower_bound(members.begin(), members.end(), seat, [](const auto& m, Seat s) {
            return m.first < s;
        });
    if (member == members.end() || *member != std::pair{seat, from}) return;

    const Key key{content.epoch, content.view};
    auto at = views_.find(key);
    if (at == views_.end()) {
        if (views_.size() >= limits::turnout_views_max) {
            if (key < views_.begin()->first) return;
            views_.erase(views_.begin());
        }
        at = views_.emplace(key, Votes{now, std::vector<std::uint64_t>(members.size())}).first;
    }
    std::uint64_t& said = at->second.said[static_cast<std::size_t>(member - members.begin())];
    if (said == 0) said = content.block.value().prefix();
}

void TurnoutBook::on_final(const Block& block, const BlockId& id) {
    const Key key{block.epoch, block.view};
    if (!views_.contains(key)) return;
    if (finals_.size() >= limits::turnout_views_max) finals_.pop_front();
    finals_.push_back({block.height, key, id.value().prefix()});
}

std::optional<Turnout> TurnoutBook::report(Seat self, Instant now) {
    if (now < next_) return std::nullopt;
    // Of those that are old enough the newest: the others have nothing to add.
    const auto old_enough = [&](const Final& final) {
        const auto votes = views_.find(final.key);
        return votes == views_.end() || votes->second.first + options_.after <= now;
    };
    while (finals_.size() > 1 && old_enough(finals_[1]))
        finals_.pop_front();
    if (finals_.empty() || !old_enough(finals_.front())) return std::nullopt;
    const Final final = finals_.front();
    finals_.pop_front();
    std::optional<Turnout> out;
    const auto votes = views_.find(final.key);
    if (votes != views_.end()) {
        const Voters& voters = epochs_.at(final.key.first);
        Turnout turnout{final.height, {}};
        for (std::size_t i = 0; i < voters.members.size(); ++i) {
            const Seat seat = voters.members[i].first;
            if (seat != self && votes->second.said[i] != final.block)
                turnout.absent.push_back(seat);
        }
        const bool listened = turnout.absent.size() + voters.quorum <= voters.members.size();
        if (listened) out = std::move(turnout);
    }
    views_.erase(views_.begin(), views_.upper_bound(final.key));
    if (out) next_ = now + options_.every;
    return out;
}

}  // namespace creto::simplex
