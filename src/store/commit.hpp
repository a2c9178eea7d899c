// commit: carries out the Persist effects of one turn, with as few syncs as the two stores allow.
//
// Why      One batch for all writes, one append for all votes, and one sync for both where the
//          writes are small (store/journal.hpp); and the store remembers that this node has voted.
// Holds    When it returns, every Persist of the turn that asked for it is durable, and every vote.
//          Writes become durable before or with the votes that rest on them: after a crash in
//          between there is a body without its vote, never a vote without its body, once
//          journal::replay() has run. Before the log's content is replaced, all that it still holds
//          for the store is durable there.
// Errors   Those of the store and the log; the turn may then be applied in part, nothing of it may
//          be acknowledged, and the host stops the node.
// Cost     One sync for durable writes, or for votes, or for both when the writes are small; two
//          when they are not; none for a turn that has neither.
#pragma once

#include "store/store.hpp"

namespace creto {

[[nodiscard]] Result<void> commit(Store& store, VoteLog& votes, std::vector<Persist> turn);

}  // namespace creto
