// Fetcher: asks for vertices that are missing, one peer after another, never twice at once.
//
// Why      A proposal, a parked vertex or a catch-up names vertices that we lack; asking everybody
//          for everything would be a storm, asking one peer for ever a stall.
// Source   Rule G2: ask first who must have it, then others; a peer that lacks it is not punished.
// Holds    At most requests_max ranges under way; a range is asked again at another peer after
//          `retry`; what has arrived, or is no longer wanted, is forgotten.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/prng.hpp"
#include "base/time.hpp"
#include "model/effect.hpp"

namespace creto {

struct FetcherOptions {
    Duration retry = Duration::from_ms(200);
    std::size_t requests_max = 1'024;
    /// Vertices asked for in one request, so that an answer fits a message.
    std::uint64_t span_max = 256;
};

class Fetcher {
public:
    Fetcher(FetcherOptions options, std::uint64_t seed) : options_{options}, prng_{seed} {}

    /// Asks for the range unless it is under way. `first` is asked first when it is connected.
    void want(const LaneRange& range, const std::optional<AgentId>& first, Instant now);
    /// The vertex arrived: ranges that end in it are done.
    void arrived(const LaneId& lane, Sequence sequence);
    /// Everything at or below the cut is no longer missing.
    void forget_below(const Cut& cut);

    /// Sends what is due to connected peers, never to `self`.
    void on_time(Instant now, const std::vector<AgentId>& connected, Effects& effects);
    [[nodiscard]] Instant next_wake() const;
    [[nodiscard]] std::size_t under_way() const { return wanted_.size(); }
    /// Ranges asked for so far, each time anew.
    [[nodiscard]] std::uint64_t asked() const { return asked_; }

private:
    struct Key {
        LaneId lane;
        Sequence last;
        VertexId tip;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Want {
        Sequence first;
        std::optional<AgentId> ask_first;
        Instant next;
        std::uint32_t tries = 0;
    };

    FetcherOptions options_;
    Prng prng_;
    std::map<Key, Want> wanted_;
    std::uint64_t asked_ = 0;
};

}  // namespace creto
