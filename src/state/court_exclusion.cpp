// The rest of Court: who is excluded, and rebuilding everything from a snapshot's leaves.
#include <algorithm>

#include "state/court.hpp"

namespace creto {

namespace {
struct ClosedLane {
    LaneId lane;
    Height height;
};
void encode(Writer& w, const ClosedLane& v) {
    encode(w, v.lane);
    encode(w, v.height);
}
void decode(Reader& r, ClosedLane& v) {
    decode(r, v.lane);
    decode(r, v.height);
}
std::string closed_key(const LaneId& lane) {
    return "closed/" + lane_text(lane);
}
std::string exclusion_key(const AgentId& agent) {
    return "excluded/" + agent_text(agent);
}
}  // namespace

Result<void, Void> Court::prove(
    const EvidenceOperation& operation, const OperationId& id, MerkleMap& map, Session& session
) {
    const auto agent = culprit(*operation.evidence, *roster_);
    if (!agent) return tl::unexpected<Void>(agent.error().message);
    bool closes = false;
    if (const auto* fork = std::get_if<LaneFork>(&*operation.evidence)) {
        const LaneId& lane = fork->a.header.lane;
        closes = !closed_.contains(lane);
        close_lane(lane, session.height, map);
    }
    if (const Exclusion* known = exclusion(*agent)) {
        if (closes) return {};
        return tl::unexpected<Void>(
            "its agent is excluded since height " + std::to_string(known->height.value())
        );
    }
    const Member* member = roster_->find(*agent);
    Exclusion exclusion{*agent, session.height, id, describe(*operation.evidence), std::nullopt};
    if (member != nullptr) exclusion.evidence = *operation.evidence;
    session.notices.emplace_back(Excluded{
        *agent, member == nullptr ? std::string{} : member->name, exclusion.reason});
    exclude(std::move(exclusion), map);
    return {};
}

void Court::close_lane(const LaneId& lane, Height height, MerkleMap& map) {
    if (!closed_.emplace(lane, height).second) return;
    map.set(closed_key(lane), encode_bytes(ClosedLane{lane, height}));
}

void Court::exclude(Exclusion exclusion, MerkleMap& map) {
    map.set(exclusion_key(exclusion.agent), encode_bytes(exclusion));
    exclusions_.emplace(exclusion.agent, std::move(exclusion));
    if (exclusions_.size() <= most_.exclusions) return;
    // Keys cost nothing to make: of those without a seat only the latest are remembered.
    auto oldest = exclusions_.end();
    for (auto at = exclusions_.begin(); at != exclusions_.end(); ++at) {
        if (roster_->find(at->first) != nullptr) continue;
        if (oldest == exclusions_.end() || at->second.height < oldest->second.height) oldest = at;
    }
    map.erase(exclusion_key(oldest->first));
    exclusions_.erase(oldest);
}

const Exclusion* Court::exclusion(const AgentId& agent) const {
    const auto found = exclusions_.find(agent);
    return found == exclusions_.end() ? nullptr : &found->second;
}

namespace {

/// Reads the leaves of one kind; false when one of them is malformed.
template <class T, class Take>
bool read_leaf(const std::string& key, const Bytes& value, std::string_view prefix, Take&& take) {
    if (!key.starts_with(prefix)) return true;
    auto read = decode_exact<T>(value);
    return read && take(std::move(*read));
}

struct ContractList {
    std::map<ContractId, Epoch> since;
};
void decode(Reader& r, ContractList& v) {
    const std::size_t count = r.count(limits::contracts_per_agent_max, Digest::size + 1);
    for (std::size_t i = 0; i < count && r.ok(); ++i) {
        ContractId id;
        Epoch since;
        creto::decode(r, id);
        creto::decode(r, since);
        const bool ascends = v.since.empty() || v.since.rbegin()->first < id;
        if (!ascends) r.fail(DecodeError::bad_value);
        v.since.emplace(id, since);
    }
    if (v.since.empty()) r.fail(DecodeError::bad_value);
}

}  // namespace

Result<void> Court::restore(const MerkleMap& map) {
    *this = Court{*roster_, most_};
    bool good = true;
    map.visit([&](const std::string& key, const Bytes& value) {
        good = good && read_leaf<Verdict>(key, value, "verdict/", [&](Verdict verdict) {
                   recorded_.emplace(verdict.height, verdict.call);
                   return verdicts_.emplace(verdict.call, std::move(verdict)).second;
               });
        good = good && read_leaf<Dispute>(key, value, "dispute/", [&](Dispute dispute) {
                   return disputes_.emplace(dispute.call, std::move(dispute)).second;
               });
        good = good && read_leaf<Exclusion>(key, value, "excluded/", [&](Exclusion exclusion) {
                   return exclusions_.emplace(exclusion.agent, std::move(exclusion)).second;
               });
        good = good && read_leaf<ClosedLane>(key, value, "closed/", [&](const ClosedLane& closed) {
                   return closed_.emplace(closed.lane, closed.height).second;
               });
        good = good && read_leaf<Reputation>(key, value, "reputation/", [&](Reputation reputation) {
                   const auto agent = parse_agent(std::string_view{key}.substr(11));
                   return agent && reputations_.emplace(*agent, std::move(reputation)).second;
               });
        good = good && read_leaf<ContractList>(key, value, "offer/", [&](ContractList list) {
                   for (const Member& member : roster_->known()) {
                       if (key.substr(6) != std::to_string(member.seat.value())) continue;
                       for (const auto& [id, since] : list.since)
                           offered_by_[id].emplace(member.seat, since);
                       offers_.emplace(member.seat, std::move(list.since));
                       return true;
                   }
                   return false;
               });
    });
    for (const auto& [call, dispute] : disputes_)
        good = good && verdicts_.contains(call);
    if (!good) return fail(ErrorCode::corrupt, "state: a leaf of the court is malformed");
    return {};
}

}  // namespace creto
