#include "order/root_book.hpp"

#include <algorithm>
#include <bit>

namespace creto::simplex {

std::uint32_t RootBook::Member::missed_ppm() const {
    return static_cast<std::uint32_t>(std::popcount(missed)) * 1'000'000U / views;
}

void RootBook::enter(const Roster& roster, std::optional<Seat> self) {
    std::vector<Member> members;
    members.reserve(roster.size());
    auto before = members_.begin();
    for (const creto::Member& member : roster.members()) {
        while (before != members_.end() && before->seat < member.seat)
            ++before;
        const bool known = before != members_.end() && before->seat == member.seat;
        members.push_back(known ? *before : Member{member.seat});
    }
    members_ = std::move(members);
    roster_ = &roster;
    terms_ = Terms{roster};
    self_ = self ? roster.index_of(*self) : std::nullopt;
    open_.clear();
    closed_through_ = View{};
    final_view_ = View{};
}

bool RootBook::covers(View view) const {
    if (!self_ || view == View{}) return false;
    if ((view.value() - terms_.first_of(view).value()) % views_apart != 0) return false;
    const Seat self = members_[*self_].seat;
    return leader_of(*roster_, view) == self ||
           leader_of(*roster_, terms_.last_of(view).next()) == self;
}

bool RootBook::counts(const VoteContent& content) const {
    const bool on_block = content.kind == VoteKind::notarize || content.kind == VoteKind::finalize;
    if (!on_block || content.view <= closed_through_ || !covers(content.view)) return false;
    return content.view > final_view_ || open_.contains(content.view);
}

void RootBook::note(const VoteContent& content, std::uint32_t member, Instant now) {
    if (!counts(content) || member == self_) return;
    auto at = open_.find(content.view);
    if (at == open_.end()) {
        at = open_.emplace(content.view, Open{now, 0, {}, {}}).first;
        at->second.said.resize(members_.size());
        if (open_.size() > open_max) {
            const bool itself = open_.begin() == at;
            closed_through_ = open_.begin()->first;
            open_.erase(open_.begin());
            if (itself) return;
        }
    }
    Open& view = at->second;
    std::uint64_t& said = view.said[member];
    if (said != 0) return;
    said = content.block.value().prefix();
    // No liar makes our patience begin before the view does, or lasts longer than it.
    if (view.votes++ <= roster_->quorum().t && content.view > final_view_) view.since = now;
}

void RootBook::note(const PartialCertificate& partial, Instant now) {
    if (!counts(partial.votes.content)) return;
    static_cast<void>(partial.votes.each_signer([&](std::uint32_t i) {
        note(partial.votes.content, i, now);
        return true;
    }));
}

bool RootBook::lacks(const PartialCertificate& partial) const {
    if (!counts(partial.votes.content)) return false;
    const auto at = open_.find(partial.votes.content.view);
    return !partial.votes.each_signer([&](std::uint32_t i) {
        return i == self_ || i >= members_.size() || (at != open_.end() && at->second.said[i] != 0);
    });
}

void RootBook::on_final(const Block& block, const BlockId& id) {
    if (roster_ == nullptr || block.epoch != roster_->epoch()) return;
    final_view_ = std::max(final_view_, block.view);
    const auto at = open_.find(block.view);
    if (at != open_.end()) at->second.final = Final{block.height, id.value().prefix()};
}

Instant RootBook::next_look() const {
    if (open_.empty()) return Instant::max();
    // One that is not decided yet waits for its decision.
    const auto& [view, first] = *open_.begin();
    return view > final_view_ ? Instant::max() : first.since + options_.after;
}

void RootBook::look(Instant now) {
    while (next_look() <= now) {
        const auto first = open_.begin();
        close(first->second);
        closed_through_ = first->first;
        open_.erase(first);
    }
}

void RootBook::close(const Open& view) {
    if (!view.final) return;
    const auto missed = [&](std::uint32_t i) { return view.said[i] != view.final->block; };
    std::uint32_t votes = 1;  // Its own.
    for (std::uint32_t i = 0; i < members_.size(); ++i)
        votes += i != self_ && !missed(i) ? 1 : 0;
    if (votes < roster_->quorum().q) return;
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
        if (i == self_) continue;
        Member& member = members_[i];
        member.missed = static_cast<std::uint16_t>(member.missed << 1U | (missed(i) ? 1U : 0U));
        member.views = static_cast<std::uint8_t>(std::min(member.views + 1U, views_window));
    }
    latest_ = std::max(latest_, view.final->height);
    has_news_ = true;
}

// [STAND-REPORT.2]
std::optional<Turnout> RootBook::report(Instant now) {
    look(now);
    if (now < next_ || !has_news_) return std::nullopt;
    std::vector<std::uint32_t> shares;
    for (const Member& member : members_)
        if (member.views >= views_least) shares.push_back(member.missed_ppm());
    if (shares.empty()) return std::nullopt;
    const auto middle = shares.begin() + static_cast<std::ptrdiff_t>((shares.size() - 1) / 2);
    std::nth_element(shares.begin(), middle, shares.end());
    std::vector<std::pair<std::uint32_t, std::uint32_t>> worst;  // What is not missed, and whose.
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
        Member& member = members_[i];
        // Lost slower than won, so that nobody hangs between the two.
        const std::uint32_t bar = *middle + (member.named ? often_ppm / 2 : often_ppm);
        member.named = false;
        if (member.views >= views_least && member.missed_ppm() >= bar)
            worst.emplace_back(1'000'000 - member.missed_ppm(), i);
    }
    std::sort(worst.begin(), worst.end());
    const Quorum& quorum = roster_->quorum();
    if (worst.size() > quorum.n - quorum.q) worst.resize(quorum.n - quorum.q);
    for (const auto& [rest, i] : worst)
        members_[i].named = true;
    Turnout said{latest_, {}, std::vector<Seat>{}};
    constexpr std::uint32_t all_absent = (1U << views_absent) - 1;
    for (const Member& member : members_) {
        if (!member.named) continue;
        said.often->push_back(member.seat);
        if ((member.missed & all_absent) == all_absent) said.absent.push_back(member.seat);
    }
    has_news_ = false;
    next_ = now + options_.every;
    return said;
}

}  // namespace creto::simplex
