#include "mesh/directory.hpp"

#include <algorithm>

namespace creto {

Directory::Change Directory::accept(
    const Checked<Shared<AgentRecord>>& checked, Instant now, const std::optional<AgentId>& from
) {
    const AgentRecord& record = *checked;
    const AgentId& agent = record.agent;
    if (const auto gone = gone_.find(agent); gone != gone_.end()) {
        if (record.version <= gone->second) return Change::none;
    }
    const auto held = entries_.find(agent);
    if (held != entries_.end() && record.version <= held->second.record->version)
        return Change::none;
    if (record.leaving) {
        forget(agent, record.version);
        if (held == entries_.end()) return Change::none;
        erase(held);
        return Change::left;
    }
    const std::uint32_t lifetime_ms = std::min(record.lifetime_ms, limits::record_lifetime_ms_max);
    const Instant expires = agent == self_ ? Instant::max() : now + Duration::from_ms(lifetime_ms);
    gone_.erase(agent);
    const bool known = held != entries_.end();
    if (known) {
        by_expiry_.erase({held->second.expires, agent});
        held->second.record = *checked;
        held->second.expires = expires;
    } else {
        if (entries_.size() >= limits::agents_max) make_room();
        const AgentId& bringer = from.value_or(self_);
        ++brought_[bringer];
        const Place added = entries_.emplace(agent, Entry{*checked, expires, bringer}).first;
        lines_.insert(line_of(agent), {RecordSummary::place_of(agent), added});
    }
    by_expiry_.emplace(expires, agent);
    return known ? Change::updated : Change::found;
}

std::vector<Shared<AgentRecord>> Directory::expire(Instant now) {
    std::vector<Shared<AgentRecord>> out;
    while (next_expiry() <= now) {
        const auto entry = entries_.find(by_expiry_.begin()->second);
        forget(entry->first, entry->second.record->version);
        out.push_back(std::move(entry->second.record));
        erase(entry);
    }
    return out;
}

void Directory::make_room() {
    const auto greediest =
        std::max_element(brought_.begin(), brought_.end(), [](const auto& a, const auto& b) {
            return a.second < b.second;
        });
    auto goes = std::find_if(by_expiry_.begin(), by_expiry_.end(), [&](const auto& place) {
        return place.second != self_ && entries_.at(place.second).from == greediest->first;
    });
    if (goes == by_expiry_.end()) goes = by_expiry_.begin();  // The own record is the last.
    const auto entry = entries_.find(goes->second);
    evicted_.push_back(entry->second.record);
    erase(entry);
}

void Directory::erase(KeyMap<AgentId, Entry>::iterator entry) {
    by_expiry_.erase({entry->second.expires, entry->first});
    const auto brought = brought_.find(entry->second.from);
    if (--brought->second == 0) brought_.erase(brought);
    lines_.erase(line_of(entry->first));
    entries_.erase(entry);
}

RecordSummary Directory::only(const AgentId& agent) {
    const ByteView key = agent.view();
    constexpr auto slices = static_cast<std::uint32_t>(limits::agents_max);
    return {.slice = (key[0] + (std::uint32_t{key[1]} << 8U)) % slices, .slices = slices};
}

std::vector<Directory::Line>::iterator Directory::line_of(const AgentId& agent) {
    return std::lower_bound(
        lines_.begin(),
        lines_.end(),
        agent,
        [](const Line& line, const AgentId& wanted) { return line.entry->first < wanted; }
    );
}

RecordSummary Directory::summary(bool answer, const RecordSummary& like) const {
    RecordSummary summary{.answer = answer, .slice = like.slice, .slices = like.slices};
    for (const Line& line : lines_) {
        if (!summary.covers_place(line.place)) continue;
        const auto& [agent, entry] = *line.entry;
        summary.versions.push_back({agent, entry.record->version});
    }
    return summary;
}

std::vector<Shared<AgentRecord>> Directory::newer_than(const RecordSummary& peer) const {
    std::vector<Shared<AgentRecord>> newer;
    auto theirs = peer.versions.begin();
    for (const Line& line : lines_) {
        if (!peer.covers_place(line.place)) continue;
        const auto& [agent, entry] = *line.entry;
        while (theirs != peer.versions.end() && theirs->agent < agent)
            ++theirs;
        const bool held = theirs != peer.versions.end() && theirs->agent == agent;
        if (held && theirs->version >= entry.record->version) continue;
        newer.push_back(entry.record);
        if (newer.size() == limits::records_per_message_max) break;
    }
    return newer;
}

bool Directory::behind(const RecordSummary& peer) const {
    return std::any_of(
        peer.versions.begin(),
        peer.versions.end(),
        [this](const RecordVersion& theirs) {
            const auto gone = gone_.find(theirs.agent);
            if (gone != gone_.end() && theirs.version <= gone->second) return false;
            const auto held = entries_.find(theirs.agent);
            return held == entries_.end() || held->second.record->version < theirs.version;
        }
    );
}

const AgentRecord* Directory::find(const AgentId& agent) const {
    const auto found = entries_.find(agent);
    return found == entries_.end() ? nullptr : &*found->second.record;
}

std::vector<const AgentRecord*> Directory::providers(
    const std::string& tool, const ContractId& contract
) const {
    std::vector<const AgentRecord*> out;
    for (const auto& [agent, entry] : entries_) {
        const ToolOffer* offer = find_tool(*entry.record, tool);
        if (offer == nullptr) continue;
        if (contract != ContractId{} && offer->contract.id() != contract) continue;
        out.push_back(&*entry.record);
    }
    return out;
}

std::vector<const AgentRecord*> Directory::all() const {
    std::vector<const AgentRecord*> out;
    out.reserve(entries_.size());
    for (const auto& [agent, entry] : entries_)
        out.push_back(&*entry.record);
    return out;
}

void Directory::forget(const AgentId& agent, std::uint64_t version) {
    if (gone_.size() >= limits::agents_max && gone_.count(agent) == 0) gone_.erase(gone_.begin());
    auto& known = gone_[agent];
    known = std::max(known, version);
}

const ToolOffer* find_tool(const AgentRecord& record, const std::string& tool) {
    const auto found = std::lower_bound(
        record.tools.begin(),
        record.tools.end(),
        tool,
        [](const ToolOffer& offer, const std::string& name) { return offer.name < name; }
    );
    return found != record.tools.end() && found->name == tool ? &*found : nullptr;
}

}  // namespace creto
