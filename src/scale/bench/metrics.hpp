// PerformanceMetrics: the figures of one run, by the names that criteria use.
//
// Why      A criterion in a file and a figure in a report must mean the same: there is one table of
//          names, with the unit and what is counted.
// Source   The documents' names for what they measure, and the fields of the one result format.
// Holds    A figure that was not measured is absent, never zero; it may say why.
// Errors   known_metric(): invalid, with the nearest name.
// Units    As in the table; infinity is "never", and null in JSON.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/result.hpp"

namespace creto {

struct MetricName {
    const char* name;
    const char* unit;
    const char* says;
};

/// All of them, by name.
[[nodiscard]] std::span<const MetricName> metric_names();
/// Errors: invalid, when there is no such metric.
[[nodiscard]] Result<const MetricName*> known_metric(const std::string& name);

class PerformanceMetrics {
public:
    /// Requires: known_metric(name).
    void set(const std::string& name, double value);
    /// It was not measured.
    void drop(const std::string& name) { values_.erase(name); }
    [[nodiscard]] std::optional<double> get(const std::string& name) const;
    /// Why there is no such figure. Requires: known_metric(name).
    void miss(const std::string& name, std::string why);
    /// Empty when nobody said why.
    [[nodiscard]] std::string why_missing(const std::string& name) const;
    [[nodiscard]] const std::map<std::string, double>& all() const { return values_; }

private:
    std::map<std::string, double> values_;
    std::map<std::string, std::string> missing_;
};

}  // namespace creto
