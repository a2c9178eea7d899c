#include "scale/bench/folder.hpp"

#include <algorithm>
#include <filesystem>

#include "scale/config.hpp"
#include "scale/report/page.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;
constexpr std::size_t result_bytes_max = 64U << 20U;
/// So many runs are drawn in full on one page.
constexpr std::size_t runs_drawn_max = 4;

bool is_result(const Doc& doc) {
    return doc.is_object() && doc.contains("scenario_id") && doc["scenario_id"].is_string() &&
           doc.contains("status") && doc["status"].is_string() &&
           doc.contains("acceptance_criteria") && doc.contains("details") &&
           doc["details"].is_object();
}

}  // namespace

void BenchCount::add(const std::string& status) {
    ++(status == "PASSED" ? passed : status == "PARTIAL" ? partial : failed);
}

std::string BenchCount::line() const {
    return std::to_string(passed) + " passed, " + std::to_string(failed) + " failed" +
           (partial == 0 ? "" : ", " + std::to_string(partial) + " partial");
}

const char* BenchCount::status() const {
    if (failed > 0 || all() == 0) return "FAILED";
    return partial > 0 ? "PARTIAL" : "PASSED";
}

Result<ResultFolder> ResultFolder::open(const std::string& dir) {
    std::error_code error;
    std::filesystem::create_directories(dir, error);
    if (error || !std::filesystem::is_directory(dir))
        return fail(
            ErrorCode::io,
            "cannot make the folder " + dir + (error ? ": " + error.message() : ": a file is there")
        );
    return read(dir);
}

Result<ResultFolder> ResultFolder::read(const std::string& dir) {
    ResultFolder out;
    out.dir_ = dir;
    std::error_code error;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{dir, error})
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    if (error) return fail(ErrorCode::not_found, "cannot read " + dir + ": " + error.message());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        const auto text = read_file(file, result_bytes_max);
        if (!text) return tl::unexpected<Error>(text.error());
        Doc doc = Doc::parse(*text, nullptr, false);
        if (doc.is_discarded() || !is_result(doc))
            return fail(ErrorCode::invalid, file.string() + " is no result of a scenario");
        out.results_.push_back(std::move(doc));
    }
    return out;
}

Result<void> ResultFolder::add(const Doc& result) {
    const std::string name = result.at("scenario_id").get<std::string>();
    const auto file = std::filesystem::path{dir_} / (name + ".json");
    auto written =
        write_file(file, result.dump(1, ' ', false, Doc::error_handler_t::replace) + "\n");
    if (!written)
        return fail(
            ErrorCode::io,
            "cannot write " + file.string() + ": " + written.error().message +
                "; the results before it are kept"
        );
    const auto same = std::find_if(results_.begin(), results_.end(), [&](const Doc& one) {
        return one["scenario_id"] == name;
    });
    if (same != results_.end()) {
        *same = result;
    } else {
        results_.push_back(result);
    }
    return {};
}

const Doc* ResultFolder::find(const std::string& scenario, const BenchOptions& options) const {
    for (const Doc& one : results_) {
        if (one["scenario_id"] != scenario) continue;
        const Doc& details = one["details"];
        const bool is_same =
            one.value("seed", std::uint64_t{0}) == options.seed &&
            details.value("smoke", false) == options.smoke &&
            (details.value("host", "") == "real") == (options.host == BenchHost::processes) &&
            (!options.nodes || one["configuration"].value("node_count", 0U) == *options.nodes) &&
            (options.nodes || details.contains("not_run") ||
             !one["acceptance_criteria"].contains("node count"));
        return is_same && !one["acceptance_criteria"].contains("completed") ? &one : nullptr;
    }
    return nullptr;
}

Doc bench_document(const std::vector<Doc>& results) {
    Doc runs = Doc::array();
    BenchCount count;
    for (const Doc& result : results) {
        count.add(result["status"].get<std::string>());
        runs.push_back(result);
        Doc& details = runs.back()["details"];
        if (results.size() <= runs_drawn_max) continue;
        for (const char* row : {"view", "lag", "state"})
            if (details.contains("nodes")) details["nodes"][row] = Doc::array();
        if (details.contains("latency")) details["latency"]["points"] = Doc::array();
        details.erase("probes");
    }
    return {
        {"schema_version", 1},
        {"status", count.status()},
        {"summary", count.line()},
        {"runs", std::move(runs)}};
}

Doc ResultFolder::document() const {
    return bench_document(results_);
}

Result<std::string> ResultFolder::write_page() const {
    const std::string file = (std::filesystem::path{dir_} / page_name).string();
    if (auto written = write_report_page(document(), file); !written)
        return tl::unexpected<Error>(written.error());
    return file;
}

BenchCount ResultFolder::count() const {
    BenchCount out;
    for (const Doc& one : results_)
        out.add(one["status"].get<std::string>());
    return out;
}

}  // namespace creto
