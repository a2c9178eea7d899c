// compare(): what a real store holds against what a simulated disk holds, key for key.
//
// Holds    Each key that is missing, that is there without reason, or that has another value counts once,
//          and each vote at another place of the log. What only a real host writes for itself (the
//          store's format, the marks of the journal, that it has voted) is no difference.
//          What cannot be read differs: all keys of the column that are not reached.
// Cost     Reads everything once; a key and a value at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/disk.hpp"

namespace creto {

struct StoreDifference {
    static constexpr std::size_t texts_max = 5;

    std::uint64_t count = 0;
    std::uint64_t keys = 0;          ///< Of the simulated disk.
    std::vector<std::string> texts;  ///< The first ones, for people.
    bool is_stopped = false;

    void add(std::uint64_t more, std::string text);
};

/// `goes_on` is asked now and then; false stops.
[[nodiscard]] StoreDifference compare(
    const StoreView& store,
    const VoteLogContents& votes,
    const SimDisk& wanted,
    const std::function<bool()>& goes_on
);

}  // namespace creto
