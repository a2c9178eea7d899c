// creto_calibrate: holds the simulator against real processes, and fits its cost table.
//
// Why      A simulated figure is worth what its error is known to be. Here the nodes share the
//          machine's processors, in reality and in the model (co-located mode).
// Source   SIMULATION: fit on 4 and 16 processes only, predict 7 and 31, publish every error.
// Holds    What is predicted is never fitted. The misses are printed like the hits.
// Use      creto_calibrate real N --dir D   measures N processes into D/real-N.json
//          creto_calibrate fit --dir D --source S   fits, predicts, writes the table and its errors
//          into the source tree S; `make calibrate` does all of it.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <vector>

#include "calibrate/figures.hpp"
#include "scale/scenario_support.hpp"

namespace creto::calibrate {
namespace {

using Doc = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::array<std::uint32_t, 2> fitted_sizes{4, 16};

struct Measured {
    Figures figures;
    double sync_us = 0;
};

/// What is fitted. All positive; searched by their logarithms.
struct Knobs {
    double hop_us = 60;
    double system_factor = 3;  ///< On what passes through the operating system.
    double command_us = 150;   ///< One write of a client: HTTP, JSON, and the client itself.

    [[nodiscard]] std::array<double, 3> logs() const {
        return {std::log(hop_us), std::log(system_factor), std::log(command_us)};
    }
    static Knobs from(const std::array<double, 3>& logs) {
        return {std::exp(logs[0]), std::exp(logs[1]), std::exp(logs[2])};
    }
};

CostTable table_of(const Knobs& knobs) {
    CostTable table = ed25519_costs();
    const auto scaled = [&](std::uint64_t ns) {
        return static_cast<std::uint64_t>(std::lround(static_cast<double>(ns) * knobs.system_factor)
        );
    };
    table.event_ns = scaled(table.event_ns);
    table.send_ns = scaled(table.send_ns);
    table.persist_ns = scaled(table.persist_ns);
    table.command_ns = static_cast<std::uint64_t>(std::lround(knobs.command_us * 1'000));
    return table;
}

Figures model(std::uint32_t nodes, const Knobs& knobs, double sync_us) {
    return simulate(nodes, {}, table_of(knobs), {knobs.hop_us, sync_us, 2});
}

double error_of(double real, double simulated) {
    return std::log(std::max(1e-9, simulated) / std::max(1e-9, real));
}

/// The simplex search of Nelder and Mead, over three logarithms.
template <class Cost>
std::array<double, 3> minimise(std::array<double, 3> start, Cost cost, int steps) {
    using Point = std::array<double, 3>;
    struct Corner {
        Point at;
        double cost;
    };
    std::vector<Corner> corners;
    const auto corner = [&](const Point& at) { return Corner{at, cost(at)}; };
    corners.push_back(corner(start));
    for (std::size_t i = 0; i < start.size(); ++i) {
        Point moved = start;
        moved[i] += 0.7;
        corners.push_back(corner(moved));
    }
    const auto mix = [](const Point& a, const Point& b, double share) {
        Point out{};
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = a[i] + (b[i] - a[i]) * share;
        return out;
    };
    for (int step = 0; step < steps; ++step) {
        std::sort(corners.begin(), corners.end(), [](const Corner& a, const Corner& b) {
            return a.cost < b.cost;
        });
        Point middle{};
        for (std::size_t c = 0; c + 1 < corners.size(); ++c)
            for (std::size_t i = 0; i < middle.size(); ++i)
                middle[i] += corners[c].at[i] / 3;
        Corner& worst = corners.back();
        const Corner reflected = corner(mix(worst.at, middle, 2));
        if (reflected.cost < corners.front().cost) {
            const Corner further = corner(mix(worst.at, middle, 3));
            worst = further.cost < reflected.cost ? further : reflected;
        } else if (reflected.cost < corners[2].cost) {
            worst = reflected;
        } else {
            const Corner nearer = corner(mix(worst.at, middle, 0.5));
            if (nearer.cost < worst.cost) {
                worst = nearer;
            } else {
                for (std::size_t c = 1; c < corners.size(); ++c)
                    corners[c] = corner(mix(corners[c].at, corners[0].at, 0.5));
            }
        }
    }
    return std::min_element(
               corners.begin(),
               corners.end(),
               [](const Corner& a, const Corner& b) { return a.cost < b.cost; }
    )->at;
}

Knobs fit(const std::map<std::uint32_t, Measured>& real) {
    int tried = 0;
    const auto cost = [&](const std::array<double, 3>& logs) {
        const Knobs knobs = Knobs::from(logs);
        double sum = 0;
        for (const std::uint32_t nodes : fitted_sizes) {
            const Measured& seen = real.at(nodes);
            const Figures made = model(nodes, knobs, seen.sync_us);
            sum += std::pow(error_of(seen.figures.p50_ms, made.p50_ms), 2);
            sum += std::pow(error_of(seen.figures.saturation, made.saturation), 2);
            sum += 0.2 * std::pow(error_of(seen.figures.p99_ms, made.p99_ms), 2);
        }
        std::fprintf(
            stderr,
            "  try %d: hop %.0f us, system x %.2f, command %.0f us: %.4f\n",
            ++tried,
            knobs.hop_us,
            knobs.system_factor,
            knobs.command_us,
            sum
        );
        return sum;
    };
    return Knobs::from(minimise(Knobs{}.logs(), cost, 30));
}

Doc row(
    std::uint32_t nodes,
    bool is_fitted,
    const char* figure,
    double aim,
    double real,
    double simulated
) {
    const auto rounded = [](double value) { return std::round(value * 100) / 100; };
    return {
        {"nodes", nodes},
        {"fitted", is_fitted},
        {"figure", figure},
        {"real", rounded(real)},
        {"simulated", rounded(simulated)},
        {"error_percent", rounded(100 * (simulated - real) / real)},
        {"aim_percent", aim}};
}

std::map<std::uint32_t, Measured> read_real(const fs::path& dir) {
    std::map<std::uint32_t, Measured> out;
    for (const std::uint32_t nodes : {4U, 7U, 16U, 31U}) {
        std::ifstream file{dir / ("real-" + std::to_string(nodes) + ".json")};
        if (!file) continue;
        const Doc doc = Doc::parse(file);
        out[nodes] = {
            {doc.at("p50_ms"), doc.at("p99_ms"), doc.at("saturation")}, doc.at("sync_us")};
    }
    return out;
}

std::string today() {
    const std::time_t now = std::time(nullptr);
    std::array<char, 16> text{};
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
    return text.data();
}

std::string processor() {
    std::ifstream in{"/proc/cpuinfo"};
    for (std::string line; std::getline(in, line);)
        if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
    return "unknown processor";
}

void write_table(const fs::path& source, const CostTable& table) {
    std::ofstream out{source / "src/sim/cost_calibrated.cpp"};
    out << "// Written by `make calibrate` (bench/calibrate); not by hand.\n"
           "#include \"sim/cost.hpp\"\n\nnamespace creto {\n\n"
           "CostTable calibrated_costs() {\n    CostTable table = ed25519_costs();\n"
        << "    table.id = \"" << table.id << "\";\n"
        << "    table.event_ns = " << table.event_ns << ";\n"
        << "    table.send_ns = " << table.send_ns << ";\n"
        << "    table.persist_ns = " << table.persist_ns << ";\n"
        << "    table.command_ns = " << table.command_ns << ";\n"
        << "    return table;\n}\n\n}  // namespace creto\n";
}

int command_real(std::uint32_t nodes, const fs::path& dir) {
    fs::create_directories(dir);
    const double sync_us = measure_sync_us(dir);
    const Figures figures = measure_real(nodes, {}, dir);
    const Doc doc{
        {"nodes", nodes},
        {"p50_ms", figures.p50_ms},
        {"p99_ms", figures.p99_ms},
        {"saturation", figures.saturation},
        {"sync_us", sync_us}};
    std::ofstream{dir / ("real-" + std::to_string(nodes) + ".json")} << doc.dump(2) << "\n";
    std::cout << doc.dump() << std::endl;
    return 0;
}

int command_fit(const fs::path& dir, const fs::path& source) {
    const auto real = read_real(dir);
    for (const std::uint32_t nodes : fitted_sizes)
        if (real.count(nodes) == 0) throw scenario::Stop{"measure 4 and 16 processes first"};
    const Knobs knobs = fit(real);
    CostTable table = table_of(knobs);
    table.id = "colocated-" + today();
    Doc rows = Doc::array();
    for (const auto& [nodes, seen] : real) {
        const bool is_fitted =
            std::find(fitted_sizes.begin(), fitted_sizes.end(), nodes) != fitted_sizes.end();
        const Figures made = model(nodes, knobs, seen.sync_us);
        rows.push_back(row(nodes, is_fitted, "p50 ms", 10, seen.figures.p50_ms, made.p50_ms));
        rows.push_back(row(nodes, is_fitted, "p99 ms", 25, seen.figures.p99_ms, made.p99_ms));
        rows.push_back(row(
            nodes, is_fitted, "operations/s at most", 15, seen.figures.saturation, made.saturation
        ));
    }
    std::ostringstream about;
    about << "Real processes on one machine of two processors (" << processor() << ", " << today()
          << ") and the simulator's co-located model of them, with table " << table.id
          << ": writes of 256 B, 40 a second open-loop for the latencies, 64 under way at once for "
             "the rate. Fitted on 4 and 16 nodes: a hop of "
          << std::lround(knobs.hop_us) << " us, " << std::lround(knobs.command_us)
          << " us of processor a write, the operating system's part of the table times "
          << std::round(knobs.system_factor * 100) / 100 << ".";
    const Doc doc{{"table", table.id}, {"about", about.str()}, {"rows", rows}};
    write_table(source, table);
    std::ofstream{source / "src/scale/report/calibration.json"} << doc.dump(2) << "\n";
    std::printf(
        "%s\n%-24s %10s %10s %8s %6s\n",
        about.str().c_str(),
        "",
        "real",
        "simulated",
        "error",
        "aim"
    );
    for (const Doc& r : rows)
        std::printf(
            "%2d nodes, %-22s %10.2f %10.2f %7.1f%% %5.0f%% %s\n",
            r["nodes"].get<int>(),
            r["figure"].get<std::string>().c_str(),
            r["real"].get<double>(),
            r["simulated"].get<double>(),
            r["error_percent"].get<double>(),
            r["aim_percent"].get<double>(),
            r["fitted"].get<bool>() ? "fitted" : "predicted"
        );
    return 0;
}

int run(const std::vector<std::string>& words) {
    const auto option = [&](const char* name, const char* otherwise) {
        const auto found = std::find(words.begin(), words.end(), name);
        return found == words.end() || found + 1 == words.end() ? std::string{otherwise}
                                                                : *(found + 1);
    };
    const fs::path dir = option("--dir", "build/calibration");
    if (words.size() >= 2 && words[0] == "real") {
        const int nodes = std::atoi(words[1].c_str());
        if (nodes >= 4 && nodes <= 64) return command_real(static_cast<std::uint32_t>(nodes), dir);
    }
    if (!words.empty() && words[0] == "fit") return command_fit(dir, option("--source", "."));
    std::cerr << "creto_calibrate real N [--dir D] | fit [--dir D] [--source TREE]\n";
    return 2;
}

}  // namespace
}  // namespace creto::calibrate

int main(int count, char** words) {
    try {
        return creto::calibrate::run({words + 1, words + count});
    } catch (const std::exception& error) {
        std::cerr << "creto_calibrate: " << error.what() << "\n";
        return 1;
    }
}
