#include "mesh/discovery.hpp"

#include <algorithm>

namespace creto {

namespace {

/// Longer than it takes until a parent's turn comes again.
constexpr Duration lease = Duration::from_s(3);
/// Until a round trip is measured.
constexpr Duration round_trip_guess = Duration::from_ms(200);
constexpr Duration ask_again = Duration::from_ms(500);
/// One summary in so many is not for a parent.
constexpr std::uint64_t others_every = 8;

}  // namespace

void Discovery::publish(const Shared<AgentRecord>& own, Instant now, Effects& effects) {
    own_ = encode_message(RecordBatch{{own}});
    const bool is_renewal = overlay_.is_sparse() && !own->leaving && only_renews(*own);
    for (const AgentId& peer : dialer_.peers()) {
        const auto held = leases_.find(peer);
        const bool is_child = held != leases_.end() && held->second > now;
        const auto& parents = overlay_.parents();
        const bool is_parent = std::find(parents.begin(), parents.end(), peer) != parents.end();
        if (!is_renewal || is_child || is_parent) effects.send(peer, Channel::data, *own_);
    }
    if (own->leaving) {
        own_.reset();
    } else {
        directory_.accept({own, CheckPass::own()}, now);
    }
}

void Discovery::on_peer_up(const AgentId& peer, Effects& effects) {
    // The first few tell us everybody they know; of the others we hear by and by.
    if (dialer_.peers().size() <= summaries_at_start) effects.send(peer, directory_.summary(false));
    if (own_) effects.send(peer, Channel::data, *own_);
}

Discovery::News Discovery::on_records(
    const AgentId& from,
    const RecordBatch& batch,
    const CheckPass& pass,
    Instant now,
    Effects& effects
) {
    News news;
    RecordBatch onward;
    for (const Shared<AgentRecord>& shared : batch.records) {
        const AgentRecord& record = *shared;
        if (record.agent == self_) {
            // What comes back as it is was said in this life; to answer it would go round for ever.
            const AgentRecord* const said = directory_.find(self_);
            if (said == nullptr || *said != record)
                news.own_version = std::max(news.own_version.value_or(0), record.version);
            continue;
        }
        const bool is_renewal = only_renews(record);
        const Directory::Change change = directory_.accept({shared, pass}, now, from);
        if (change == Directory::Change::none) continue;
        onward.records.push_back(shared);
        overlay_.on_news(from, record.agent, record.version, now);
        if (overlay_.is_sparse() && !is_renewal) announce_later(record, from, now);
        news.seen.push_back({shared, change});
        if (change == Directory::Change::left) {
            gone(record.agent);
            continue;
        }
        overlay_.on_record(record, now);
        if (change == Directory::Change::found) liveness_.on_found(record.agent, now);
        liveness_.on_record(record.agent, now);
    }
    for (const Shared<AgentRecord>& evicted : directory_.take_evicted()) {
        news.seen.push_back({evicted, Directory::Change::left});
        gone(evicted->agent);
    }
    if (onward.records.empty()) return news;
    if (overlay_.is_sparse()) {
        hand_to_children(from, onward, now, effects);
        return news;
    }
    std::vector<AgentId> others = dialer_.peers();
    std::erase(others, from);
    // To a few: the author tells all its peers itself, and what chance leaves out the summaries find.
    for (std::size_t i = 0; i < fanout && others.size() > fanout; ++i)
        std::swap(others[i], others[i + prng_.below(others.size() - i)]);
    if (others.size() > fanout) others.resize(fanout);
    effects.send_all(others, onward);
    return news;
}

bool Discovery::only_renews(const AgentRecord& record) const {
    const AgentRecord* const held = directory_.find(record.agent);
    return held != nullptr && !record.leaving && held->name == record.name &&
           held->software == record.software && held->seat == record.seat &&
           held->addresses == record.addresses && held->tools == record.tools;
}

// --- what is new, among many ---

void Discovery::hand_to_children(
    const AgentId& from, const RecordBatch& batch, Instant now, Effects& out
) {
    std::vector<AgentId> children;
    for (const auto& [peer, until] : leases_)
        if (until > now && peer != from) children.push_back(peer);
    out.send_all(children, batch);
    for (const AgentRecord& record : batch.records)
        for (const AgentId& child : children)
            note_holder(child, record.agent, record.version);
}

/// [MESH-SPREAD.1]
void Discovery::announce_later(const AgentRecord& record, const AgentId& from, Instant now) {
    std::erase_if(announced_, [&](const Announced& news) { return news.about == record.agent; });
    if (announced_.size() >= announced_max) return;
    announced_.push_back({record.agent, record.version, {from}});
    for (const AgentId& peer : overlay_.neighbours()) {
        if (peer == from || announcements_.size() >= announcements_max) continue;
        const Duration wait = overlay_.round_trip(peer).value_or(round_trip_guess);
        announcements_.emplace(now + wait, peer, record.agent);
    }
}

Discovery::Announced* Discovery::announced_of(const AgentId& about) {
    const auto found =
        std::find_if(announced_.begin(), announced_.end(), [&](const Announced& news) {
            return news.about == about;
        });
    return found == announced_.end() ? nullptr : &*found;
}

void Discovery::note_holder(const AgentId& peer, const AgentId& about, std::uint64_t version) {
    Announced* const news = announced_of(about);
    if (news != nullptr && version >= news->version) news->holders.push_back(peer);
}

void Discovery::note_known(const AgentId& from, const RecordBatch& batch) {
    if (!overlay_.is_sparse()) return;
    for (const AgentRecord& record : batch.records) {
        const AgentRecord* const held = directory_.find(record.agent);
        if (held == nullptr || held->version > record.version) continue;
        overlay_.on_known(from, record.agent, record.version);
        note_holder(from, record.agent, record.version);
    }
}

void Discovery::on_time(Instant now, Effects& effects) {
    // Who has become a parent is asked at once, so that it hands on what is new from now on.
    if (parents_ != overlay_.parents()) {
        for (const AgentId& parent : overlay_.parents()) {
            if (std::find(parents_.begin(), parents_.end(), parent) == parents_.end())
                send_summary(parent, effects);
        }
        parents_ = overlay_.parents();
    }
    while (next_wake() <= now) {
        const auto [at, peer, about] = *announcements_.begin();
        announcements_.erase(announcements_.begin());
        const Announced* const news = announced_of(about);
        const bool has_it =
            news == nullptr ||
            std::find(news->holders.begin(), news->holders.end(), peer) != news->holders.end();
        if (!has_it && dialer_.connected(peer))
            effects.send(peer, directory_.summary(false, Directory::only(about)));
    }
    if (announcements_.empty()) announced_.clear();
}

/// Whoever announces what he does not have shall not keep others from being asked.
bool Discovery::may_ask(const RecordSummary& summary, Instant now) {
    if (summary.slices != limits::agents_max || summary.versions.empty()) return true;
    std::erase_if(asked_, [&](const auto& entry) { return entry.second.at + ask_again <= now; });
    for (const RecordVersion& theirs : summary.versions) {
        const AgentRecord* const held = directory_.find(theirs.agent);
        if (held != nullptr && held->version >= theirs.version) continue;
        const auto asked = asked_.find(theirs.agent);
        if (asked == asked_.end() || asked->second.version != theirs.version) {
            if (asked_.size() < asked_max) asked_[theirs.agent] = {theirs.version, now, 1};
            return true;
        }
        if (++asked->second.times <= asked_each_max) return true;
    }
    return false;
}

// --- summaries ---

void Discovery::on_summary(
    const AgentId& from, const RecordSummary& summary, Instant now, Effects& effects
) {
    const bool is_announcement = summary.slices == limits::agents_max;
    if (overlay_.is_sparse() && !summary.answer && !is_announcement && dialer_.connected(from))
        leases_[from] = now + lease;
    if (is_announcement) {
        for (const RecordVersion& theirs : summary.versions)
            note_holder(from, theirs.agent, theirs.version);
    }
    RecordBatch newer{directory_.newer_than(summary)};
    if (!newer.records.empty()) {
        effects.send(from, newer);
        for (const AgentRecord& record : newer.records)
            note_holder(from, record.agent, record.version);
    }
    if (!summary.answer && directory_.behind(summary) && may_ask(summary, now))
        effects.send(from, directory_.summary(true, summary));
}

std::optional<AgentId> Discovery::next_partner() {
    const std::vector<AgentId>& peers = dialer_.peers();
    if (peers.empty()) return std::nullopt;
    const std::uint64_t turn = turn_++;
    if (!overlay_.is_sparse()) return peers[turn % peers.size()];
    const std::vector<AgentId>& parents = overlay_.parents();
    if (parents.empty() || turn % others_every == others_every - 1)
        return peers[turn_of_all_++ % peers.size()];
    return parents[turn % parents.size()];
}

void Discovery::send_summary(const AgentId& peer, Effects& effects) {
    RecordSummary like;
    like.slices = static_cast<std::uint32_t>(directory_.size() / slice_agents + 1);
    like.slice = slice_++ % like.slices;
    effects.send(peer, directory_.summary(false, like));
}

std::vector<Shared<AgentRecord>> Discovery::expire(Instant now) {
    std::vector<Shared<AgentRecord>> over = directory_.expire(now);
    for (const Shared<AgentRecord>& record : over)
        gone(record->agent);
    return over;
}

void Discovery::gone(const AgentId& agent) {
    overlay_.on_gone(agent);
    liveness_.on_gone(agent);
}

}  // namespace creto
