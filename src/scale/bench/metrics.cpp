#include "scale/bench/metrics.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/assert.hpp"
#include "scale/nearest.hpp"

namespace creto {
namespace {

constexpr std::array names{
    // The documents' names.
    MetricName{"vertices_processed_total", "vertices", "in the graph of the node that has most"},
    MetricName{"consensus_rounds_total", "rounds", "turns of leaders, those without a block too"},
    MetricName{"finalized_vertices_total", "operations", "operations that became final"},
    MetricName{"tps_current", "1/s", "operations final in the last whole second of the load"},
    MetricName{"batch_processing_rate", "1/s", "final blocks a second"},
    MetricName{"consensus_latency_seconds", "s", "from a block's proposal to its finality, mean"},
    MetricName{"round_duration_seconds", "s", "measured time for each turn of a leader"},
    MetricName{"query_latency_seconds", "s", "a read of the final state at the asked node, p95"},
    MetricName{"vertex_creation_duration_seconds", "s", "as charged: hash, signature, log record"},
    MetricName{"storage_operation_duration_seconds", "s", "a durable write, simulated, mean"},
    MetricName{"process_resident_memory_bytes", "bytes", "node state, store caches, fixed cost"},
    MetricName{"process_cpu_usage_percent", "%", "charged time of one core, mean of the nodes"},
    MetricName{"network_bytes_sent_total", "bytes", "on the wire with framing, all nodes"},
    MetricName{"network_bytes_received_total", "bytes", "on the wire with framing, all nodes"},
    MetricName{"rocksdb_read_ops_total", "reads", "of keys in the replay's real stores"},
    MetricName{
        "rocksdb_write_ops_total", "writes", "durable writes of the nodes' simulated stores"},
    MetricName{"active_vertices", "vertices", "above the final cut at the end, at most"},
    MetricName{"confidence_score", "share", "votes for the decision of all in its view"},
    MetricName{"byzantine_detections_total", "nodes", "liars that were proven or suspected"},
    MetricName{
        "consensus_failures_total", "failures", "safety checkers, and stalls over the bound"},
    MetricName{"rounds_to_finalize", "rounds", "turns of leaders for a block, mean"},
    // Throughput and latency.
    MetricName{"avg_tps", "1/s", "operations submitted in the window that became final"},
    MetricName{"min_tps", "1/s", "the least in ten seconds, or in the window if it is shorter"},
    MetricName{"peak_tps", "1/s", "the most in one second"},
    MetricName{"offered_tps", "1/s", "operations submitted"},
    MetricName{"tps_of_offered_percent", "%", "final of submitted"},
    MetricName{"sustainable_tps", "1/s", "greatest rate of five seconds of which 95 % is final"},
    MetricName{"saturation_tps", "1/s", "rate at which a processor was first 95 % busy"},
    MetricName{"tps_variance_percent", "%", "coefficient of variation of windows of a minute"},
    MetricName{"latency_p50_ms", "ms", "from the intended instant to the answer"},
    MetricName{"latency_p95_ms", "ms", "the same"},
    MetricName{"latency_p99_ms", "ms", "the same"},
    MetricName{"latency_p95_of_bound", "share", "p95 over the run's own bound in message delays"},
    MetricName{"final_operations", "operations", "of those that were submitted in the window"},
    MetricName{"final_blocks", "blocks", "in the window"},
    MetricName{"uptime_percent", "%", "seconds in which a block became final"},
    MetricName{"rounds_variance", "rounds^2", "of turns for a block, by windows of ten seconds"},
    MetricName{"dag_depth", "vertices", "the longest lane: a chain"},
    // Resources.
    MetricName{"avg_cpu_percent", "%", "of one core, mean of nodes"},
    MetricName{"peak_cpu_percent", "%", "of the busiest node in one second"},
    MetricName{"avg_memory_mb", "MB", "mean of nodes at the end"},
    MetricName{"peak_memory_mb", "MB", "the node that holds most, ever"},
    MetricName{"memory_growth_percent", "%", "last quarter of the run against the first"},
    MetricName{"avg_network_mbps", "Mbit/s", "sent and received by a node"},
    MetricName{"peak_network_mbps", "Mbit/s", "of the busiest node in one second"},
    MetricName{"storage_slowdown", "ratio", "simulated durable writes: last quarter over first"},
    MetricName{"oom_kills", "kills", "nodes that exceeded their memory"},
    // Cluster.
    MetricName{"created_nodes", "nodes", "that the cluster has"},
    MetricName{"running_before_start", "nodes", "up before the cluster was started"},
    MetricName{"running_after_start", "nodes", "up after it"},
    MetricName{"running_after_stop", "nodes", "up after all were stopped"},
    MetricName{"state_kept", "0 or 1", "after a restart of all the final height is no lower"},
    MetricName{"running_nodes", "nodes", "up at the end of the window"},
    MetricName{"crashes", "crashes", "nodes that ended without being told to"},
    MetricName{"byzantine_nodes", "nodes", "that deviate"},
    MetricName{"healthy", "0 or 1", "blocks become final and no node is behind"},
    MetricName{"converged_nodes", "nodes", "that share one final state at the end"},
    MetricName{"diverged_nodes", "nodes", "honest nodes with another final block at a height"},
    MetricName{"recovery_seconds", "s", "until 95 % of before is final again, and all caught up"},
    MetricName{"partitions_seen", "sides", "different sets that nodes say they reach"},
    MetricName{"partitions_left", "sides", "the same at the end of the window"},
    MetricName{"no_quorum_percent", "%", "of live honest nodes say that they hear no quorum"},
    MetricName{"no_quorum_nodes", "nodes", "the same, counted"},
    MetricName{"link_latency_min_ms", "ms", "one way, of all pairs"},
    MetricName{"link_latency_max_ms", "ms", "one way, of all pairs"},
    MetricName{"link_loss_percent", "%", "of probes over the links' own model"},
    MetricName{"joined_nodes", "nodes", "that got a seat during the run"},
    MetricName{"schema_valid", "0 or 1", "the result fits docs/result.schema.json"},
    MetricName{"report_complete", "0 or 1", "the page names rate, latency, CPU, memory and base"},
    MetricName{"wall_seconds", "s", "of real time"},
    // Liars.
    MetricName{"byzantine_found_percent", "%", "of the liars proven or suspected"},
    MetricName{"false_positive_percent", "%", "of the honest nodes proven or suspected"},
    MetricName{"proven_nodes", "nodes", "excluded on proof"},
    MetricName{"suspected_nodes", "nodes", "suspected at the witness"},
    MetricName{"reputation_ratio", "ratio", "mean reputation of liars over that of honest nodes"},
    MetricName{"failed_safely", "0 or 1", "no divergence, or proof that names more than a third"},
    // What drawn nodes asked of their disks, replayed into real stores: real time on this machine.
    MetricName{"storage_replay_seconds", "s", "virtual: the newest operation that was replayed"},
    MetricName{"storage_replay_writes", "keys", "written, all stores"},
    MetricName{"storage_replay_syncs", "commits", "durable ones, all stores"},
    MetricName{"storage_replay_ops_mean", "1/s", "keys that a store writes and reads"},
    MetricName{
        "storage_replay_ops_peak", "1/s", "the most in a second, or in all if it is shorter"},
    MetricName{"storage_replay_iops_mean", "1/s", "reads and writes of files by the process"},
    MetricName{
        "storage_replay_iops_peak", "1/s", "the most in a second, or in all if it is shorter"},
    MetricName{"storage_replay_write_us", "us", "a durable commit, mean"},
    MetricName{"storage_replay_write_p99_us", "us", "the same"},
    MetricName{"storage_replay_read_us", "us", "of a key, mean"},
    MetricName{
        "storage_replay_write_slowdown", "ratio", "a durable commit: slowest quarter over first"},
    MetricName{"storage_replay_read_slowdown", "ratio", "of a key: slowest quarter over first"},
    MetricName{"storage_replay_compactions", "compactions", "finished, all stores"},
    MetricName{"storage_replay_pending_mb", "MB", "that wait for compaction in a store, at most"},
    MetricName{"storage_replay_stall_s", "s", "in which RocksDB held writes back, all stores"},
    MetricName{"storage_replay_stall_percent", "%", "the same, of the time of the replay"},
    MetricName{"storage_replay_damage", "findings", "of fsck, without notes"},
    MetricName{
        "storage_replay_differences", "keys", "and votes that the simulated disk has otherwise"},
    // Microbenchmarks: real time in this process.
    MetricName{"vertex_struct_ns", "ns", "a vertex header, filled in"},
    MetricName{"vertex_id_ns", "ns", "with its id"},
    MetricName{"vertex_id_over_hash_ns", "ns", "with its id, over the hash of the same bytes"},
    MetricName{"vertex_signed_over_parts_ns", "ns", "signed, over hash and signature"},
    MetricName{"graph_add_ns", "ns", "adding a vertex, mean of 1,000"},
    MetricName{"graph_get_ns", "ns", "finding a vertex"},
    MetricName{"graph_linear", "ratio", "per vertex at 1,000 over that at 100"},
    MetricName{"hash_100b_ns", "ns", "BLAKE3"},
    MetricName{"hash_1kb_ns", "ns", "BLAKE3"},
    MetricName{"hash_10kb_ns", "ns", "BLAKE3"},
    MetricName{"hash_of_upstream", "ratio", "rate over upstream's own C, in the same run"},
    MetricName{"storage_put_of_db_bench", "ratio", "rate over that of db_bench, run in turn"},
    MetricName{"storage_put_us", "us", "1 KiB, not synced"},
    MetricName{"storage_cached_get_ns", "ns", "1 KiB from our own cache"},
    MetricName{"storage_cold_get_us", "us", "1 KiB after the store was opened again"},
};

}  // namespace

std::span<const MetricName> metric_names() {
    return names;
}

Result<const MetricName*> known_metric(const std::string& name) {
    const auto* const found = std::find_if(names.begin(), names.end(), [&](const MetricName& one) {
        return one.name == name;
    });
    if (found != names.end()) return found;
    std::vector<std::string> known;
    for (const MetricName& one : names)
        known.emplace_back(one.name);
    const auto meant = nearest(name.substr(0, 64), known, 6);
    return fail(
        ErrorCode::invalid,
        "there is no metric \"" + name.substr(0, 64) + "\"" +
            (meant ? "; did you mean \"" + *meant + "\"?" : "; docs/scale.md lists them")
    );
}

void PerformanceMetrics::set(const std::string& name, double value) {
    CRETO_ASSERT(known_metric(name).has_value());
    values_[name] = value;
}

void PerformanceMetrics::miss(const std::string& name, std::string why) {
    CRETO_ASSERT(known_metric(name).has_value());
    missing_[name] = std::move(why);
}

std::string PerformanceMetrics::why_missing(const std::string& name) const {
    const auto found = missing_.find(name);
    return found == missing_.end() || values_.contains(name) ? "" : found->second;
}

std::optional<double> PerformanceMetrics::get(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional{found->second};
}

}  // namespace creto
