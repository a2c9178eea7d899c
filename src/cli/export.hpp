// `creto export`: a range of what is final as a file, and checking such a file with the genesis alone.
//
// Format   json   one document: a head ("format": "creto-export", "version": 1, "network", "chain") with
//                 "blocks"; jsonl: the head on the first line, then a block on each.
//          A block is shown for people ("height", "proposer", "executed", "vertices" with "operations")
//          and given for machines ("bytes", "finalization", each vertex's "bytes", hexadecimal).
// Holds    What is shown is computed from the bytes; a file whose shown part says otherwise is refused.
#pragma once

#include <filesystem>
#include <string>

#include "cli/output.hpp"

namespace creto {

struct ExportOptions {
    std::filesystem::path dir;  ///< The node's folder; the node may run.
    std::filesystem::path file;
    std::uint64_t from = 1;
    std::uint64_t to = 0;
    std::string format = "json";
};
int command_export(const ExportOptions& options, const Output& output);
int command_export_verify(
    const std::filesystem::path& file, const std::filesystem::path& genesis, const Output& output
);

}  // namespace creto
