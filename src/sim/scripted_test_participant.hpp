// ScriptedParticipant: for tests of the simulator itself: a "node" whose behaviour is a function.
//
// Why      The host's promises (persist then speak, one reply, connections) are shown best by
//          participants that do one thing, and by some that break a rule.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/participant.hpp"

namespace creto {

/// What a test sees of one participant; outlives its crashes.
struct Seen {
    std::vector<std::pair<Event, Instant>> events;
    std::vector<std::vector<Bytes>> restored;  ///< The vote log at each start.

    template <class T>
    [[nodiscard]] std::vector<T> all() const {
        std::vector<T> found;
        for (const auto& [event, at] : events)
            if (const auto* match = std::get_if<T>(&event)) found.push_back(*match);
        return found;
    }
};

using Script =
    std::function<void(const ParticipantParts&, const Event&, Instant now, Effects& effects)>;

inline const Script idle = [](const ParticipantParts&, const Event&, Instant, Effects&) {};

class ScriptedParticipant final : public Participant {
public:
    ScriptedParticipant(const ParticipantParts& parts, Script script, Seen& seen)
        : parts_{parts}, script_{std::move(script)}, seen_{seen} {}

    [[nodiscard]] Result<void> restore(const StoreView& /*store*/, const VoteLogContents& votes)
        override {
        if (!votes.intact) return fail(ErrorCode::corrupt, votes.damage);
        seen_.restored.push_back(votes.records);
        return {};
    }
    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override {
        seen_.events.emplace_back(event, now);
        script_(parts_, event, now, effects_);
        return effects_.take();
    }

private:
    ParticipantParts parts_;
    Script script_;
    Seen& seen_;
    Effects effects_;
};

/// All nodes follow one script; `seen` has an entry for each.
[[nodiscard]] inline ParticipantFactory scripted(
    std::map<std::uint32_t, Seen>& seen, const Script& script
) {
    return [&seen, script](const ParticipantParts& parts) -> std::unique_ptr<Participant> {
        return std::make_unique<ScriptedParticipant>(parts, script, seen[parts.index.value()]);
    };
}

}  // namespace creto
