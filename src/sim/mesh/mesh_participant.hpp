// MeshParticipant: an agent's mesh without the rest of its node.
//
// Why      Whole nodes are too heavy to ask how a thousand agents find each other and notice that
//          one died. This is the same Directory, Dialer, Discovery and Liveness, behind the same
//          check of signatures.
// Holds    No lanes, no votes, no calls: a command is answered with an error.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "mesh/discovery.hpp"
#include "mesh/overlay.hpp"
#include "node/check_gate.hpp"
#include "sim/participant.hpp"

namespace creto {

/// What the record of an agent says after its n-th change, followed by n.
inline constexpr std::string_view change_of_mesh = "change ";

/// How a participant deviates.
enum class MeshLie : std::uint8_t {
    none,
    /// Tells everybody of eight agents at a time that they do not answer, as often as its peers'
    /// quotas let it; says of nobody whom it was asked to ping that he lives; hands out old Alives.
    accuses,
    /// Takes part in everything, answers pings, dials the victims again and again, tells everybody of
    /// the identities that it and its accomplices made up, and hands on nothing of what others say.
    eclipses,
};

/// With whom participants are linked.
enum class MeshLinks : std::uint8_t {
    all,     ///< With everybody.
    drawn,   ///< As nodes are: Overlay. When few are known, with everybody.
    random,  ///< The same, and the parents are drawn, near or far.
};

struct MeshSetup {
    /// What everybody knows from the start; empty: agents have to find each other.
    std::vector<Shared<AgentRecord>> known;
    LivenessOptions liveness;
    std::vector<MeshLie> lies;  ///< By node; shorter when the others do not lie.
    MeshLinks links = MeshLinks::all;
    OverlayOptions overlay;
    /// These know nobody but their bootstrap address, whatever is known.
    std::vector<bool> strangers;
    std::vector<AgentRecord> victims;              ///< Of those who eclipse.
    std::vector<Shared<AgentRecord>> accomplices;  ///< By agent; invented ones too.
    /// A record came that is newer than what a participant held.
    std::function<void(NodeIndex, const AgentRecord&)> on_record;
};

class MeshParticipant final : public Participant {
public:
    MeshParticipant(const ParticipantParts& parts, std::shared_ptr<const MeshSetup> setup);

    [[nodiscard]] Result<void> restore(const StoreView& /*store*/, const VoteLogContents& /*v*/)
        override {
        return {};
    }
    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override;
    void reuse(std::vector<Effect> spent) override { effects_.reuse(std::move(spent)); }

private:
    void on(const Start& event);
    void on(const PeerUp& event);
    void on(const PeerDown& event);
    void on(const Received& event);
    void on(const CheckDone& event);
    void on(const Woke& event);
    void on(const Command& event);
    template <class T>
    void on(const T& /*other*/) {}

    void accept(const AgentId& from, const Message& message, const CheckPass& pass);
    void take_records(const AgentId& from, const RecordBatch& batch, const CheckPass& pass);
    [[nodiscard]] std::vector<CheckItem> signatures(const Message& message) const;
    void publish_own();
    void show_lives();
    void lie();
    void accuse();
    void crowd();
    void advertise(const AgentId& peer);
    /// What it sends of others, a liar that eclipses does not send.
    void withhold();
    /// Whether agents tell each other who there is; else all know all for ever.
    [[nodiscard]] bool discovers() const { return is_new_ || setup_->links != MeshLinks::all; }
    void arm();

    NodeOptions options_;
    const Signer& signer_;
    std::shared_ptr<const MeshSetup> setup_;
    NodeIndex index_;
    MeshLie lie_ = MeshLie::none;
    bool is_new_ = false;  ///< Knows nobody at the start.
    AgentId self_;
    ChainId chain_;
    Instant now_;
    Effects effects_;
    CheckGate gate_;
    Directory directory_;
    Dialer dialer_;
    Overlay overlay_;
    Liveness liveness_;
    Discovery discovery_;
    Prng prng_;
    std::uint64_t version_ = 0;
    std::uint64_t changes_ = 0;  ///< Of its own record.
    Instant renewal_ = Instant::max();
    Instant next_summary_ = Instant::max();
    Instant next_lie_ = Instant::max();
    std::vector<Alive> heard_;  ///< What a liar has heard and hands out again.
    Instant armed_ = Instant::max();
};

[[nodiscard]] ParticipantFactory mesh_agents(std::shared_ptr<const MeshSetup> setup);

}  // namespace creto
