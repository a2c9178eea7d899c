// What local users read: keys and fields, after a session, and as they change.
#include <algorithm>

#include "node/node_impl.hpp"

namespace creto {

// --- reading ---

void NodeImpl::command(Ticket ticket, const ReadKey& read) {
    const bool causal = read.key.starts_with("causal/");
    if (!causal && !read.key.starts_with("final/")) {
        reply_error(
            ticket,
            {ErrorCode::invalid, "key \"" + read.key + "\" must start with final/ or causal/"}
        );
        return;
    }
    if (!causal && !read.path.empty()) {
        reply_error(ticket, {ErrorCode::invalid, "only keys under causal/ have fields"});
        return;
    }
    const Result<bool> reached = read.session ? has_reached(*read.session) : Result<bool>{true};
    if (!reached) {
        reply_error(ticket, reached.error());
    } else if (*reached) {
        reply(ticket, read_now(read));
    } else if (waiting_reads_.size() >= limits::session_reads_max) {
        reply_error(ticket, {ErrorCode::limit, "too many reads wait for their session"});
    } else {
        waiting_reads_.push_back({ticket, read, now_ + read.timeout});
    }
}

KeyReply NodeImpl::read_now(const ReadKey& read) const {
    KeyReply out{.height = final_.height()};
    if (read.key.starts_with("final/")) {
        if (auto value = final_.get(read.key)) {
            out.found = true;
            out.values.push_back(std::move(*value));
        }
        return out;
    }
    CausalReading reading = causal_.read({read.key, read.path}, read.range);
    out.found = reading.found;
    out.values = std::move(reading.values);
    out.counter = reading.counter;
    out.last = std::move(reading.last);
    out.elements = std::move(reading.elements);
    out.items = std::move(reading.items);
    out.fields = std::move(reading.fields);
    out.more = reading.more;
    return out;
}

// --- sessions ---

/// Whether what is read here shows all that the session has seen. An error: it never will.
Result<bool> NodeImpl::has_reached(const SessionToken& session) const {
    if (session.height > final_.height()) return false;
    if (!session.tip) return true;
    const VertexRef& tip = *session.tip;
    if (tip.lane.incarnation.value() > limits::lane_resets_max ||
        seats().known(tip.lane.seat) == nullptr)
        return fail(ErrorCode::invalid, "the session token is of another network");
    if (tip.lane.incarnation > final_.lanes().of(tip.lane.seat).incarnation) return false;
    if (tip.sequence <= final_.causal_base().cut(tip.lane)) return true;
    const VertexPtr held = dag_.at(tip.lane, tip.sequence);
    const bool counts = tip.sequence <= dag_.causal_end(tip.lane);
    if (!counts || (held != nullptr && held->id() != tip.id)) {
        return fail(
            ErrorCode::conflict,
            "the session's write is in lane " + lane_text(tip.lane) +
                ", which was forked or closed below it: it does not count here"
        );
    }
    return held != nullptr;
}

void NodeImpl::serve_waiting_reads() {
    std::erase_if(waiting_reads_, [this](const WaitingRead& waiting) {
        const SessionToken& session = *waiting.read.session;
        const Result<bool> reached = has_reached(session);
        if (reached && !*reached && now_ < waiting.deadline) return false;
        if (!reached) {
            reply_error(waiting.command, reached.error());
        } else if (*reached) {
            reply(waiting.command, read_now(waiting.read));
        } else {
            std::string why =
                "this node has not come as far as the session within the deadline: "
                "it is at height " +
                std::to_string(final_.height().value()) + ", the session at " +
                std::to_string(session.height.value());
            if (session.tip) {
                const auto tip = dag_.tip(session.tip->lane);
                why += "; of lane " + lane_text(session.tip->lane) + " it has " +
                       std::to_string(tip ? tip->sequence.value() : 0) + " vertices, the session " +
                       std::to_string(session.tip->sequence.value());
            }
            reply_error(waiting.command, {ErrorCode::timeout, std::move(why)});
        }
        return true;
    });
}

Instant NodeImpl::reads_next_wake() const {
    Instant next = Instant::max();
    for (const WaitingRead& waiting : waiting_reads_)
        next = std::min(next, waiting.deadline);
    return next;
}

void NodeImpl::fail_waiting_reads(const Error& error) {
    for (const WaitingRead& waiting : waiting_reads_)
        reply_error(waiting.command, error);
    waiting_reads_.clear();
}

// --- watching ---

void NodeImpl::command(Ticket ticket, const WatchKeys& watch) {
    if (watch.prefixes.size() > limits::watched_prefixes_max) {
        reply_error(
            ticket,
            {ErrorCode::limit,
             "at most " + std::to_string(limits::watched_prefixes_max) +
                 " prefixes are watched at once"}
        );
        return;
    }
    watched_ = watch.prefixes;
    causal_.watch(watched_);
    reply(ticket, Done{});
}

/// Requires: `applied` says what became of the operations of `ordered`.
void NodeImpl::note_final_changes(
    const std::vector<VertexPtr>& ordered, const FinalState::Applied& applied
) {
    if (watched_.empty()) return;
    std::size_t at = 0;
    for (const VertexPtr& vertex : ordered) {
        for (const Operation& operation : vertex->operations()) {
            const bool took_effect = applied.operations[at++].applied;
            const auto* write = std::get_if<KeyOperation>(&operation.body);
            if (write != nullptr && took_effect && causal_.is_watched(write->key))
                final_changes_.insert(write->key);
        }
    }
}

void NodeImpl::publish_changes() {
    std::vector<ReadKey> changes;
    for (const std::string& key : std::exchange(final_changes_, {}))
        changes.push_back({.key = key});
    for (const Place& place : causal_.take_changes())
        changes.push_back({.key = place.key, .path = place.path});
    std::size_t told = 0;
    for (ReadKey& change : changes) {
        if (told++ == limits::changes_per_event_max) {
            effects_.publish(ChangesLost{changes.size() - limits::changes_per_event_max});
            return;
        }
        change.range.count = limits::watched_items_max;
        KeyReply value = read_now(change);
        effects_.publish(KeyChanged{std::move(change.key), std::move(change.path), std::move(value)}
        );
    }
}

}  // namespace creto
