#include "sim/check_queue.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {

Duration CheckQueue::Batch::cost() const {
    Duration sum = checks.front().alone;
    for (std::size_t i = 1; i < checks.size(); ++i)
        sum = sum + checks[i].added;
    const bool holds =
        std::all_of(checks.begin(), checks.end(), [](const Asked& asked) { return asked.good; });
    if (holds || checks.size() == 1) return sum;
    for (const Asked& asked : checks)
        sum = sum + asked.alone;
    return sum;
}

void CheckQueue::add(Bytes content, Asked asked) {
    if (!content.empty()) {
        for (std::size_t i = 0; i < waiting_.size(); ++i) {
            if (waiting_[i].content != content) continue;
            waiting_[i].checks.push_back(std::move(asked));
            return;
        }
    }
    Batch batch{std::move(content), {}};
    batch.checks.push_back(std::move(asked));
    waiting_.push_back(std::move(batch));
}

CheckQueue::Batch CheckQueue::start() {
    CRETO_ASSERT(may_start());
    running_ = true;
    Batch batch = std::move(waiting_.front());
    waiting_.pop_front();
    return batch;
}

}  // namespace creto
