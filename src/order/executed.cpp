#include "order/executed.hpp"

namespace creto::simplex {

bool ExecutedMarks::add_own(const ExecutedMark& mark) {
    own_[mark.height] = mark;
    const auto claimed = claimed_.find(mark.height);
    const bool agrees = claimed == claimed_.end() || claimed->second == mark;
    claimed_.erase(claimed_.begin(), claimed_.upper_bound(mark.height));
    return agrees;
}

bool ExecutedMarks::restart_from(const ExecutedMark& mark) {
    own_.clear();
    return add_own(mark);
}

bool ExecutedMarks::add_final(const ExecutedMark& mark) {
    switch (compare(mark)) {
        case Agreement::equal:
            return true;
        case Agreement::different:
            return false;
        case Agreement::unknown:
            break;
    }
    if (mark.height > highest()) claimed_.emplace(mark.height, mark);
    return true;
}

ExecutedMarks::Agreement ExecutedMarks::compare(const ExecutedMark& claimed) const {
    const auto own = own_.find(claimed.height);
    if (own == own_.end()) return Agreement::unknown;
    return own->second == claimed ? Agreement::equal : Agreement::different;
}

const ExecutedMark& ExecutedMarks::at(Height height) const {
    const auto found = own_.find(height);
    CRETO_ASSERT(found != own_.end());
    return found->second;
}

void ExecutedMarks::forget_below(Height height) {
    own_.erase(own_.begin(), own_.lower_bound(std::min(height, highest())));
}

}  // namespace creto::simplex
