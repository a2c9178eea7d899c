#include "cli/demo.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sys/wait.h>
#include <thread>

#include "scale/system_scenarios.hpp"

namespace creto {

namespace {

/// Ends the processes that any thread of this one has started.
void end_children() {
    for (bool found = true; found;) {
        found = false;
        std::error_code ignored;
        for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task", ignored}) {
            std::ifstream in{task.path() / "children"};
            for (pid_t pid = 0; in >> pid;) {
                found = true;
                ::kill(pid, SIGKILL);
                ::waitpid(pid, nullptr, 0);
            }
        }
    }
}

/// Ctrl-C and SIGTERM end the demo at any moment and leave nothing: no process, no port, no folder.
class EndOnSignal {
public:
    /// Requires: no other thread yet, so that all of them leave the signals to ours.
    explicit EndOnSignal(const std::filesystem::path& folder) {
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &signals, nullptr);
        std::thread{[signals, folder, ending = ending_] {
            int number = 0;
            while (sigwait(&signals, &number) != 0) {
            }
            *ending = true;
            clear(folder);
            ::_exit(128 + number);
        }}.detach();
    }
    /// Does not return once a signal came: what the scenario says of its end by force is not true.
    void stop_if_ending() const {
        while (*ending_)
            ::pause();
    }

private:
    /// The scenario may start one more process or write one more file while it is being ended: we go
    /// on until nothing is left. What slips through by a hair dies with this process.
    static void clear(const std::filesystem::path& folder) {
        const std::filesystem::path gone = folder.string() + ".gone";
        std::error_code ignored;
        do {
            end_children();
            // Under another name nobody can put anything new into it.
            std::filesystem::rename(folder, gone, ignored);
            end_children();
            std::filesystem::remove_all(gone, ignored);
        } while (std::filesystem::exists(folder, ignored) || std::filesystem::exists(gone, ignored)
        );
    }

    std::shared_ptr<std::atomic<bool>> ending_ = std::make_shared<std::atomic<bool>>(false);
};

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
    ScenarioContext context;
    context.program = std::filesystem::read_symlink("/proc/self/exe");
    context.dir =
        std::filesystem::temp_directory_path() / ("creto-demo-" + std::to_string(::getpid()));
    const EndOnSignal signals{context.dir};
    std::vector<ScenarioResult> results;
    std::ostream& out = output.json ? std::cerr : std::cout;
    double total = 0;
    for (const SystemScenario* scenario : chosen) {
        out << scenario->id << "  " << scenario->name << ": " << scenario->about << std::endl;
        results.push_back(run_scenario(*scenario, context));
        signals.stop_if_ending();
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
