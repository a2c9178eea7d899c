// Keys in JSON: writes, reads, and what is read of them.
#pragma once

#include "ops/json_fields.hpp"

namespace creto {

/// {"key", "action": set|add|append|remove, "kind", "path": [fields], "value", "amount", "timeout_ms"}.
/// Under causal/ `kind` says what is written: set: "values" (as when nothing is said) or "last"; add:
/// "counter" (as when nothing is said) or "set"; append: "list"; remove: "set" takes one element, and
/// nothing said takes all at and below the place.
[[nodiscard]] CommandBody key_write(Fields& fields);

/// {"key", "path": [fields], "from", "count", "session", "timeout_ms"}.
[[nodiscard]] CommandBody key_read(Fields& fields);

/// {"found", "values", "counter", "last", "elements", "items", "fields", "kinds", "more", "height"}:
/// those that there are; "found", "values" and "height" always, "kinds" when the place has several.
[[nodiscard]] JsonDoc reading_json(const KeyReply& reading);

}  // namespace creto
