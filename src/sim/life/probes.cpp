#include "sim/life/probes.hpp"

#include <array>

namespace creto {

std::span<const std::string_view> known_probes() {
    static constexpr std::array names = std::to_array<std::string_view>({
        "disk.batches_lost",        "disk.batches_torn",
        "disk.logs_put_back",       "disk.logs_replaced",
        "disk.reads_failed",        "disk.records_lost",
        "host.events_stale",        "host.events_waited",
        "host.sends_held",          "host.tools_cancelled",
        "host.writes_refused",      "net.lost",
        "net.overflowed",           "net.unconnected",
        "node.agents_died",         "node.agents_known",
        "node.agents_looked_at",    "node.agents_refuted",
        "node.agents_revived",      "node.agents_suspected",
        "node.blocks_evicted",      "node.blocks_finalized",
        "node.calls_admitted",      "node.calls_cancelled",
        "node.calls_hedged",        "node.calls_overloaded",
        "node.calls_rate_limited",  "node.calls_retried",
        "node.calls_served",        "node.calls_timed_out",
        "node.chain_blocks_synced", "node.checkpoints_adopted",
        "node.checkpoints_made",    "node.checkpoints_offered",
        "node.checks_refused",      "node.dag_bytes",
        "node.equivocations_seen",  "node.evidence",
        "node.history_dropped",     "node.leaders_skipped",
        "node.messages_malformed",  "node.messages_received",
        "node.nullify_votes",       "node.order_messages_ignored",
        "node.peers_dropped",       "node.peers_flooding",
        "node.peers_turned_away",   "node.pieces_ignored",
        "node.pieces_lost",         "node.pieces_sent",
        "node.pieces_shown",        "node.proposals_made",
        "node.proposals_refused",   "node.ranges_asked",
        "node.refused_bytes",       "node.refused_calls",
        "node.refused_checks",      "node.refused_held",
        "node.refused_messages",    "node.refused_questions",
        "node.refused_tool_time",   "node.requests_rate_limited",
        "node.requests_refused",    "node.requests_sent",
        "node.requests_served",     "node.retransmissions",
        "node.signatures_wrong",    "node.suspicions_unheeded",
        "node.vertices_complete",   "node.vertices_made",
        "node.vertices_refused",    "node.vertices_repeated",
        "node.views_entered",       "node.views_nullified",
        "node.votes_counted",       "node.votes_ignored",
        "told.agents_excluded",     "told.epochs_begun",
        "told.lanes_reset",         "told.partitions",
        "told.partitions_healed",   "told.rosters_changed",
        "told.seats_dormant",       "told.seats_returned",
        "told.states_adopted",
    });
    return names;
}

}  // namespace creto
