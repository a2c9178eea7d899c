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
}

void Pacemaker::enter(Entered how, Instant now) {
    entered_at_ = now;
    work_at_.reset();
    // In a term a seat that gave up one view finalises none of the later ones: what is notarized there may
    // be to no avail, and only finality is progress. [ORD-T5.2]
    if (how == Entered::by_progress && !options_.in_terms) timeouts_ = 0;
    if (how != Entered::by_timeout) return;
    if (++timeouts_ >= 2) delta_ = std::min(delta_ * 2, options_.delta_max);
}

void Pacemaker::work(Instant now) {
    if (!work_at_) work_at_ = now;
}

void Pacemaker::notarized(Instant now) {
    if (!work_at_) return;
    took_[next_took_] = now - *work_at_;
    next_took_ = (next_took_ + 1) % took_.size();
    std::vector<Duration> slowest = took_;
    const auto honest = slowest.begin() + options_.liars;
    std::nth_element(slowest.begin(), honest, slowest.end(), std::greater<>{});
    // Two thirds of what it took, so that three deltas are twice as long.
    floor_ = std::min(*honest * 2 / 3, options_.delta_max);
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
    std::fill(took_.begin(), took_.end(), Duration{});
}

}  // namespace creto::simplex
