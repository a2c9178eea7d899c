// CallTimes: how long each provider took for each tool lately, as its caller saw it.
//
// Why      A second provider is asked when the first takes longer than it does in 95 of 100 cases; what
//          that is nobody knows but whoever has called it.
// Holds    The newest samples_max answers of each provider and tool count. Nothing is said of fewer than
//          samples_min. At most entries_max pairs; the one that was added to longest ago goes.
// Cost     O(log entries) to add, O(samples) for the percentile.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "model/ids.hpp"

namespace creto {

class CallTimes {
public:
    static constexpr std::size_t samples_max = 64;
    static constexpr std::size_t samples_min = 20;
    static constexpr std::size_t entries_max = 1'024;

    void add(const AgentId& provider, const std::string& tool, Duration took);
    /// At or below this were 95 of 100; none: too few are known.
    [[nodiscard]] std::optional<Duration> p95(const AgentId& provider, const std::string& tool)
        const;
    [[nodiscard]] std::size_t entries() const { return entries_.size(); }

private:
    struct Entry {
        std::array<Duration, samples_max> samples{};
        std::uint64_t count = 0;
        std::uint64_t touched = 0;
    };
    using Key = std::pair<AgentId, std::string>;
    std::map<Key, Entry> entries_;
    std::uint64_t adds_ = 0;
};

}  // namespace creto
