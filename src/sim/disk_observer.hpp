// DiskObserver: is told what one node asks of its simulated disk, as it happens.
//
// Why      What a store was asked in a run can be asked of a real one; which one, the simulator must not
//          know.
// Holds    Told of a write once it was accepted, in the order of the writes; of reads, the node's own
//          only: checkers look without being seen. It changes nothing of the run, and none is there
//          unless somebody asked for it.
// Cost     None without an observer; with one, what it does.
#pragma once

#include <vector>

#include "base/time.hpp"
#include "model/effect.hpp"

namespace creto {

class SimDisk;

/// An accepted write. Everything is the caller's, and only there during the call.
struct DiskWrite {
    const std::vector<KeyWrite>& writes;
    const std::vector<Bytes>& records;  ///< For the vote log.
    const std::vector<Bytes>& log_kept;
    bool replaces_log = false;  ///< The log begins anew with log_kept.
    Durable durable = Durable::no;
    Instant now;
};

/// What a crash took back.
struct DiskLoss {
    std::vector<KeyWrite> taken_back;         ///< Written in this order they undo what was lost.
    const std::vector<Bytes>* log = nullptr;  ///< All that is left of it; null: it is as it was.
    Instant now;
};

class DiskObserver {
public:
    DiskObserver() = default;
    DiskObserver(const DiskObserver&) = delete;
    DiskObserver& operator=(const DiskObserver&) = delete;
    virtual ~DiskObserver() = default;

    virtual void on_write(const DiskWrite& write) = 0;
    virtual void on_load(const Load& load, Instant now) = 0;
    virtual void on_scan(const Scan& scan, Instant now) = 0;
    virtual void on_crash(DiskLoss loss) = 0;
    /// Another disk is there in its place: an empty one, or an earlier copy.
    virtual void on_replaced(const SimDisk& disk) = 0;
};

}  // namespace creto
