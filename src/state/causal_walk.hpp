// CausalState::Walk: the slots of base and overlay whose names begin with a prefix, ascending.
#pragma once

#include "state/causal_state.hpp"

namespace creto {

class CausalState::Walk {
public:
    Walk(const CausalState& state, std::string prefix)
        : base_{state.base_->causal_base().entries()},
          above_{state.overlays_},
          prefix_{std::move(prefix)} {
        seek(prefix_);
    }

    /// Null behind the last. Some write named it; what it holds may be gone.
    [[nodiscard]] const std::string* slot() const {
        const std::string* found = nullptr;
        if (at_base_ != base_.end()) found = &at_base_->first;
        if (at_above_ != above_.end() && (found == nullptr || at_above_->first < *found))
            found = &at_above_->first;
        return found != nullptr && found->starts_with(prefix_) ? found : nullptr;
    }
    void next() {
        const bool base = at_base_ != base_.end();
        const bool above = at_above_ != above_.end();
        const bool base_first = base && (!above || at_base_->first <= at_above_->first);
        const bool above_first = above && (!base || at_above_->first <= at_base_->first);
        if (base_first) ++at_base_;
        if (above_first) ++at_above_;
    }
    /// Goes on with the first slot that is not before this name.
    void seek(const std::string& name) {
        at_base_ = base_.lower_bound(name);
        at_above_ = above_.lower_bound(name);
    }

private:
    const CausalBase::Entries& base_;
    const Overlays& above_;
    std::string prefix_;
    CausalBase::Entries::const_iterator at_base_;
    Overlays::const_iterator at_above_;
};

}  // namespace creto
