// fsck: says what is wrong with a node's data folder, and changes nothing.
//
// Why      Corruption must be found before it is needed, and named so that somebody can act.
// Checks   the store opens, its format and chain; the checksum of every table file; every vertex is
//          well formed and hashes to its key; the lane index and the vertices name each other;
//          the newest checkpoints are whole; the vote log is intact, and there if the node has voted. Identity and configuration are
//          not its matter.
// Holds    Read-only: no file is created, written or locked. Beside a running node the answer may
//          be out of date, and says so.
// Cost     Reads and hashes everything once.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "model/effect.hpp"
#include "model/ids.hpp"

namespace creto {

struct Finding {
    enum class Severity : std::uint8_t {
        note,     ///< Worth knowing.
        warning,  ///< The node runs and repairs it, or will have to.
        error,    ///< Data is lost or the node does not start.
    };
    Severity severity = Severity::note;
    std::string where;  ///< A path, or a path and a key.
    std::string what;
    std::string remedy;

    friend bool operator==(const Finding&, const Finding&) = default;
};

[[nodiscard]] const char* to_string(Finding::Severity severity);

struct FsckReport {
    static constexpr std::size_t findings_max = 1'000;  ///< More are counted, not listed.

    std::vector<Finding> findings;
    std::uint64_t unlisted = 0;
    std::array<std::uint64_t, column_count> keys{};  ///< By Column.
    std::uint64_t value_bytes = 0;
    std::uint64_t vertices_good = 0;
    std::uint64_t vote_records = 0;
    std::optional<ChainId> chain;

    /// No warning and no error.
    [[nodiscard]] bool clean() const;
    void add(Finding::Severity severity, std::string where, std::string what, std::string remedy);
};

/// `dir` is the node's folder, as in DataFolder.
[[nodiscard]] FsckReport fsck(const std::string& dir);

}  // namespace creto
