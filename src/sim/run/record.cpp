#include "sim/run/record.hpp"

#include <algorithm>

namespace creto {

void merge_cells(RunRecord& record) {
    std::vector<RunCell> cells((record.cells.size() + 1) / 2);
    for (std::size_t i = 0; i < record.cells.size(); ++i) {
        const RunCell& from = record.cells[i];
        RunCell& to = cells[i / 2];
        to.submitted += from.submitted;
        to.final += from.final;
        to.refused += from.refused;
        to.blocks += from.blocks;
        to.view = std::max(to.view, from.view);
        to.height = std::max(to.height, from.height);
        to.latency_max_us = std::max(to.latency_max_us, from.latency_max_us);
    }
    record.cells = std::move(cells);
    for (std::vector<NodeCell>& row : record.rows) {
        for (std::size_t i = 0; i < row.size() / 2; ++i)
            row[i] = row[2 * i + 1];
        row.resize(row.size() / 2);
    }
    record.cell = record.cell * 2;
}

}  // namespace creto
