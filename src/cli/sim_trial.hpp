// `creto sim run --nodes N …`: the words of the command line as a plan, and the plan carried out.
#pragma once

#include "cli/sim.hpp"
#include "scale/result.hpp"
#include "sim/run/trial.hpp"

namespace creto {

/// Errors: invalid, with the option and what it may be; not_found for a schedule's file.
[[nodiscard]] Result<TrialPlan> trial_plan(const SimRunOptions& options);

/// "0.30" or "30%" in millionths. Errors: invalid, with the option's name.
[[nodiscard]] Result<std::uint32_t> parse_share_ppm(const char* option, const std::string& text);

/// The command that gives the run of this seed again.
[[nodiscard]] std::string trial_command(const SimRunOptions& options, std::uint64_t seed);

/// Runs every seed, tells how far it is on stderr, prints the results.
int run_trials(const SimRunOptions& options, const Output& output);

/// What a finished command leaves: the report's page when one is wanted, the document or the lines,
/// and the exit code of the status.
int finish_runs(
    const JsonDoc& doc, const std::string& lines, const std::string& html, const Output& output
);

}  // namespace creto
