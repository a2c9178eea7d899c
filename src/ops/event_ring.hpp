// EventRing: the latest events of a node, numbered, for whoever asks what came after a number.
//
// Why      Watchers come and go, and may be slow. The node remembers so much for all of them together,
//          and nothing for each.
// Holds    An answer names how many events between the watcher's number and the oldest that is held it
//          never saw; so a watcher knows when it has to look for itself.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "ops/api_json.hpp"

namespace creto {

class EventRing {
public:
    explicit EventRing(std::size_t events_max) : events_max_{events_max} {}

    void add(const Notice& notice);
    /// The number of the newest; 0 before the first.
    [[nodiscard]] std::uint64_t newest() const { return newest_; }
    /// {"events", "next", "lost"}: with a prefix, the changes of keys that begin with it, and how many
    /// may be lost; without one, everything else that happened.
    [[nodiscard]] JsonDoc after(std::uint64_t since, const std::optional<std::string>& prefix)
        const;

private:
    std::size_t events_max_;
    std::deque<JsonDoc> events_;
    std::uint64_t newest_ = 0;
};

}  // namespace creto
