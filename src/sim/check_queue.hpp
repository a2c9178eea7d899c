// CheckQueue: what waits for a node's checking thread where votes can be joined.
//
// Why      One check of a sum costs as much as one check of a single signature, so whoever checks takes all
//          that waits on the same content at once. What comes while a sum is checked is not in it.
// Source   Boneh, Drijvers, Neven, "Compact Multi-Signatures for Smaller Blockchains" (2018), 3.1: signatures
//          on one message are added, and so are their keys; of a sum that holds everybody named has signed.
// Holds    Batches in the order in which their first came; the one that is being checked takes nothing more.
//          A sum that does not hold is taken apart: each of its checks is paid alone as well.
// Cost     O(batches that wait) to add, of which there are as many as contents that are voted on.
#pragma once

#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/ring.hpp"
#include "base/time.hpp"
#include "model/event.hpp"

namespace creto {

class CheckQueue {
public:
    struct Asked {
        CheckDone done;
        std::uint64_t fingerprint = 0;
        Instant since;
        bool good = true;  ///< All of its signatures hold.
        Duration alone;    ///< What it costs by itself,
        Duration added;    ///< and with others on the same content.
    };
    struct Batch {
        Bytes content;  ///< Empty: nothing is added to it.
        std::vector<Asked> checks;
        [[nodiscard]] Duration cost() const;
    };

    /// `content`: what is signed, where signatures on it can be added up; else empty.
    void add(Bytes content, Asked asked);
    [[nodiscard]] bool may_start() const { return !running_ && !waiting_.empty(); }
    /// The next batch, which is being checked until ended(). Requires: may_start().
    [[nodiscard]] Batch start();
    void ended() { running_ = false; }

    [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

private:
    Ring<Batch> waiting_;
    bool running_ = false;
};

}  // namespace creto
