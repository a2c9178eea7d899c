// The admin API's words: commands from JSON, replies and notices to JSON.
//
// Why      The command line, dashboards and scripts speak JSON to a node; the node speaks model/command.hpp.
// Holds    Numbers of agreed values stay decimal text (values of keys, tool results are carried as text
//          or as parsed JSON beside it, never as doubles). Unknown fields of a command are refused, so
//          that a typing error is seen.
// Errors   invalid: which field, and what was expected.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/command.hpp"
#include "model/notice.hpp"

namespace creto {

using JsonDoc = nlohmann::ordered_json;

/// `name` is the last part of the path: "submit", "call", "status", …
/// "submit-batch": {"payloads": [text or {"hex": …}, …], "timeout_ms"}: one data operation for each.
[[nodiscard]] Result<CommandBody> command_from_json(const std::string& name, const JsonDoc& body);

/// The same from `application/octet-stream`: each payload behind its length, an unsigned LEB128 number.
[[nodiscard]] Result<CommandBody> batch_from_bytes(ByteView body);

/// {"ok": true, …} or {"ok": false, "error": {"code", "message"}}.
[[nodiscard]] JsonDoc to_json(const ReplyBody& reply);
/// {"event": "finalized", …}
[[nodiscard]] JsonDoc to_json(const Notice& notice);
/// {"event": "piece", …}, or {"event": "restarted", …}: what came before does not count.
[[nodiscard]] JsonDoc to_json(const ShownPiece& shown);
[[nodiscard]] JsonDoc to_json(const Block& block);
[[nodiscard]] JsonDoc error_json(const Error& error);

/// Text as it is when it is UTF-8, else {"hex": …}.
[[nodiscard]] JsonDoc bytes_json(const Bytes& bytes);

}  // namespace creto
