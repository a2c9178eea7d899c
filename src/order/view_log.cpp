#include "order/view_log.hpp"

namespace creto::simplex {

namespace {

/// How many certificates are asked for at once when a long stretch of views is unknown.
constexpr std::size_t missing_max = 32;

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
    const Record* known = record(view);
    if (known == nullptr) return nullptr;
    const auto& held = kind == VoteKind::notarize ? known->notarization : known->nullification;
    return held ? &*held : nullptr;
}

const Certificate* ViewLog::clash(const Certificate& certificate) const {
    const VoteContent& content = certificate.content;
    for (const VoteKind kind : {VoteKind::notarize, VoteKind::nullify, VoteKind::finalize}) {
        const Certificate* held = find(content.view, kind);
        if (held != nullptr && conflict(held->content, content)) return held;
    }
    return nullptr;
}

ViewLog::Put ViewLog::put(const Certificate& certificate) {
    const VoteContent& content = certificate.content;
    if (clash(certificate) != nullptr) return Put::clashing;
    if (content.view <= final_.view) return Put::known;
    if (content.kind == VoteKind::finalize) {
        settle(certificate);
        return Put::added;
    }
    Record& known = views_[content.view];
    auto& held = content.kind == VoteKind::notarize ? known.notarization : known.nullification;
    if (held) return Put::known;
    held = certificate;
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
}

Head ViewLog::notarized() const {
    for (auto at = views_.rbegin(); at != views_.rend(); ++at) {
        if (at->second.notarization) return {at->first, at->second.notarization->content.block};
    }
    return final_;
}

View ViewLog::certified() const {
    for (auto at = views_.rbegin(); at != views_.rend(); ++at) {
        if (at->second.notarization || at->second.nullification) return at->first;
    }
    return final_.view;
}

std::variant<Head, std::vector<CertificateKey>> ViewLog::parent_for(View view) const {
    for (View at = view.prev(); at > final_.view; at = at.prev()) {
        const Record* known = record(at);
        if (known != nullptr && known->notarization)
            return Head{at, known->notarization->content.block};
        if (known == nullptr || !known->nullification) {
            return std::vector<CertificateKey>{{at, VoteKind::nullify}, {at, VoteKind::notarize}};
        }
    }
    return final_;
}

Ancestry ViewLog::check_parent(View view, View parent_view, const BlockId& parent) const {
    using Verdict = Ancestry::Verdict;
    if (parent_view >= view) return {Verdict::invalid, {}, "its parent is not an earlier view"};
    if (parent_view < final_.view) {
        return {Verdict::invalid, {}, "its parent is below a finalised view"};
    }
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
    // Every view between must be proven dead: it might be final otherwise.
    for (View at = view.prev(); at > parent_view; at = at.prev()) {
        if (find(at, VoteKind::nullify) != nullptr) continue;
        ancestry.missing.push_back({at, VoteKind::nullify});
        if (ancestry.missing.size() >= missing_max) break;
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
