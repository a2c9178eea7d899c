#include "mesh/discovery.hpp"

#include <algorithm>

namespace creto {

void Discovery::publish(const Shared<AgentRecord>& own, Instant now, Effects& effects) {
    own_ = encode_message(RecordBatch{{own}});
    for (const AgentId& peer : dialer_.peers())
        effects.send(peer, Channel::data, *own_);
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
        const Directory::Change change = directory_.accept({shared, pass}, now, from);
        if (change == Directory::Change::none) continue;
        onward.records.push_back(shared);
        news.seen.push_back({shared, change});
        if (change == Directory::Change::left) {
            gone(record.agent);
            continue;
        }
        dialer_.want(record.agent, record.addresses, now);
        if (change == Directory::Change::found) liveness_.on_found(record.agent, now);
        liveness_.on_record(record.agent, now);
    }
    for (const Shared<AgentRecord>& evicted : directory_.take_evicted()) {
        news.seen.push_back({evicted, Directory::Change::left});
        gone(evicted->agent);
    }
    if (onward.records.empty()) return news;
    std::vector<AgentId> others = dialer_.peers();
    std::erase(others, from);
    // To a few: the author tells all its peers itself, and what chance leaves out the summaries find.
    for (std::size_t i = 0; i < fanout && others.size() > fanout; ++i)
        std::swap(others[i], others[i + prng_.below(others.size() - i)]);
    if (others.size() > fanout) others.resize(fanout);
    effects.send_all(others, onward);
    return news;
}

void Discovery::on_summary(const AgentId& from, const RecordSummary& summary, Effects& effects) {
    RecordBatch newer{directory_.newer_than(summary)};
    if (!newer.records.empty()) effects.send(from, newer);
    if (!summary.answer && directory_.behind(summary))
        effects.send(from, directory_.summary(true, summary));
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
    dialer_.unwant(agent);
    liveness_.on_gone(agent);
}

}  // namespace creto
