#include "scale/bench/metrics.hpp"

#include <gtest/gtest.h>
#include <set>

namespace creto {
namespace {

TEST(PerformanceMetrics, HaveTheDocumentsNamesEachOnce) {
    std::set<std::string> names;
    for (const MetricName& one : metric_names()) {
        EXPECT_TRUE(names.insert(one.name).second) << one.name;
        EXPECT_NE(std::string{one.unit}, "") << one.name;
    }
    for (const char* name :
         {"vertices_processed_total",
          "consensus_rounds_total",
          "finalized_vertices_total",
          "tps_current",
          "batch_processing_rate",
          "consensus_latency_seconds",
          "round_duration_seconds",
          "query_latency_seconds",
          "vertex_creation_duration_seconds",
          "storage_operation_duration_seconds",
          "process_resident_memory_bytes",
          "process_cpu_usage_percent",
          "network_bytes_sent_total",
          "network_bytes_received_total",
          "rocksdb_read_ops_total",
          "rocksdb_write_ops_total",
          "active_vertices",
          "confidence_score",
          "byzantine_detections_total",
          "consensus_failures_total",
          "rounds_to_finalize"})
        EXPECT_TRUE(names.contains(name)) << name;
}

TEST(PerformanceMetrics, AnUnknownNameIsRefusedWithTheNearest) {
    EXPECT_TRUE(known_metric("tps_current").has_value());
    EXPECT_EQ(
        known_metric("tps_curent").error().message,
        "there is no metric \"tps_curent\"; did you mean \"tps_current\"?"
    );
    EXPECT_NE(
        known_metric("qqqqqqqqqqqqqqqqqq").error().message.find("docs/scale.md"), std::string::npos
    );
}

TEST(PerformanceMetrics, WhatWasNotMeasuredIsAbsent) {
    PerformanceMetrics metrics;
    EXPECT_FALSE(metrics.get("avg_tps").has_value());
    metrics.set("avg_tps", 0);
    EXPECT_EQ(metrics.get("avg_tps"), 0.0);
}

TEST(PerformanceMetrics, WhatIsMissingMaySayWhy) {
    PerformanceMetrics metrics;
    EXPECT_EQ(metrics.why_missing("avg_tps"), "");
    metrics.miss("avg_tps", "no clock");
    EXPECT_EQ(metrics.why_missing("avg_tps"), "no clock");
    EXPECT_FALSE(metrics.get("avg_tps").has_value());
    metrics.set("avg_tps", 0);
    EXPECT_EQ(metrics.why_missing("avg_tps"), "");
}

}  // namespace
}  // namespace creto
