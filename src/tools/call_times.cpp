#include "tools/call_times.hpp"

#include <algorithm>

namespace creto {

void CallTimes::add(const AgentId& provider, const std::string& tool, Duration took) {
    const Key key{provider, tool};
    if (entries_.size() >= entries_max && entries_.count(key) == 0) {
        entries_.erase(std::min_element(
            entries_.begin(),
            entries_.end(),
            [](const auto& a, const auto& b) { return a.second.touched < b.second.touched; }
        ));
    }
    Entry& entry = entries_[key];
    entry.samples[entry.count++ % samples_max] = took;
    entry.touched = ++adds_;
}

std::optional<Duration> CallTimes::p95(const AgentId& provider, const std::string& tool) const {
    const auto found = entries_.find({provider, tool});
    if (found == entries_.end() || found->second.count < samples_min) return std::nullopt;
    auto samples = found->second.samples;
    const auto count = std::min<std::size_t>(found->second.count, samples_max);
    const std::size_t at = (count * 95 + 99) / 100 - 1;
    std::nth_element(
        samples.begin(),
        samples.begin() + static_cast<std::ptrdiff_t>(at),
        samples.begin() + static_cast<std::ptrdiff_t>(count)
    );
    return samples[at];
}

}  // namespace creto
