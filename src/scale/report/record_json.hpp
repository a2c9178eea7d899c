// A RunRecord as the `details` of a result: all that a report's page draws.
//
// Holds    A pure function of the record; numbers are milliseconds and seconds, rounded to what can
//          be seen, so that a run of 128 nodes stays below a megabyte.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "sim/run/record.hpp"

namespace creto {

/// `timeline`, `nodes`, `faults`, `violation`, `latency`, `where_time_goes`, `slowest`, `loads`,
/// `probes`.
[[nodiscard]] nlohmann::ordered_json record_details(const RunRecord& record);

/// The properties by name: which held, which was broken, which could not be looked at any more.
/// `checked` names the checkers that this kind of run has.
[[nodiscard]] nlohmann::ordered_json verdicts(
    const std::string& broken, const std::set<std::string>& checked
);

/// Of the cells inside [from, to): the greatest rate of final operations in one second.
[[nodiscard]] double peak_rate(const RunRecord& record, Duration from, Duration to);

}  // namespace creto
