#include "cli/demo.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <iomanip>
#include <iostream>

#include "scale/system_scenarios.hpp"

namespace creto {

namespace {

/// Children die with this process, so the end of the process is the end of the demo.
void end_on_signal(int /*number*/) {
    ::_exit(130);
}

const SystemScenario* find(const std::string& name) {
    for (const SystemScenario& scenario : system_scenarios()) {
        if (scenario.id == name || scenario.name == name || "test_" + scenario.name == name ||
            "test_harness_" + scenario.name == name) {
            return &scenario;
        }
    }
    return nullptr;
}

}  // namespace

int command_demo(const std::vector<std::string>& names, bool list, const Output& output) {
    if (list) {
        JsonDoc doc{{"ok", true}, {"scenarios", JsonDoc::array()}};
        std::string lines;
        for (const SystemScenario& s : system_scenarios()) {
            doc["scenarios"].push_back({{"id", s.id}, {"name", s.name}, {"about", s.about}});
            lines += s.id + "  " + s.name + ": " + s.about + "\n";
        }
        output.say(doc, lines);
        return exit_code::done;
    }
    std::vector<const SystemScenario*> chosen;
    for (const std::string& name : names) {
        const SystemScenario* scenario = find(name);
        if (scenario == nullptr) {
            return output.fail(
                {ErrorCode::not_found,
                 "there is no scenario \"" + name + "\"; see creto demo --list"},
                exit_code::usage
            );
        }
        chosen.push_back(scenario);
    }
    if (chosen.empty()) {
        for (const SystemScenario& s : system_scenarios())
            chosen.push_back(&s);
    }
    std::signal(SIGINT, end_on_signal);
    std::signal(SIGTERM, end_on_signal);
    ScenarioContext context;
    context.program = std::filesystem::read_symlink("/proc/self/exe");
    context.dir =
        std::filesystem::temp_directory_path() / ("creto-demo-" + std::to_string(::getpid()));
    std::vector<ScenarioResult> results;
    std::ostream& out = output.json ? std::cerr : std::cout;
    double total = 0;
    for (const SystemScenario* scenario : chosen) {
        out << scenario->id << "  " << scenario->name << ": " << scenario->about << std::endl;
        results.push_back(run_scenario(*scenario, context));
        const ScenarioResult& r = results.back();
        out << "      " << r.nodes << " agents, processes";
        for (const std::uint32_t pid : r.pids) {
            if (pid != 0) out << " " << pid;
        }
        out << "\n" << to_lines(r);
        out << "  " << r.status() << " in " << std::fixed << std::setprecision(1) << r.wall_s
            << " s\n"
            << std::endl;
        total += r.wall_s;
    }
    std::error_code ignored;
    std::filesystem::remove_all(context.dir, ignored);
    const auto passed = std::count_if(results.begin(), results.end(), [](const ScenarioResult& r) {
        return std::string{r.status()} == "PASSED";
    });
    const JsonDoc doc = to_json(results);
    const bool all = doc["status"] == "PASSED";
    out << passed << " of " << results.size() << " scenarios passed in " << std::fixed
        << std::setprecision(1) << total << " s" << std::endl;
    if (output.json) output.say(doc, "");
    return all                          ? exit_code::done
           : doc["status"] == "PARTIAL" ? exit_code::partial
                                        : exit_code::failed;
}

}  // namespace creto
