#include "order/view_log.hpp"

#include <algorithm>

namespace creto::simplex {

namespace {

/// How many certificates are asked for at once when a long stretch of views is unknown.
constexpr std::size_t missing_max = 32;

/// The view before the longest stretch that ends with `last` and can be buried above `base`.
View before(View last, View base) {
    std::uint64_t span = 1;
    while (span <= last.value() / burial_span && last.value() % (span * burial_span) == 0 &&
           last.value() - span * burial_span >= base.value()) {
        span *= burial_span;
    }
    return View{last.value() - span};
}

}  // namespace

void ViewLog::restart_from(const Head& final, std::optional<Certificate> finalization) {
    CRETO_ASSERT(views_.empty());
    final_ = final;
    finalization_ = std::move(finalization);
}

const ViewLog::Record* ViewLog::record(View view) const {
    const auto found = views_.find(view);
    return found == views_.end() ? nullptr : &found->second;
}

const Certificate* ViewLog::find(View view, VoteKind kind) const {
    if (kind == VoteKind::finalize) {
        return finalization_ && finalization_->content.view == view ? &*finalization_ : nullptr;
    }
    if (kind == VoteKind::bury) return burial_of(view);
    if (kind == VoteKind::nullify) return death_of(view);
    const Record* known = record(view);
    return known != nullptr && known->notarization ? &*known->notarization : nullptr;
}

// [ORD-T3.1] Of several that cover the view the first one, which says most.
const Certificate* ViewLog::death_of(View view) const {
    for (auto at = views_.lower_bound(terms_.first_of(view));
         at != views_.end() && at->first <= view;
         ++at) {
        if (at->second.nullification) return &*at->second.nullification;
    }
    return burial_of(view);
}

const Certificate* ViewLog::burial_of(View view) const {
    const auto found = burials_.lower_bound(view);
    const bool covers = found != burials_.end() && found->second.content.parent_view < view;
    return covers ? &found->second : nullptr;
}

bool ViewLog::buried(View base, View last) const {
    const Certificate* burial = burial_of(last);
    return burial != nullptr && burial->content.parent_view <= base;
}

std::vector<ViewSpan> ViewLog::to_bury(View view, std::uint64_t more) const {
    std::vector<ViewSpan> spans;
    for (std::uint64_t span = burial_span; span <= (1ULL << 48U); span *= burial_span) {
        ViewSpan at;
        at.last = View{(view.value() + span - 1) / span * span};
        at.base = View{at.last.value() - span};
        const auto all_dead = [&] { return dead_.below(at.last) <= at.base; };
        if (!all_dead()) break;
        for (std::uint64_t i = 0; i <= more; ++i) {
            if (all_dead() && !buried(at.base, at.last)) spans.push_back(at);
            if (at.base.value() < span) break;
            at = {View{at.base.value() - span}, at.base};
        }
    }
    return spans;
}

ViewLog::Put ViewLog::bury(const Certificate& certificate) {
    const View base = certificate.content.parent_view;
    const View last = certificate.content.view;
    if (buried(base, last)) return Put::known;
    dead_.add(std::max(base, final_.view).next(), last);
    for (auto at = views_.upper_bound(base); at != views_.end() && at->first <= last;) {
        Record& known = at->second;
        if (known.nullification) dropped_.push_back({at->first, VoteKind::nullify});
        known.nullification.reset();
        at = known.notarization ? std::next(at) : views_.erase(at);
    }
    for (auto at = burials_.upper_bound(base); at != burials_.end() && at->first <= last;) {
        // The one with the same end has the same key in the store: it is overwritten.
        if (at->first != last) dropped_.push_back({at->first, VoteKind::bury});
        at = burials_.erase(at);
    }
    burials_.emplace(last, certificate);
    return Put::added;
}

const Certificate* ViewLog::clash(const Certificate& certificate) const {
    const VoteContent& content = certificate.content;
    if (content.kind == VoteKind::finalize && burial_of(content.view) != nullptr)
        return burial_of(content.view);
    if (content.kind == VoteKind::bury && finalization_ && content.parent_view < final_.view &&
        final_.view <= content.view) {
        return &*finalization_;
    }
    for (const VoteKind kind : {VoteKind::notarize, VoteKind::nullify, VoteKind::finalize}) {
        const Certificate* held = find(content.view, kind);
        if (held != nullptr && conflict(held->content, content)) return held;
    }
    // What covers a view that is final, or the other way round. [ORD-T3.1] [ORD-T4.1]
    if (content.kind == VoteKind::finalize) return death_of(content.view);
    const bool covers_final = content.kind == VoteKind::nullify && content.view <= final_.view &&
                              final_.view <= terms_.last_of(content.view);
    return covers_final && finalization_ ? &*finalization_ : nullptr;
}

ViewLog::Put ViewLog::put(const Certificate& certificate) {
    const VoteContent& content = certificate.content;
    if (clash(certificate) != nullptr) return Put::clashing;
    if (content.view <= final_.view) return Put::known;
    if (content.kind == VoteKind::finalize) {
        settle(certificate);
        return Put::added;
    }
    if (content.kind == VoteKind::bury) return bury(certificate);
    if (content.kind == VoteKind::nullify && dead_.contains(content.view)) return Put::known;
    Record& known = views_[content.view];
    auto& held = content.kind == VoteKind::notarize ? known.notarization : known.nullification;
    if (held) return Put::known;
    held = certificate;
    if (content.kind == VoteKind::notarize) notarized_.insert(content.view);
    if (content.kind == VoteKind::nullify)
        dead_.add(content.view, terms_.last_of(content.view));  // [ORD-T3.1]
    return Put::added;
}

void ViewLog::settle(const Certificate& finalization) {
    if (finalization_) dropped_.push_back({final_.view, VoteKind::finalize});
    finalization_ = finalization;
    final_ = {finalization.content.view, finalization.content.block};
    const auto end = views_.upper_bound(final_.view);
    for (auto at = views_.begin(); at != end; ++at) {
        if (at->second.notarization) dropped_.push_back({at->first, VoteKind::notarize});
        if (at->second.nullification) dropped_.push_back({at->first, VoteKind::nullify});
    }
    views_.erase(views_.begin(), end);
    notarized_.erase(notarized_.begin(), notarized_.upper_bound(final_.view));
    dead_.forget_through(final_.view);
    const auto buried_end = burials_.upper_bound(final_.view);
    for (auto at = burials_.begin(); at != buried_end; ++at)
        dropped_.push_back({at->first, VoteKind::bury});
    burials_.erase(burials_.begin(), buried_end);
}

std::vector<CertificateKey> ViewLog::keys() const {
    std::vector<CertificateKey> keys;
    if (finalization_) keys.push_back({final_.view, VoteKind::finalize});
    for (const auto& [view, known] : views_) {
        if (known.notarization) keys.push_back({view, VoteKind::notarize});
        if (known.nullification) keys.push_back({view, VoteKind::nullify});
    }
    for (const auto& [last, burial] : burials_)
        keys.push_back({last, VoteKind::bury});
    return keys;
}

Head ViewLog::notarized() const {
    return head_below(View{~0ULL});
}

View ViewLog::certified() const {
    const View dead = dead_.empty() ? View{} : dead_.last();
    return std::max(notarized().view, dead);
}

Head ViewLog::head_below(View view) const {
    const auto after = notarized_.lower_bound(view);
    if (after == notarized_.begin()) return final_;
    const View highest = *std::prev(after);
    return {highest, record(highest)->notarization->content.block};
}

std::variant<Head, std::vector<CertificateKey>> ViewLog::parent_for(View view) const {
    if (terms_.is_first(view)) return parent_below(view);
    const Head head = head_below(view);
    if (head.view == view.prev()) return head;
    return std::vector<CertificateKey>{{view.prev(), VoteKind::notarize}};
}

std::variant<Head, std::vector<CertificateKey>> ViewLog::parent_below(View view) const {
    const Head head = head_below(view);
    const View alive = dead_.below(view.prev());
    if (alive > head.view)
        return std::vector<CertificateKey>{{alive, VoteKind::nullify}, {alive, VoteKind::notarize}};
    return head;
}

Ancestry ViewLog::check_parent(View view, View parent_view, const BlockId& parent) const {
    using Verdict = Ancestry::Verdict;
    if (parent_view >= view) return {Verdict::invalid, {}, "its parent is not an earlier view"};
    if (parent_view < final_.view) {
        return {Verdict::invalid, {}, "its parent is below a finalised view"};
    }
    if (!terms_.is_first(view) && parent_view != view.prev())
        return {Verdict::invalid, {}, "inside a term its parent is not the view before"};
    Ancestry ancestry;
    if (parent_view == final_.view) {
        if (parent != final_.block)
            return {Verdict::invalid, {}, "its parent is not the final block"};
    } else if (const Certificate* notarization = find(parent_view, VoteKind::notarize)) {
        if (notarization->content.block != parent) {
            return {Verdict::invalid, {}, "its parent is not the notarized block"};
        }
    } else {
        ancestry.missing.push_back({parent_view, VoteKind::notarize});
    }
    // Every view between must be proven dead: it might be final otherwise. What can be buried is
    // asked for at its last view only: the answer is the burial of it all. Of a term it is the first
    // view that is asked for: whatever covers that one covers the rest.
    for (View at = dead_.below(view.prev()); at > parent_view;) {
        const View first = std::max(terms_.first_of(at), parent_view.next());
        ancestry.missing.push_back({first, VoteKind::nullify});
        if (ancestry.missing.size() >= missing_max) break;
        at = dead_.below(std::min(before(at, parent_view), first.prev()));
    }
    if (!ancestry.missing.empty()) ancestry.verdict = Verdict::missing;
    return ancestry;
}

void ViewLog::propose(View view, const BlockId& block) {
    CRETO_ASSERT(view > final_.view);
    Record& known = views_[view];
    if (!known.proposal) known.proposal = block;
}

void ViewLog::mark_equivocated(View view) {
    if (view > final_.view) views_[view].equivocated = true;
}

void ViewLog::refuse(View view) {
    if (view > final_.view) views_[view].refused = true;
}

bool ViewLog::refused(View view) const {
    const Record* known = record(view);
    return known != nullptr && known->refused;
}

std::optional<BlockId> ViewLog::proposal(View view) const {
    const Record* known = record(view);
    return known == nullptr ? std::nullopt : known->proposal;
}

bool ViewLog::equivocated(View view) const {
    const Record* known = record(view);
    return known != nullptr && known->equivocated;
}

}  // namespace creto::simplex
