#include "order/pacemaker.hpp"

#include <functional>

namespace creto::simplex {

void Pacemaker::succeed(const Pacemaker& before) {
    delta_ = std::min(before.delta_, options_.delta_max);
    floor_ = std::min(before.floor_, options_.delta_max);
    timeouts_ = before.timeouts_;
    may_start_over_ = before.may_start_over_;
    for (std::size_t i = 0; i < std::min(took_.size(), before.took_.size()); ++i)
        took_[i] = before.took_[i];
    filled_ = std::min(took_.size(), before.filled_);
    next_took_ = filled_ % took_.size();
    learned_ = before.learned_;
    known_ = before.known_;
}

void Pacemaker::enter(Entered how, Instant now, std::uint32_t turn) {
    entered_at_ = now;
    turn_ = turn;
    work_at_.reset();
    // In a term a seat that gave up one view finalises none of the later ones: what is notarized there may
    // be to no avail, and only finality is progress. [ORD-T5.2]
    if (how == Entered::by_progress && !options_.in_terms) timeouts_ = 0;
    if (how == Entered::by_progress) lost_ = 0;
    if (how != Entered::by_timeout) return;
    // A third of all leaders may be liars, and follow each other.
    if (knows_views()) {
        if (++lost_ < views_unlearned) return;
        learned_ = 0;
    }
    ++timeouts_;
    if (timeouts_ >= 2) delta_ = std::min(delta_ * 2, options_.delta_max);
}

void Pacemaker::work(Instant now) {
    if (!work_at_) work_at_ = now;
}

bool Pacemaker::notarized(Instant now) {
    if (!work_at_) return true;
    const Duration took = now - *work_at_;
    took_[next_took_] = took;
    next_took_ = (next_took_ + 1) % took_.size();
    filled_ = std::min(filled_ + 1, took_.size());
    learned_ = std::min(learned_ + 1, views_learned);
    // Where a round of leaders is long, of those that are known: until it is over nothing would become final in
    // a slow network, as all had given the view up.
    const std::size_t looked = options_.through_groups ? filled_ : took_.size();
    std::vector<Duration> slowest{
        took_.begin(), took_.begin() + static_cast<std::ptrdiff_t>(looked)};
    const auto honest =
        slowest.begin() + static_cast<std::ptrdiff_t>(options_.liars * looked / took_.size());
    std::nth_element(slowest.begin(), honest, slowest.end(), std::greater<>{});
    // Two thirds of what it took, so that three deltas are twice as long.
    floor_ = std::min(*honest * 2 / 3, options_.delta_max);
    known_ = std::max(*honest, options_.delta / 5);
    return took <= known_ * 4 / 3;
}

void Pacemaker::start_over() {
    timeouts_ = 0;
    delta_ = options_.delta;
}

void Pacemaker::finalized() {
    start_over();
    may_start_over_ = true;
}

void Pacemaker::quorum_back() {
    if (!may_start_over_) return;
    may_start_over_ = false;
    start_over();
    floor_ = {};
    filled_ = 0;
    next_took_ = 0;
    learned_ = 0;
    std::fill(took_.begin(), took_.end(), Duration{});
}

}  // namespace creto::simplex
