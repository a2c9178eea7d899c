// ReadOnlyStore: a node's store as it is now, also beside the process that has it open.
//
// Why      Whoever wants to take a copy of what is final must not have to stop the node.
// Holds    No file is created, written or locked. It shows one instant: what the node writes later is
//          not seen.
// Errors   not_found: there is no store; io, corrupt as RocksDB says.
#pragma once

#include <memory>
#include <string>

#include "store/store.hpp"

namespace creto {

class ReadOnlyStore final : public StoreView {
public:
    /// `dir` is the node's data folder, as in DataFolder.
    [[nodiscard]] static Result<std::unique_ptr<ReadOnlyStore>> open(const std::string& dir);
    ~ReadOnlyStore() override;

    [[nodiscard]] Result<std::optional<Bytes>> get(Column column, ByteView key) const override;
    [[nodiscard]] Result<void> scan(
        Column column,
        ByteView from,
        ByteView to,
        const std::function<bool(ByteView key, ByteView value)>& visit
    ) const override;

private:
    class Impl;
    explicit ReadOnlyStore(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace creto
