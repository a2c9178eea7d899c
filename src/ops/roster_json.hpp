// The roster and its changes, as the admin API writes and reads them.
#pragma once

#include "ops/json_fields.hpp"

namespace creto {

/// {"action": "add" | "remove" | "replace", "seat", "agent", "name", "possession"}, or
/// {"action": "set", "parameter", "value", "number"}.
[[nodiscard]] JsonDoc roster_change_json(const RosterOperation& change);

/// The same with "approvals": ["0:SIGNATURE", ...], by the operators' places in the genesis.
[[nodiscard]] Submit roster_change(Fields& f);

[[nodiscard]] JsonDoc roster_json(const RosterReply& reply);

}  // namespace creto
