// ResultFolder: the results of a bench, one JSON file a scenario, and one page for all of them.
//
// Holds    A file is written whole as soon as its scenario has ended, so that a bench that is stopped
//          goes on where it was. The page of many runs leaves out what is drawn node by node; the files
//          have it.
// Errors   io, with the file: no room, no permission, no folder. What was written before stays.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "scale/bench/run.hpp"

namespace creto {

struct BenchCount {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t partial = 0;

    void add(const std::string& status);
    [[nodiscard]] std::size_t all() const { return passed + failed + partial; }
    /// "79 passed, 0 failed"; what is partial, too, if anything is.
    [[nodiscard]] std::string line() const;
    [[nodiscard]] const char* status() const;
};

class ResultFolder {
public:
    static constexpr const char* page_name = "report.html";

    /// Makes the folder.
    [[nodiscard]] static Result<ResultFolder> open(const std::string& dir);
    /// One that is there, with its results. Errors: not_found; invalid for a file that is no result.
    [[nodiscard]] static Result<ResultFolder> read(const std::string& dir);

    [[nodiscard]] Result<void> add(const nlohmann::ordered_json& result);
    /// The result of the same run, when it was carried to its end: seed, length and node count.
    [[nodiscard]] const nlohmann::ordered_json* find(
        const std::string& scenario, const BenchOptions& options
    ) const;
    /// All results as one page. Errors: io.
    [[nodiscard]] Result<std::string> write_page() const;
    /// The document of all results: `runs`, with one status.
    [[nodiscard]] nlohmann::ordered_json document() const;
    [[nodiscard]] BenchCount count() const;

private:
    std::string dir_;
    std::vector<nlohmann::ordered_json> results_;
};

/// Several results as one document, light enough for one page.
[[nodiscard]] nlohmann::ordered_json bench_document(
    const std::vector<nlohmann::ordered_json>& results
);

}  // namespace creto
