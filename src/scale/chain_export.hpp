// ChainExport: a range of the finalised chain with all that is needed to check it offline.
//
// Why      An auditor, a backup or another system wants what is final, without a node and without
//          trusting whoever hands it over.
// Holds    A range ends at a block that a quorum's certificate finalises; the blocks before it are bound
//          by their hashes. check_export() accepts only if each link holds: the certificate, the parents,
//          the vertices that each cut names (their hashes bind every operation), and their order. A range
//          from height 1 on is executed again as well, and each state root that a block names must come
//          out. Nothing but the genesis is trusted.
// Errors   not_found: the range is not final here; corrupt: which vertex or block; invalid: which link
//          of an export does not hold.
// Cost     A block at a time; executing keeps the state in memory.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/block.hpp"
#include "model/genesis.hpp"
#include "model/vertex.hpp"
#include "model/vote.hpp"
#include "store/store.hpp"

namespace creto {

struct ExportedBlock {
    Block block;
    std::optional<Certificate> finalization;
    std::vector<VertexPtr> vertices;  ///< In their final order.
};

struct ExportRange {
    Height from{1};
    Height to;  ///< 0: all that is final.
};

/// Hands out the blocks of the range in order, up to the first at or above `to` that has a certificate.
/// Stops with the visitor's error.
[[nodiscard]] Result<void> export_chain(
    const StoreView& store,
    const ExportRange& range,
    const std::function<Result<void>(const ExportedBlock&)>& visit
);

/// What an export that holds shows.
struct ExportFacts {
    Height from;
    Height to;
    std::uint64_t vertices = 0;
    std::uint64_t operations = 0;
    std::uint32_t signed_by = 0;  ///< Seats that finalised the last block.
    bool state_checked = false;   ///< Executed from the genesis on, each named root came out.
};

/// Checks an export block by block: add() each, then finish().
class ExportCheck {
public:
    explicit ExportCheck(const Roster& roster);
    ~ExportCheck();
    ExportCheck(const ExportCheck&) = delete;
    ExportCheck& operator=(const ExportCheck&) = delete;

    [[nodiscard]] Result<void> add(const ExportedBlock& exported);
    [[nodiscard]] Result<ExportFacts> finish() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace creto
