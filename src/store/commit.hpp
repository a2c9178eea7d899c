// commit: carries out the Persist effects of one turn, with as few syncs as the two stores allow.
//
// Why      Both hosts must do the same: one batch and at most one sync for all writes, then one
//          append for all votes; and remember in the store that this node has voted.
// Holds    When it returns, every Persist of the turn that asked for it is durable, and every vote.
//          Writes become durable before the votes that rest on them: after a crash in between there
//          is a body without its vote, never a vote without its body.
// Errors   Those of the store and the log; the turn may then be applied in part, nothing of it may
//          be acknowledged, and the host stops the node.
// Cost     One sync for durable writes, one for votes; none for a turn that has neither.
#pragma once

#include "store/store.hpp"

namespace creto {

[[nodiscard]] Result<void> commit(Store& store, VoteLog& votes, std::vector<Persist> turn);

}  // namespace creto
